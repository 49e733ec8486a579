"""Markdown inside the text: headings, sections, list items, inline marks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rubricbench.checks.text.blocks import is_rule, lines, outside_fences
from rubricbench.checks.text.characters import CACHED_TEXTS


class Heading(NamedTuple):
    """A heading: level 1–6, title without marks, index of its (first) line."""

    level: int
    title: str
    line: int


class Section(NamedTuple):
    """A heading and what stands below it, up to the next heading of its level or above."""

    heading: Heading
    body: str


class ListItem(NamedTuple):
    """A list item.

    Args:
        marker: ``-``, ``*``, ``+``, ``•``… or ``3.``, ``3)`` for a numbered one.
        number: the number, None for a bullet.
        text: the rest of its first line, stripped.
        depth: 1 for an outer item, 2 for one nested in it, …
        line: index of its line.
    """

    marker: str
    number: int | None
    text: str
    depth: int
    line: int


_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"([ \t]*)(?:([-*+]|(\d{1,9})[.)])[ \t\u00a0]++|([•◦▪‣●○])[ \t\u00a0]*+)(\S.*)")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)")
_EMPHASIS = re.compile(r"(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|\*{1,3}|~~|`+")
_BLOCK_MARK = re.compile(r"[ \t]*(?:>[ \t]?)*[ \t]*(?:#{1,6}[ \t]+|(?:[-*+•]|\d{1,9}[.)])[ \t]+)?")


@lru_cache(maxsize=CACHED_TEXTS)
def headings(text: str) -> tuple[Heading, ...]:
    """Return the headings: ``# ATX`` and underlined (setext), not those inside code."""
    found: list[Heading] = []
    above = (-2, "")
    for i, row in outside_fences(text):
        if match := _ATX.match(row):
            title = (match[2] or "").strip()
            shorn = title.rstrip("#")
            title = shorn if not shorn or shorn[-1] in " \t" else title
            found.append(Heading(len(match[1]), plain(title), i))
            above = (-2, "")
            continue
        if above[0] == i - 1 and (level := _underline(row)) and _can_be_title(above[1]):
            found.append(Heading(level, plain(above[1]), i - 1))
        above = (i, row)
    return tuple(found)


def _underline(row: str) -> int:
    """Return the level a setext underline gives, 0 where the line is none."""
    row = row.strip()
    if len(row) < 2 or row[0] not in "=-" or row.strip(row[0]):
        return 0
    return 1 if row[0] == "=" else 2


def _can_be_title(row: str) -> bool:
    return bool(row.strip()) and not is_rule(row) and not _ITEM.match(row) and "|" not in row


@lru_cache(maxsize=CACHED_TEXTS)
def sections(text: str) -> tuple[Section, ...]:
    """Return each heading with the text below it, subsections included."""
    rows, found = lines(text), headings(text)
    stops = [len(rows)] * len(found)
    still_open: list[int] = []
    for i, heading in enumerate(found):
        while still_open and found[still_open[-1]].level >= heading.level:
            stops[still_open.pop()] = heading.line
        still_open.append(i)
    return tuple(
        Section(heading, "\n".join(rows[_first_row(heading, rows) : stop]).strip())
        for heading, stop in zip(found, stops, strict=True)
    )


def _first_row(heading: Heading, rows: tuple[str, ...]) -> int:
    return heading.line + (1 if _ATX.match(rows[heading.line]) else 2)


@lru_cache(maxsize=CACHED_TEXTS)
def list_items(text: str) -> tuple[ListItem, ...]:
    """Return the list items outside code, in order.

    ``*emphasis*``, ``-5`` and the rules ``---`` and ``* * *`` are no items: a Markdown marker
    needs a space and some text after it; a typographic bullet (•) needs only the text. An item
    indented by two columns or more beyond another is nested in it; a line of text at the margin
    ends the list.
    """
    found: list[ListItem] = []
    indents: list[int] = []
    for i, row in outside_fences(text):
        match = _ITEM.match(row)
        if match and not is_rule(row):
            indent = len(match[1].expandtabs(4))
            while indents and indent < indents[-1]:
                indents.pop()
            if not indents or indent >= indents[-1] + 2:
                indents.append(indent)
            number = int(match[3]) if match[3] else None
            marker = match[2] or match[4]
            found.append(ListItem(marker, number, match[5].strip(), len(indents), i))
        elif row[:1] not in ("", " ", "\t"):
            indents.clear()
    return tuple(found)


def plain(row: str) -> str:
    """Return a line without Markdown: block marker, emphasis, code ticks, link targets."""
    row = row[_BLOCK_MARK.match(row).end() :]  # type: ignore[union-attr]
    if "](" in row:
        row = _LINK.sub(r"\1", row)
    return _EMPHASIS.sub("", row).strip()
