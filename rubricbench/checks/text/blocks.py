"""Lines, fenced code and paragraphs: the outer structure of a text."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rubricbench.checks.text.characters import CACHED_TEXTS


class Fence(NamedTuple):
    """A fenced code block.

    Args:
        language: first word of the info string, lower case; "" where there is none.
        body: the code, without the fence lines.
        first: index of the opening line (0 is the text's first line).
        last: index of the closing line, or of the text's last line where it is not closed.
        closed: whether a closing fence was found.
    """

    language: str
    body: str
    first: int
    last: int
    closed: bool


@lru_cache(maxsize=CACHED_TEXTS)
def lines(text: str) -> tuple[str, ...]:
    """Return the lines without their ends; an empty text has one empty line."""
    return tuple(text.split("\n"))


@lru_cache(maxsize=CACHED_TEXTS)
def fences(text: str) -> tuple[Fence, ...]:
    """Return the fenced code blocks (``` or ~~~, CommonMark, but indented as far as a list goes).

    A fence that is never closed runs to the end of the text.
    """
    if "```" not in text and "~~~" not in text:
        return ()
    rows = lines(text)
    found: list[Fence] = []
    i = 0
    while i < len(rows):
        opening = _opening(rows[i])
        if not opening:
            i += 1
            continue
        mark, info = opening
        last = next((j for j in range(i + 1, len(rows)) if _closes(rows[j], mark)), None)
        stop = len(rows) if last is None else last
        language = info.split()[0].lower() if info else ""
        end = len(rows) - 1 if last is None else last
        found.append(Fence(language, "\n".join(rows[i + 1 : stop]), i, end, last is not None))
        i = stop + 1
    return tuple(found)


def _opening(row: str) -> tuple[str, str] | None:
    """Return the fence's marks and info string if the line opens one."""
    row = row.strip()
    if row[:3] not in ("```", "~~~"):
        return None
    info = row.lstrip(row[0])
    if row[0] == "`" and "`" in info:
        return None  # inline code such as ```x```
    return row[: len(row) - len(info)], info.strip()


def _closes(row: str, mark: str) -> bool:
    row = row.strip()
    return len(row) >= len(mark) and not row.strip(mark[0])


def outside_fences(text: str) -> tuple[tuple[int, str], ...]:
    """Return the lines that are not in a fenced code block, each with its index."""
    blocks = fences(text)
    rows = enumerate(lines(text))
    if not blocks:
        return tuple(rows)
    code = {i for block in blocks for i in range(block.first, block.last + 1)}
    return tuple((i, row) for i, row in rows if i not in code)


def prose(text: str) -> str:
    """Return the text with its fenced code blanked out; line numbers stay the same."""
    if not fences(text):
        return text
    rows = [""] * len(lines(text))
    for i, row in outside_fences(text):
        rows[i] = row
    return "\n".join(rows)


@lru_cache(maxsize=CACHED_TEXTS)
def paragraphs(text: str) -> tuple[str, ...]:
    """Return the blocks between blank lines, stripped.

    A line of white space is blank, a code fence is not split by the blank lines inside it, and a
    horizontal rule standing alone is a separator, not a paragraph.
    """
    code = {i for block in fences(text) for i in range(block.first, block.last + 1)}
    blocks: list[list[str]] = [[]]
    for i, row in enumerate(lines(text)):
        if row.strip() or i in code:
            blocks[-1].append(row)
        elif blocks[-1]:
            blocks.append([])
    found = ("\n".join(block).strip() for block in blocks if block)
    return tuple(block for block in found if not is_rule(block))


def is_rule(row: str) -> bool:
    """Tell whether a line is a horizontal rule: three or more of one of ``-*_=``."""
    marks = "".join(row.split())
    return len(marks) >= 3 and marks[0] in "-*_=" and not marks.strip(marks[0])
