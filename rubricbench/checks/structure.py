"""Families about headings and the sections below them."""

from __future__ import annotations

from rubricbench.checks.bounds import amount, bad_bounds, bounds, counted
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import count_phrase, headings, searchable, sections, words
from rubricbench.checks.wording import quote, quote_short, quoted_series

_HEADING = Param("str", "title of the heading, without its marks", minimum=1, maximum=200)
_LEVEL = Param("int", "only headings of this level, 1 (#) to 6", None, minimum=1, maximum=6)


def title_key(title: str) -> str:
    """Return the form in which titles are compared: caseless, without what surrounds the words.

    Emoji, numbering ("1.", "2)") and a final colon or full stop make no difference.
    """
    key = searchable(title)
    start = next((i for i, char in enumerate(key) if char.isalnum()), 0)
    return key[start:].rstrip(" :.,;!-*_\"'")


def _bad_titles(params: Params) -> str | None:
    return None if all(map(title_key, params["headings"])) else "an empty heading"


def _bad_title(params: Params) -> str | None:
    return None if title_key(params["heading"]) else "an empty heading"


@family(
    "ordered_headings",
    describe=lambda p: (
        f"The response has the Markdown heading {quote(p['headings'][0])} (a line that starts "
        "with #)."
        if len(p["headings"]) == 1
        else f"The response has the Markdown headings {quoted_series(p['headings'])}, in this "
        "order (lines that start with #)."
    ),
    params={"headings": Param("list[str]", "titles, in order", minimum=1, maximum=50)},
    validate=_bad_titles,
    passes=[
        ({"headings": ["Causes", "Treatment"]}, "# Causes\na\n## More\nb\n# **Treatment:**\nc"),
        ({"headings": ["Summary"]}, "Summary\n=======\nShort."),
    ],
    fails=[
        ({"headings": ["Causes", "Treatment"]}, "# Treatment\na\n# Causes\nb"),
        ({"headings": ["Summary"]}, "```\n# Summary\n```\n**Summary**\n#Summary"),
    ],
)
def ordered_headings(text: str, params: Params) -> Outcome:
    """The headings occur in this order; others may stand between, before and after.

    A heading is a line ``# Title`` (1–6 ``#`` and a space) or a line underlined with ``==`` or
    ``--``, outside code; its level does not matter. Titles are compared whole, without case,
    emphasis, emoji, numbering and final colon. A bold line is no heading.
    """
    wanted = [title_key(title) for title in params["headings"]]
    reached = 0
    for heading in headings(text):
        if reached < len(wanted) and title_key(heading.title) == wanted[reached]:
            reached += 1
    if reached == len(wanted):
        return Outcome(True, f"all {reached} in order" if reached > 1 else "found")
    return Outcome(False, f"missing, or out of order: {quote_short(params['headings'][reached])}")


@family(
    "heading_count",
    describe=lambda p: f"The response has {amount(p, _heading_noun(p))}.",
    **bounds("headings", level=_LEVEL),
    passes=[
        ({"minimum": 2}, "# One\na\n## Two\nb"),
        ({"maximum": 0}, "**Not** a heading\n#hashtag\n```\n# comment\n```"),
        ({"level": 2, "minimum": 1, "maximum": 1}, "# Title\n\n## Part\ntext"),
    ],
    fails=[
        ({"minimum": 2}, "# One\n#Two"),
        ({"level": 2, "minimum": 1}, "# Title\n### Detail"),
    ],
)
def heading_count(text: str, params: Params) -> Outcome:
    """How many Markdown headings there are (see `ordered_headings`), of one level if given."""
    level = params["level"]
    found = sum(1 for heading in headings(text) if level is None or heading.level == level)
    return counted(found, params, "heading")


def _heading_noun(params: Params) -> str:
    level = params["level"]
    return "Markdown heading" if level is None else f"level-{level} Markdown heading"


@family(
    "keyword_in_section",
    describe=lambda p: (
        f"The section under the Markdown heading {quote(p['heading'])} mentions "
        f"{quote(p['keyword'])}."
    ),
    params={
        "heading": _HEADING,
        "keyword": Param("str", "a word or phrase", minimum=1, maximum=200),
    },
    validate=lambda p: _bad_title(p) or (None if searchable(p["keyword"]) else "an empty keyword"),
    passes=[
        ({"heading": "Risks", "keyword": "cost"}, "# Risks\n## Money\nThe Cost is high."),
        ({"heading": "Risks", "keyword": "high cost"}, "## 2. Risks:\nA **high\ncost**.\n## End"),
    ],
    fails=[
        ({"heading": "Risks", "keyword": "cost"}, "# Risks\nNone.\n# Cost\nThe cost is high."),
        ({"heading": "Risks", "keyword": "cost"}, "The cost is high.\n# Risks\nIt is costly."),
    ],
)
def keyword_in_section(text: str, params: Params) -> Outcome:
    """The keyword occurs, as whole words, below the heading and above the next of its level.

    Subsections belong to the section; the heading line itself does not. Of several sections with
    this heading one is enough.
    """
    wanted = title_key(params["heading"])
    bodies = [s.body for s in sections(text) if title_key(s.heading.title) == wanted]
    if not bodies:
        return Outcome(False, f"no heading {quote_short(params['heading'])}")
    met = any(count_phrase(body, params["keyword"], limit=1) for body in bodies)
    return Outcome(met, "found in the section" if met else "not in the section")


@family(
    "section_word_range",
    describe=lambda p: (
        f"The section under the Markdown heading {quote(p['heading'])} has {amount(p, 'word')}."
    ),
    **(bounds("words", heading=_HEADING) | {"validate": lambda p: _bad_title(p) or bad_bounds(p)}),
    passes=[
        ({"heading": "Summary", "maximum": 3}, "# Summary\nVery short indeed.\n# More\nA b c d."),
        ({"heading": "Plan", "minimum": 3}, "## Plan\n### First\nGo there."),
    ],
    fails=[
        ({"heading": "Summary", "maximum": 2}, "# Summary\nVery short indeed."),
        ({"heading": "Plan", "minimum": 1}, "**Plan**\nGo there."),
    ],
)
def section_word_range(text: str, params: Params) -> Outcome:
    """How many words stand below the first heading of this title, subheadings included."""
    wanted = title_key(params["heading"])
    body = next((s.body for s in sections(text) if title_key(s.heading.title) == wanted), None)
    if body is None:
        return Outcome(False, f"no heading {quote_short(params['heading'])}")
    return counted(len(words(body)), params, "word")
