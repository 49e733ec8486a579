"""Markdown (GFM) pipe tables."""

from __future__ import annotations

import re
from typing import NamedTuple

from rubricbench.checks.text.blocks import outside_fences
from rubricbench.checks.text.markdown import plain

_DELIMITER_CELL = re.compile(r":?-+:?")
_UNESCAPED_PIPE = re.compile(r"(?<!\\)\|")


class Table(NamedTuple):
    """A pipe table.

    Args:
        headers: the header cells, without marks.
        rows: the cells of each data row, as many as there are headers.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(text: str) -> tuple[Table, ...]:
    """Return the tables outside code.

    A table is a header row, a delimiter row (``| --- | :-: |``) with as many cells, and the data
    rows that follow until a line without a pipe. As in GFM a short row is filled up with empty
    cells and what a long one has too much is dropped; ``\\|`` is a pipe inside a cell.
    """
    if "|" not in text:
        return ()
    found: list[Table] = []
    rows = outside_fences(text)
    at = 1
    while at < len(rows):
        headers = _headers(rows[at - 1], rows[at])
        at += 1
        if not headers:
            continue
        data: list[tuple[str, ...]] = []
        while at < len(rows) and rows[at][0] == rows[at - 1][0] + 1 and "|" in rows[at][1]:
            data.append(_fitted(cells(rows[at][1]), len(headers)))
            at += 1
        found.append(Table(tuple(plain(cell) for cell in headers), tuple(data)))
        at += 1
    return tuple(found)


def cells(row: str) -> tuple[str, ...]:
    """Split a line at its pipes, the outer ones dropped, the cells stripped."""
    row = row.strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in _UNESCAPED_PIPE.split(row))


def _headers(above: tuple[int, str], row: tuple[int, str]) -> tuple[str, ...]:
    """Return the header cells where the second line is the delimiter row of the first."""
    if row[0] != above[0] + 1 or "|" not in row[1] or "|" not in above[1] or "-" not in row[1]:
        return ()
    delimiters = cells(row[1])
    if not all(map(_DELIMITER_CELL.fullmatch, delimiters)):
        return ()
    headers = cells(above[1])
    return headers if len(headers) == len(delimiters) else ()


def _fitted(row: tuple[str, ...], size: int) -> tuple[str, ...]:
    return (row + ("",) * size)[:size]
