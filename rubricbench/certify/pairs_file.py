"""The file of verdict pairs: written with what is known of the judge, read from any source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from rubricbench.certify.pairs import SCHEMA, About, Floats, Pairs, Strings
from rubricbench.errors import InputError
from rubricbench.runs import write_parquet_atomic

REQUIRED = ("prompt_id", "response_id", "criterion_id", "reference", "status")
_DEFAULTS: dict[str, Any] = {
    "variant": "given",
    "replicate": 0,
    "generator": "",
    "words": None,
    "criterion": "",
    "weight": 1.0,
    "checked": False,
    "position": None,
    "listed": None,
    "annotators": 0,
}
_STATUSES = ("met", "unmet", "unknown")
_METADATA = b"rubricbench.certified"


def write_pairs(path: Path, columns: Mapping[str, list[Any]], about: About) -> None:
    """Write the file.

    Raises:
        RunError: it cannot be written.
    """
    schema = SCHEMA.with_metadata({_METADATA: msgspec.json.encode(about)})
    write_parquet_atomic(path, pa.table(dict(columns), schema=schema))


def read_pairs(path: Path) -> tuple[list[Pairs], About]:
    """Read the file, or another with its required columns; one entry for each variant.

    Args:
        path: parquet or JSONL; columns of `SCHEMA` that are not `REQUIRED` may be left out.

    Raises:
        InputError: it cannot be read, or a column is missing or holds something else.
    """
    table, about = _table(path)
    for name in REQUIRED:
        if name not in table.column_names:
            raise InputError(
                f"no column {name!r}", where=str(path), hint="needed: " + ", ".join(REQUIRED)
            )
    table = _completed(table, path)
    variants = table.column("variant").to_pylist()
    order = list(dict.fromkeys(variants))
    of = np.array([order.index(v) for v in variants], dtype=np.int64)
    return [
        _pairs(table.filter(pa.array(of == i)), name, path) for i, name in enumerate(order)
    ], about


def _table(path: Path) -> tuple[pa.Table, About]:
    from rubricbench.readers import read_rows

    if path.suffix.lower() != ".parquet":
        rows = [row for _, row in read_rows(path)]
        there = set().union(*rows)  # a key may be missing from the first row
        names = [name for name in SCHEMA.names if name in there]
        return pa.table({name: _column(rows, name, path) for name in names}), About()
    import pyarrow.parquet as pq

    next(iter(read_rows(path)))  # says in a line what is wrong with the file
    table = pq.read_table(path)
    noted = (table.schema.metadata or {}).get(_METADATA)
    try:
        return table, msgspec.json.decode(noted, type=About) if noted else About()
    except msgspec.DecodeError as error:
        raise InputError(f"damaged metadata: {error}", where=str(path)) from None


def _column(rows: list[dict[str, Any]], name: str, path: Path) -> pa.Array:
    try:
        return pa.array([row.get(name) for row in rows])
    except (pa.ArrowException, OverflowError) as error:
        raise InputError(
            f"column {name!r} holds values of several kinds: {error}", where=str(path)
        ) from None


def _completed(table: pa.Table, path: Path) -> pa.Table:
    """Return the table with the columns of `SCHEMA`, in their types, absent ones filled."""
    columns = []
    for field in SCHEMA:
        if field.name in table.column_names:
            try:
                column = table.column(field.name).cast(field.type)
            except pa.ArrowException as error:
                raise InputError(
                    f"column {field.name!r} does not hold {field.type}: {error}", where=str(path)
                ) from None
            default = _DEFAULTS.get(field.name)
            if column.null_count and default is not None:
                column = column.fill_null(default)
            columns.append(column)
        else:
            values = [_DEFAULTS.get(field.name)] * table.num_rows
            columns.append(pa.array(values, type=field.type))
    return pa.table(columns, schema=SCHEMA)


def _pairs(table: pa.Table, variant: str, path: Path) -> Pairs:
    def text(name: str) -> Strings:
        return np.array(table.column(name).to_pylist(), dtype=object)

    def number(name: str) -> Floats:
        column = table.column(name).cast(pa.float64())
        return np.asarray(column.to_numpy(), dtype=np.float64).copy()

    status, p_met = _statuses(text("status"), "status", path), number("p_met")
    if ((p_met < 0) | (p_met > 1)).any():
        raise InputError("column 'p_met' must lie in [0, 1]", where=str(path))
    known = ~np.isnan(status)
    pairs = Pairs(
        variant=variant,
        replicate=number("replicate").astype(np.int64),
        reference=_statuses(text("reference"), "reference", path),
        said=status,
        credit=np.where(known & ~np.isnan(p_met), p_met, status),
        p_met=np.where(known, p_met, np.nan),
        tags=tuple(tuple(tags or ()) for tags in table.column("tags").to_pylist()),
        checked=np.asarray(table.column("checked").to_pylist(), dtype=bool),
        prompt_id=text("prompt_id"),
        response_id=text("response_id"),
        generator=text("generator"),
        criterion_id=text("criterion_id"),
        criterion=text("criterion"),
        cause=text("cause"),
        words=number("words"),
        weight=number("weight"),
        position=number("position"),
        listed=number("listed"),
        annotators=number("annotators"),
        agreement=number("agreement"),
    )
    _reject_repeated(pairs, path)
    return pairs


def _statuses(values: Strings, column: str, path: Path) -> Floats:
    strange = [v for v in dict.fromkeys(values.tolist()) if v not in _STATUSES]
    if strange:
        raise InputError(
            f"column {column!r} holds {json.dumps(strange[0], default=str)[:40]}",
            where=str(path),
            hint="met, unmet or unknown",
        )
    return np.select([values == "met", values == "unmet"], [1.0, 0.0], np.nan)


def _reject_repeated(pairs: Pairs, path: Path) -> None:
    seen: set[tuple[Any, ...]] = set()
    for key in _keys(pairs):
        if None in key:
            raise InputError("a row without prompt, response or criterion id", where=str(path))
        if key in seen:
            raise InputError(
                f"two rows for criterion {key[2]!r:.60} of response {key[1]!r:.60}",
                where=str(path),
                hint="repeated gradings need a column replicate, several judges a column variant",
            )
        seen.add(key)


def _keys(pairs: Pairs) -> Iterator[tuple[Any, ...]]:
    return zip(
        pairs.prompt_id.tolist(),
        pairs.response_id.tolist(),
        pairs.criterion_id.tolist(),
        pairs.replicate.tolist(),
        strict=True,
    )
