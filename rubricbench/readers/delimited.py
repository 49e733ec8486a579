"""Rows of a CSV file (RFC 4180: commas, double quotes, line breaks inside quotes)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rubricbench.errors import InputError, SchemaError
from rubricbench.readers.columns import first_repeated
from rubricbench.readers.lines import read_lines

MAX_FIELD_CHARS = 16_000_000

# What the csv module says, and what it means for a user.
_FAULTS = {
    "field larger than": (
        "text_too_long",
        f"a field of more than {MAX_FIELD_CHARS:,} characters, or a quote that is never closed",
    ),
    "unexpected end of data": ("bad_csv", "a quote opened here is never closed"),
    "new-line character": ("bad_csv", "a carriage return alone ends the line; use LF or CRLF"),
}


def read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield ``(line, row)``: the line a row begins on, and its fields as text.

    Raises:
        InputError: the header names a column twice or not at all.
        SchemaError: ``ragged_row``, ``bad_csv`` or ``text_too_long``, with the line.
    """
    header: list[str] | None = None
    for line, fields in _records(path):
        if header is None:
            header = _header(fields, path)
        elif len(fields) != len(header):
            raise SchemaError(
                "ragged_row",
                f"{len(fields)} fields, the header has {len(header)}",
                file=str(path),
                line=line,
                hint="quote fields that hold commas or line breaks",
            )
        else:
            yield line, dict(zip(header, fields, strict=True))


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank lines, each with the line it begins on."""
    reader = csv.reader((text for _, text in read_lines(path)), strict=True)
    while True:
        line = reader.line_num + 1
        # The limit belongs to the process, not to a reader: it is put back after each record.
        others = csv.field_size_limit(MAX_FIELD_CHARS)
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise _fault(str(error)).at(file=str(path), line=line) from None
        finally:
            csv.field_size_limit(others)
        if fields is None:
            return
        if fields:
            yield line, fields


def _fault(message: str) -> SchemaError:
    for start, (code, what) in _FAULTS.items():
        if message.startswith(start):
            return SchemaError(code, what)
    return SchemaError("bad_csv", f"not CSV: {message}")


def _header(fields: list[str], path: Path) -> list[str]:
    names = [field.strip() for field in fields]
    if "" in names:
        raise InputError(
            f"column {names.index('') + 1} has no name",
            where=str(path),
            hint="pandas writes such a column unless told index=False",
        )
    repeated = first_repeated(names)
    if repeated is not None:
        raise InputError(f"column {repeated!r:.60} stands twice in the header", where=str(path))
    return names
