"""Putting constraints into the words of the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rubricbench.builders.verifiable.texts import phrases
from rubricbench.draws import Draws

_TIMES = {1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times"}


def quoted(items: Sequence[str], conjunction: str = "and") -> str:
    """Return the items in straight quotes, as a series."""
    marked = [f'"{item}"' for item in items]
    if len(marked) < 2:
        return "".join(marked)
    return f"{', '.join(marked[:-1])} {conjunction} {marked[-1]}"


def number(value: float) -> str:
    """Return a number as a prompt writes it: no thousands separators, no trailing zero."""
    return f"{value:.15g}"


def times(count: int) -> str:
    """Return "once", "twice", "three times", …"""
    return _TIMES.get(count, f"{count} times")


def phrase(draws: Draws, name: str, variant: str, /, **slots: Any) -> str:
    """Return one of the wordings of a constraint, its slots filled."""
    sentence = draws.pick(phrases()[name][variant]).format(**slots)
    return sentence if sentence[-1] in '.!?"*' else f"{sentence}."


def span(low: int | None, high: int | None) -> str:
    """Name the variant of a count: exact, range, minimum or maximum."""
    if low == high:
        return "exact"
    if high is None:
        return "minimum"
    return "maximum" if low is None else "range"
