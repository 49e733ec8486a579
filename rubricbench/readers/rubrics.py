"""Rubrics from files or embedded datasets: our form, the paper's, HealthBench's, PRBench's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rubricbench.errors import SchemaError
from rubricbench.healthbench import rubric_from_healthbench
from rubricbench.prbench import is_prbench, rubric_from_prbench
from rubricbench.readers.rows import nested, read_rows
from rubricbench.rows import rubric_from_row
from rubricbench.schema import Rubric

_NESTED = ("rubrics", "messages")
_NUMBERS = ("number_of_criteria", "total_weight")
_REQUIRED = ("prompt", "rubrics")  # empty text there is a fault of its own, not an absent value


def read_rubrics(source: str | Path) -> Iterator[tuple[int, Rubric]]:
    """Return the rubrics of a file or an embedded dataset as ``(line, rubric)``, streamed.

    Args:
        source: a parquet, JSONL or CSV file in our form, the paper's (`JunkaiZ/Rubrics`),
            HealthBench's or PRBench's, told apart by its keys; or the name of an embedded dataset,
            ``verifiable`` or ``verifiable:test``.

    Raises:
        InputError: no such file or dataset.
        SchemaError: a row breaks the data model; file, line and field are named.
    """
    path = Path(source)
    if path.suffix or "/" in str(source) or path.exists():
        rows = read_rows(path)
        return ((line, rubric_from_any_row(row, file=str(path), line=line)) for line, row in rows)
    return _embedded(str(source))


def _embedded(name: str) -> Iterator[tuple[int, Rubric]]:
    from rubricbench.hub import load

    dataset, _, split = name.partition(":")
    loaded = load(dataset, split=split or None)
    parts = {split: loaded} if split else loaded
    for part, rows in parts.items():
        for line, row in enumerate(rows, start=1):
            yield line, rubric_from_row(row, file=f"{dataset}:{part}", line=line)


def rubric_from_any_row(row: Mapping[str, Any], *, file: str, line: int) -> Rubric:
    """Read a row of any of these forms, nested columns as such or as JSON.

    Raises:
        SchemaError: the row breaks the data model.
    """
    try:
        values = dict(row)
        for key in _NESTED:
            if values.get(key) not in (None, ""):
                values[key] = nested(values[key], key)
        if _is_healthbench(values):
            values["prompt"] = nested(values.get("prompt"), "prompt")
            return rubric_from_healthbench(values)
        if is_prbench(values):
            return rubric_from_prbench({**values, "rubric": nested(values["rubric"], "rubric")})
        return rubric_from_row(_unflattened(values))
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _unflattened(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with what a flat file (CSV) writes as text read back: absence and numbers."""
    values = {key: value for key, value in row.items() if value != "" or key in _REQUIRED}
    for key in _NUMBERS:
        if isinstance(values.get(key), str):
            values[key] = _number(values[key], key)
    return values


def _number(text: str, key: str) -> int | float:
    try:
        number = float(text)
        return int(number) if number.is_integer() else number
    except ValueError:
        raise SchemaError("wrong_type", f"expected a number, got {text!r:.40}", field=key) from None


def _is_healthbench(row: Mapping[str, Any]) -> bool:
    criteria = row.get("rubrics")
    first = criteria[0] if isinstance(criteria, list) and criteria else None
    return isinstance(first, Mapping) and "points" in first
