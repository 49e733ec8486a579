"""Rows of a parquet, JSONL or CSV file, streamed, with the line each one came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rubricbench.errors import InputError, SchemaError
from rubricbench.readers.columns import first_repeated
from rubricbench.readers.delimited import read_csv
from rubricbench.readers.lines import read_lines
from rubricbench.rows import parse_json

PARQUET_BATCH = 256  # rows in memory at a time
PARQUET_BUFFER = 1 << 20  # bytes of a column read ahead

Row = tuple[int, dict[str, Any]]


def read_rows(path: str | Path) -> Iterator[Row]:
    """Return the rows of a file as ``(line, row)``, in bounded memory.

    The line is 1-based; of a parquet file it is the row, of a CSV row with line breaks the first.
    The fields of a CSV row are all text. Whether the file is there is checked at the call, its
    content as it is read.

    Raises:
        InputError: missing, empty, of an unknown kind, or not what its name says.
        SchemaError: one line cannot be read; file and line are named.
    """
    path = Path(path)
    return _rows(path, _reader(path))


def _rows(path: Path, reader: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
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
    readers = {".parquet": _parquet, ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": read_csv}
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), hint="check the path") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be read: {why}", where=f"{path!s:.200}") from None
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "this is not a regular file"
        raise InputError(what, where=str(path), hint="name one file")
    if path.suffix.lower() not in readers:
        kind = f"a {path.suffix} file" if path.suffix else "a file without an ending"
        raise InputError(f"cannot read {kind}", where=str(path), hint="use " + ", ".join(readers))
    if size == 0:
        raise InputError("the file is empty", where=str(path))
    return readers[path.suffix.lower()]


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # As it comes, Arrow fetches the whole file ahead, and each column of a row group at once.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=PARQUET_BUFFER) as file:
            _reject_doubled(file.schema_arrow.names, path)
            line = 0
            for batch in _batches(file):
                for row in _batch_rows(batch, path, line):
                    line += 1
                    yield line, row
    except pa.ArrowException as error:
        raise InputError(f"not a readable parquet file: {error}", where=str(path)) from None


def _batches(file: Any) -> Iterator[Any]:
    for group in range(file.num_row_groups):
        yield from file.iter_batches(PARQUET_BATCH, row_groups=[group])


def _batch_rows(batch: Any, path: Path, before: int) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except _UNREADABLE:
        for i in range(batch.num_rows):
            _require_readable(batch.slice(i, 1), path, before + i + 1)
        raise
    return rows


# A text that is not UTF-8; a date or time beyond Python's calendar; an unknown time zone.
_UNREADABLE = (ValueError, OverflowError, LookupError)


def _require_readable(row: Any, path: Path, line: int) -> None:
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            column.to_pylist()
        except UnicodeDecodeError:
            raise SchemaError(
                "bad_encoding", "a text is not UTF-8", field=name, file=str(path), line=line
            ) from None
        except _UNREADABLE as error:
            raise SchemaError(
                "wrong_type",
                f"a {column.type} that cannot be read: {error}",
                field=name,
                file=str(path),
                line=line,
            ) from None


def _reject_doubled(names: list[str], path: Path) -> None:
    name = first_repeated(names)
    if name is not None:
        raise InputError(f"column {name!r:.60} is there twice", where=str(path))


def _jsonl(path: Path) -> Iterator[Row]:
    for line, text in read_lines(path):
        if not text.strip():
            continue
        try:
            row = parse_json(text, "")
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
        if not isinstance(row, dict):
            raise SchemaError(
                "wrong_type",
                f"expected one JSON object a line, got {type(row).__name__}",
                file=str(path),
                line=line,
            )
        yield line, row


def nested(value: Any, field: str) -> Any:
    """Return a nested value, parsing it where a flat file (CSV) holds it as JSON text.

    Raises:
        SchemaError: ``bad_json``.
    """
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value, field)
    except SchemaError as error:
        if value.lstrip().startswith(("[{'", "{'")):
            error = SchemaError(
                error.code,
                "Python's notation, not JSON",
                field=field,
                hint="write nested columns with json.dumps",
            )
        raise error from None
