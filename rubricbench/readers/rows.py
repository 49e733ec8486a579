"""Rows of a parquet, JSONL or CSV file, streamed, with the line each one came from."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rubricbench.errors import InputError, SchemaError
from rubricbench.rows import parse_json

MAX_FIELD_CHARS = 16_000_000
PARQUET_BATCH = 1_000

Row = tuple[int, dict[str, Any]]


def read_rows(path: str | Path) -> Iterator[Row]:
    """Yield ``(line, row)``; the line is 1-based (a parquet or CSV row's counts data rows).

    Raises:
        InputError: missing, empty, of an unknown kind, or not what its name says.
        SchemaError: one line cannot be read; file and line are named.
    """
    path = Path(path)
    reader = _reader(path)
    empty = True
    try:
        for row in reader(path):
            empty = False
            yield row
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    if empty:
        raise InputError("the file has no rows", where=str(path))


def _reader(path: Path) -> Callable[[Path], Iterator[Row]]:
    readers = {".parquet": _parquet, ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv}
    if not path.exists():
        raise InputError("no such file", where=str(path), hint="check the path")
    if path.is_dir():
        raise InputError("this is a folder", where=str(path), hint="name one file")
    if path.suffix.lower() not in readers:
        raise InputError(
            f"cannot tell what kind of file {path.suffix or 'a name without ending'!r} is",
            where=str(path),
            hint="use " + ", ".join(readers),
        )
    if path.stat().st_size == 0:
        raise InputError("the file is empty", where=str(path))
    return readers[path.suffix.lower()]


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            line = 0
            for batch in file.iter_batches(PARQUET_BATCH):
                for row in batch.to_pylist():
                    line += 1
                    yield line, row
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(f"not a readable parquet file: {error}", where=str(path)) from None


def _jsonl(path: Path) -> Iterator[Row]:
    for line, text in _lines(path):
        if not text.strip():
            continue
        try:
            row = parse_json(text, "line")
        except SchemaError as error:
            raise SchemaError(
                "bad_json", error.what.split(" [")[0], file=str(path), line=line
            ) from None
        if not isinstance(row, dict):
            raise SchemaError(
                "wrong_type", "expected one JSON object a line", file=str(path), line=line
            )
        yield line, row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield decoded lines, a byte-order mark dropped; a bad byte is placed on its line."""
    with path.open("rb") as file:
        for line, data in enumerate(file, start=1):
            try:
                text = data.decode("utf-8-sig" if line == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise SchemaError(
                    "bad_encoding",
                    f"byte {data[error.start]:#04x} is not UTF-8",
                    file=str(path),
                    line=line,
                    hint="save the file as UTF-8",
                ) from None
            yield line, text


def _csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD_CHARS)
    reader = csv.reader((text for _, text in _lines(path)), strict=True)
    header: list[str] | None = None
    row = 0
    try:
        for fields in reader:
            if not fields:
                continue
            if header is None:
                header = _header(fields, path)
                continue
            row += 1
            if len(fields) != len(header):
                raise SchemaError(
                    "ragged_row",
                    f"{len(fields)} fields, the header has {len(header)}",
                    file=str(path),
                    line=row,
                    hint="quote fields that hold commas or line breaks",
                )
            # An empty CSV field cannot be told from a missing one; missing is what it means
            # everywhere but in an answer, and readers of answers know that (`responses.py`).
            yield row, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise SchemaError("bad_csv", f"not CSV: {error}", file=str(path), line=row + 1) from None


def _header(fields: list[str], path: Path) -> list[str]:
    names = [field.strip() for field in fields]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise InputError(
            f"column {sorted(doubled)[0]!r} stands twice in the header", where=str(path)
        )
    return names


def nested(value: Any, field: str) -> Any:
    """Return a nested value, parsing it where a flat file (CSV) holds it as JSON text."""
    if isinstance(value, str):
        return parse_json(value, field)
    return value
