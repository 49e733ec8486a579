"""Rows that stand for the same thing: found by their keys, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.columnar import Labels, Table

Codes = NDArray[np.int64]


def combined(parts: Sequence[NDArray[np.integer[Any]]]) -> Codes:
    """Return one code a row: equal where all parts are equal; shape ``(N,)``."""
    codes = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        _, inverse = np.unique(part, return_inverse=True)
        product = codes * (int(inverse.max(initial=0)) + 1) + inverse
        _, codes = np.unique(product, return_inverse=True)  # dense again, or products overflow
    return codes


def first_repeated(codes: Codes) -> tuple[int, int] | None:
    """Return the first row whose key was there before, and the row that had it; or None."""
    order = np.argsort(codes, kind="stable")
    again = np.flatnonzero(np.diff(codes[order]) == 0)
    if not len(again):
        return None
    at = again[np.argmin(order[again + 1])]
    return int(order[at + 1]), int(order[at])


def refuse_repeated(table: Table, parts: Sequence[str], rows: NDArray[np.int64], hint: str) -> None:
    """Raise InputError where two rows have the same prompt, response and other keys.

    Args:
        table: the file.
        parts: names of the columns that make the key, ``response_id`` among them.
        rows: rows of the table to look at.
        hint: what to do.
    """
    keys = [
        table.labels[p].codes[rows]
        if p in table.labels
        else table.numbers[p][rows].astype(np.int64)
        for p in parts
    ]
    found = first_repeated(combined(keys))
    if found is None:
        return
    row, before = (int(rows[i]) for i in found)
    response = table.labels["response_id"].text()[row]
    prompt = table.labels["prompt_id"].text()[row]
    raise InputError(
        f"response {response!r:.60} of prompt {prompt!r:.60} is there twice "
        f"(first in row {before + 1:,})",
        where=f"{table.path}, column response_id, row {row + 1:,}",
        hint=hint,
    )


def require_named(table: Table, column: str) -> None:
    """Raise InputError where a row has no value in a text column."""
    labels = table.labels[column]
    empty = np.isin(labels.names, [""])
    missing = (labels.codes < 0) | np.append(empty, False)[labels.codes]
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise InputError(
            f"{int(missing.sum()):,} of {table.rows:,} rows have none",
            where=f"{table.path}, column {column}, row {row + 1:,}",
            hint=f"every row needs a {column}",
        )


def shared_codes(a: Labels, b: Labels) -> tuple[Codes, Codes, NDArray[np.object_]]:
    """Return codes of two text columns on one scale, and the names that the codes stand for."""
    names = np.array(sorted({*a.names, *b.names}, key=str), dtype=object)
    place = {name: i for i, name in enumerate(names)}
    found = []
    for labels in (a, b):
        code = np.array([*(place[n] for n in labels.names), -1], dtype=np.int64)
        found.append(code[labels.codes])
    return found[0], found[1], names
