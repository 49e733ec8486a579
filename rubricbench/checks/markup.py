"""Families about marks in the text: placeholders, emphasis, bullets, sections, a title."""

from __future__ import annotations

import re
from functools import lru_cache

from rubricbench.checks.bounds import amount, bounds, counted
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import list_items, prose
from rubricbench.checks.wording import quote, quote_short

# A link's text is followed by "(", an index follows a name, "^" and "!" open notes.
_PLACEHOLDER = re.compile(r"(?<!\w)\[(?![\^!])([^\[\]\n]++)\](?!\()")
_EMPHASIS = re.compile(r"(?<!\*)(\*{1,3})(?![\s*])[^*\n]++(?<!\s)\1(?!\*)")
_TITLE = re.compile(r"<<(?!<)((?:[^<>\n]|<(?!<)|>(?!>))++)>>")


@family(
    "placeholder_count",
    describe=lambda p: (
        f"The response contains {amount(p, 'placeholder')} in square brackets, such as [address]."
    ),
    **bounds("placeholders"),
    passes=[
        ({"minimum": 2}, "Dear [Name], meet me at [place]."),
        ({"maximum": 0}, "- [x] see [the site](https://example.org) [1], `a[i]`"),
    ],
    fails=[
        ({"minimum": 1}, "Empty brackets [] and a box [ ]."),
        ({"maximum": 1}, "[First name] [Last name]"),
    ],
)
def placeholder_count(text: str, params: Params) -> Outcome:
    """How many brackets hold something to fill in: not links, ticks, citations or indices."""
    found = [match[1].strip() for match in _PLACEHOLDER.finditer(text)]
    blanks = [name for name in found if name not in ("x", "X") and any(map(str.isalpha, name))]
    return counted(len(blanks), params, "placeholder")


@family(
    "highlight_count",
    describe=lambda p: (
        f"The response highlights {amount(p, 'passage')} with asterisks, as in *highlighted* or "
        "**highlighted**."
    ),
    **bounds("highlighted passages"),
    passes=[
        ({"minimum": 2}, "A *very* good and **quite cheap** one."),
        ({"minimum": 1, "maximum": 1}, "* An item with **one** highlight"),
    ],
    fails=[
        ({"minimum": 1}, "2 * 3 * 4, and ** nothing **"),
        ({"maximum": 1}, "**One** and ***two***"),
    ],
)
def highlight_count(text: str, params: Params) -> Outcome:
    """How many runs of text stand in one, two or three asterisks, within a line, outside code."""
    found = sum(1 for _ in _EMPHASIS.finditer(prose(text)))
    return counted(found, params, "highlighted passage")


@family(
    "bullet_count",
    describe=lambda p: f"The response has {amount(p, 'bullet point')}.",
    **bounds("bullet points"),
    passes=[
        ({"minimum": 2, "maximum": 2}, "* one\n* two\n\n---\n*Note:* done"),
        ({"minimum": 3}, "- one\n  - nested\n• three"),
    ],
    fails=[
        ({"minimum": 2}, "1. one\n2. two"),
        ({"maximum": 1}, "- one\n- two"),
    ],
)
def bullet_count(text: str, params: Params) -> Outcome:
    """How many bullets there are at any depth; numbered items, rules and emphasis are none."""
    return counted(
        sum(1 for item in list_items(text) if item.number is None), params, "bullet point"
    )


@family(
    "section_count",
    describe=lambda p: (
        f"The response has {amount(p, 'section')}, each opened on its own line by "
        f"{quote(p['splitter'])} and its number, as in {quote(p['splitter'] + ' 1')}."
    ),
    **bounds("sections", splitter=Param("str", "word that opens a section", minimum=1, maximum=50)),
    passes=[
        ({"splitter": "Section", "minimum": 2}, "Section 1\nA.\n\n## **Section 2:** B"),
        ({"splitter": "PART", "maximum": 1}, "PART 1\nas PART 2 will show"),
    ],
    fails=[
        ({"splitter": "Section", "minimum": 1}, "See Section 3 of the act."),
        ({"splitter": "PART", "maximum": 1}, "PART 1\nA\nPART 2\nB"),
    ],
)
def section_count(text: str, params: Params) -> Outcome:
    """How many lines start with the splitter, as it is written, and a number."""
    return counted(len(_section_line(params["splitter"]).findall(text)), params, "section")


@lru_cache(maxsize=256)
def _section_line(splitter: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t>#*_+-]*+{re.escape(splitter.strip())}[ \t]?\d", re.MULTILINE)


@family(
    "title",
    describe=lambda p: (
        "The response contains a title in double angle brackets, such as <<A Quiet Day>>."
    ),
    passes=[({}, "<<The Sea>>\nIt was calm."), ({}, "# << On Tea >>")],
    fails=[({}, "<The Sea>"), ({}, "```cpp\ncin <<x>> y\n```\n<< >>")],
)
def title(text: str, params: Params) -> Outcome:
    """A piece of text in double angle brackets, on one line, outside code."""
    found = next((m[1].strip() for m in _TITLE.finditer(prose(text)) if m[1].strip()), None)
    return Outcome(found is not None, quote_short(found) if found else "no title")
