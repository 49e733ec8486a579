"""Pieces of the sentences in which checks are described and their findings reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rubricbench.checks.text import clip


def quote(text: str) -> str:
    """Return the text in curly quotes, whole: a criterion must say all of what it asks."""
    return f"“{text}”"


def quote_short(text: str) -> str:
    """Return the text in curly quotes, clipped: for evidence."""
    return f"“{clip(text)}”"


def series(items: Sequence[str], conjunction: str = "and") -> str:
    """Join items as English does: "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def quoted_series(items: Iterable[str], conjunction: str = "and") -> str:
    """Join quoted items: "“a”, “b” and “c”"."""
    return series([quote(item) for item in items], conjunction)


def short_series(items: Sequence[str], limit: int = 5) -> str:
    """Join quoted, clipped items for evidence; what is beyond ``limit`` becomes a number."""
    shown = [f"“{clip(item, 30)}”" for item in items[:limit]]
    more = len(items) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def sentence(text: str) -> str:
    """End a sentence with a full stop, unless a quotation has ended it already."""
    return text if text.endswith((".”", "!”", "?”")) else f"{text}."


def tally(count: int, noun: str) -> str:
    """Return a count with its noun: "1 line", "2,000 lines"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def ordinal(number: int) -> str:
    """Return "1st", "2nd", "3rd", "4th", "11th", …"""
    teen = 10 <= number % 100 <= 20
    suffix = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
