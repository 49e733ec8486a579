"""Marks inside a line: bold runs, inline code, links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rubricbench.checks.text.blocks import outside_fences, prose

_CODE_SPAN = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]++\1(?!`)")
_BOLD_MARK = re.compile(r"\*{2,}|_{2,}")


def without_code(text: str) -> str:
    """Return the prose with its `inline code` blanked out."""
    text = prose(text)
    return _CODE_SPAN.sub(" ", text) if "`" in text else text


def has_code_span(text: str) -> bool:
    """Tell whether there is `inline code` outside the fences."""
    return "`" in text and _CODE_SPAN.search(prose(text)) is not None


def bold_runs(text: str) -> tuple[str, ...]:
    """Return what stands in ``**bold**`` or ``__bold__`` (also three marks), within a line.

    The opening mark touches the first character of the run and the closing one its last;
    underscores inside a word mark nothing.
    """
    if "**" not in text and "__" not in text:
        return ()
    return tuple(run for _, row in outside_fences(text) for run in _bold_in(row))


def _bold_in(row: str) -> Iterator[str]:
    opened: tuple[str, int] | None = None
    for mark in _BOLD_MARK.finditer(row):
        sign = mark[0][0]
        before, after = row[: mark.start()][-1:], row[mark.end() : mark.end() + 1]
        can_close = bool(before.strip()) and not (sign == "_" and after.isalnum())
        can_open = bool(after.strip()) and not (sign == "_" and before.isalnum())
        if opened and opened[0] == sign and can_close and mark.start() > opened[1]:
            yield row[opened[1] : mark.start()]
            opened = None
        elif can_open:
            opened = (sign, mark.end())
