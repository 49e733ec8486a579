"""Named columns of a parquet, JSONL or CSV file as arrays, a million rows in a second or two.

Text comes as codes into its distinct values, so that a million ids take four megabytes. What Arrow
cannot read is read again row by row: that finds the row at fault, or copes with it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.samples import LARGEST
from rubricbench.metrics.tables import KL_ROUNDING, Column, Kind
from rubricbench.readers import read_rows

Floats = NDArray[np.float64]
_JSON = (".jsonl", ".ndjson")
BATCH_ROWS = 1 << 16
JSON_ROWS = 1000  # of a JSONL file, looked at to know its columns
_BLOCK_BYTES = 4 << 20
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
_RENAME = "call the one that tells prompts apart so; "
_UNKNOWN = ("", "nan", "na", "n/a", "null", "none")


@dataclass(frozen=True)
class Labels:
    """A text column.

    Args:
        codes: index into ``names`` of each row, −1 where it is missing; shape ``(N,)``.
        names: distinct values, sorted, shape ``(K,)``.
    """

    codes: NDArray[np.integer[Any]]
    names: NDArray[np.object_]

    def text(self) -> NDArray[np.object_]:
        """Return the text of each row, empty where it is missing."""
        return np.asarray(np.append(self.names, "")[self.codes])


@dataclass(frozen=True)
class Table:
    """Columns of one file.

    Args:
        path: of the file, as it was given.
        rows: how many.
        numbers: column -> values, NaN where one is missing; shape ``(N,)``.
        labels: column -> text.
    """

    path: str
    rows: int
    numbers: Mapping[str, Floats]
    labels: Mapping[str, Labels]


def columns_of(path: str | Path) -> list[str]:
    """Return the names of a file's columns (of JSONL, those of its first rows).

    Raises:
        InputError: it is missing, empty, of an unknown kind, or not what its name says.
    """
    path = Path(path)
    first = next(iter(read_rows(path)))[1] if path.suffix.lower() not in _JSON else None
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    return list(_json_keys(path) if first is None else first)


def _json_keys(path: Path) -> dict[str, None]:
    """Return the keys of the first rows. NaN passes: Python's json module writes it."""
    names: dict[str, None] = {}
    try:
        with path.open("rb") as file:
            for line in itertools.islice(filter(bytes.strip, file), JSON_ROWS):
                row = json.loads(line)
                names.update(dict.fromkeys(row) if isinstance(row, dict) else {})
    except (ValueError, OSError):
        names = {}
    if not names:  # a fault; read_rows says which
        for _, row in itertools.islice(read_rows(path), JSON_ROWS):
            names.update(dict.fromkeys(row))
    return names


def read_table(path: str | Path, columns: Mapping[str, Column]) -> Table:
    """Read columns of a file.

    Args:
        path: parquet, JSONL or CSV, told apart by the name's ending.
        columns: name in the file -> what it holds; all must be there.

    Raises:
        InputError: the file cannot be read, a column is missing, a value is of another kind,
            infinite, or out of its column's range; file, column and row are named.
    """
    path = Path(path)
    _require(path, columns)
    try:
        return _table(str(path), columns, _arrow(path, columns))
    except (pa.ArrowException, UnicodeError, OSError):
        return _table(str(path), columns, _by_row(path, columns))


def _require(path: Path, columns: Mapping[str, Column]) -> None:
    there = columns_of(path)
    missing = [name for name in columns if name not in there]
    if missing:
        raise InputError(
            f"no column {missing[0]!r:.60}",
            where=str(path),
            hint=f"{_RENAME if missing[0] == 'prompt_id' else ''}its columns are: "
            f"{', '.join(there)[:200]}",
        )


def _arrow(path: Path, columns: Mapping[str, Column]) -> Iterator[pa.RecordBatch]:
    ending = path.suffix.lower()
    if ending == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=list(columns))
    elif ending == ".csv":
        yield from _arrow_csv(path, columns)
    else:
        yield from _arrow_json(path, columns)


def _arrow_csv(path: Path, columns: Mapping[str, Column]) -> Iterator[pa.RecordBatch]:
    from pyarrow import csv

    with csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=list(columns), column_types=dict.fromkeys(columns, pa.string())
        ),
    ) as reader:
        yield from reader


def _arrow_json(path: Path, columns: Mapping[str, Column]) -> Iterator[pa.RecordBatch]:
    from pyarrow import json as arrow_json

    kinds = {Kind.TEXT: pa.string()}
    wanted = pa.schema([(name, kinds.get(c.kind, pa.float64())) for name, c in columns.items()])
    with arrow_json.open_json(
        path,
        read_options=arrow_json.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=wanted, unexpected_field_behavior="ignore"
        ),
    ) as reader:
        yield from reader


def _by_row(path: Path, columns: Mapping[str, Column]) -> Iterator[pa.RecordBatch]:
    """Read what Arrow could not: a fault is raised here with its line, or was none."""
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for at, (_, row) in enumerate(read_rows(path)):
        rows.append((at, row))
        if len(rows) == BATCH_ROWS:
            yield _batch_of(path, columns, rows)
            rows = []
    if rows:
        yield _batch_of(path, columns, rows)


def _batch_of(
    path: Path, columns: Mapping[str, Column], rows: Sequence[tuple[int, Mapping[str, Any]]]
) -> pa.RecordBatch:
    arrays = [
        pa.array([_plain(path, name, column, at, row.get(name)) for at, row in rows], pa.string())
        for name, column in columns.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _plain(path: Path, name: str, column: Column, at: int, value: Any) -> str | None:
    """Return a value as the text that the conversion of CSV fields expects."""
    if value is None or isinstance(value, str):
        return value
    allowed = int if column.kind is Kind.TEXT else int | float
    if not isinstance(value, allowed) or (column.kind is Kind.TEXT and isinstance(value, bool)):
        raise _wrong(str(path), name, column, at, value)
    return str(value) if column.kind is Kind.TEXT else repr(float(value))


def _wrong(path: str, name: str, column: Column, row: int, value: Any) -> InputError:
    what = {Kind.TEXT: "text", Kind.NUMBER: "a number", Kind.WHOLE: "a whole number"}[column.kind]
    return InputError(
        f"{value!r:.60} is not {what}",
        where=f"{path}, column {name}, row {row + 1:,}",
        hint=f"{column.name} is: {column.meaning}",
    )


def _table(path: str, columns: Mapping[str, Column], parts: Iterable[pa.RecordBatch]) -> Table:
    """Convert batches as they come: no more than one is held as Arrow read it."""
    found: dict[str, list[Any]] = {name: [] for name in columns}
    rows = 0
    for part in parts:
        for name, column in columns.items():
            array = part.column(part.schema.get_field_index(name))
            convert = _texts if column.kind is Kind.TEXT else _numbers
            found[name].append(convert(path, name, column, array, rows))
        rows += part.num_rows
    if not rows:
        raise InputError("the file has no rows", where=path)
    numbers = {n: np.concatenate(v) for n, v in found.items() if columns[n].kind is not Kind.TEXT}
    for name, values in numbers.items():
        _check(path, name, columns[name], values)
    labels = {n: _labels(v) for n, v in found.items() if columns[n].kind is Kind.TEXT}
    return Table(path=path, rows=rows, numbers=numbers, labels=labels)


def _texts(path: str, name: str, column: Column, array: pa.Array, before: int) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    whole = pa.types.is_integer(kind) or pa.types.is_null(kind)
    if not (whole or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise _wrong(path, name, column, before, array[0].as_py())
    return array.cast(pa.string()).dictionary_encode()


def _labels(parts: Sequence[pa.DictionaryArray]) -> Labels:
    joined = pa.chunked_array(parts).unify_dictionaries()
    names = np.array(joined.chunk(0).dictionary.to_pylist(), dtype=object)
    codes = np.concatenate(
        [c.indices.fill_null(-1).to_numpy(zero_copy_only=False) for c in joined.chunks]
    )
    order = np.argsort(names, kind="stable")
    place = np.empty(len(names) + 1, dtype=np.int32)
    place[order], place[-1] = np.arange(len(names)), -1
    return Labels(codes=place[codes], names=names[order])


def _numbers(path: str, name: str, column: Column, array: pa.Array, before: int) -> Floats:
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _parsed(path, name, column, array, before)
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
    elif not any(is_kind(kind) for is_kind in _NUMERIC):
        raise _wrong(path, name, column, before, array[0].as_py())
    values = array.cast(pa.float64(), safe=False).fill_null(np.nan)
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _parsed(path: str, name: str, column: Column, array: pa.Array, before: int) -> Floats:
    text = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    text = pc.if_else(pc.is_in(text, pa.array(_UNKNOWN, text.type)), None, text)
    for word, digit in (("true", "1"), ("false", "0")):
        text = pc.if_else(pc.equal(text, word), digit, text)
    try:
        values = text.cast(pa.float64())
    except pa.ArrowInvalid:
        at = next(i for i, value in enumerate(text.to_pylist()) if not _is_number(value))
        raise _wrong(path, name, column, before + at, array[at].as_py()) from None
    return np.asarray(values.fill_null(np.nan).to_numpy(zero_copy_only=False))


def _is_number(text: str | None) -> bool:
    try:
        pa.scalar(text, pa.string()).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _check(path: str, name: str, column: Column, values: Floats) -> None:
    bad = np.isinf(values)
    what, hint = "infinite", "leave it empty where it is not known"
    if not bad.any():
        bad, what = np.abs(values) > LARGEST, f"beyond {LARGEST:g}, too large to average"
    if not bad.any() and column.kind is Kind.WHOLE:
        bad, what = np.isnan(values) | (values != np.round(values)), "not a whole number"
        hint = f"{column.name} is: {column.meaning}"
    if not bad.any() and column.low is not None:
        bad, what = values < column.low - KL_ROUNDING, f"below {column.low:g}"
        hint = f"{column.name} is: {column.meaning}"
    if not bad.any() and column.high is not None:
        bad, what = values > column.high + KL_ROUNDING, f"above {column.high:g}"
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        value = "nothing" if np.isnan(values[at]) else f"{values[at]:g}"
        more = f" (and {int(bad.sum()) - 1:,} more)" if bad.sum() > 1 else ""
        raise InputError(
            f"{value} is {what}{more}" if what != "infinite" else f"the value is infinite{more}",
            where=f"{path}, column {name}, row {at + 1:,}",
            hint=hint,
        )
