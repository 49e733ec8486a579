"""Families about how the response ends, and about what encloses it."""

from __future__ import annotations

from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import (
    clip,
    ends_with_phrase,
    fold,
    lines,
    says_something,
    searchable,
)
from rubricbench.checks.wording import quote, quote_short, sentence

_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "＂": "＂", "「": "」", "『": "』"}


@family(
    "postscript",
    describe=lambda p: sentence(
        "After its main text, the response adds a postscript that starts with " + quote(p["marker"])
    ),
    params={"marker": Param("str", "how the postscript starts", "P.S.", minimum=1, maximum=50)},
    validate=lambda p: None if searchable(p["marker"]) else "an empty marker",
    passes=[
        ({"marker": "P.S."}, "Dear Ana,\nsee you soon.\n\nP.S. Bring the map."),
        ({"marker": "P.P.S"}, "Bye.\n\n**P. P. S.** One more thing."),
    ],
    fails=[
        ({"marker": "P.S."}, "Dear Ana,\nthe U.P.S. came."),
        ({"marker": "P.S."}, "Bye.\n\nP.S."),
    ],
)
def postscript(text: str, params: Params) -> Outcome:
    """A line after the first text starts with the marker, and something follows it."""
    marker = "".join(fold(params["marker"]).split())
    rows = lines(text)
    for i, row in enumerate(rows):
        rest = _after_marker(row, marker)
        if rest is None:
            continue
        if not any(says_something(above) for above in rows[:i]):
            return Outcome(False, "nothing stands before the postscript")
        filled = says_something(rest) or any(says_something(below) for below in rows[i + 1 :])
        return Outcome(filled, quote_short(row) if filled else "the postscript is empty")
    return Outcome(False, f"no line starts with {quote_short(params['marker'])}")


def _after_marker(row: str, marker: str) -> str | None:
    """Return what follows the marker at the start of a line, None where it does not start so.

    Spaces inside the marker do not matter, nor do emphasis, quote or heading marks before it.
    """
    row = fold(row[:2000]).lstrip(" \t>#*_\"'-")
    at = 0
    for char in marker:
        while row[at : at + 1] == " ":
            at += 1
        if row[at : at + 1] != char:
            return None
        at += 1
    cut_word = marker[-1].isalnum() and row[at : at + 1].isalnum()
    return None if cut_word else row[at:]


@family(
    "end_phrase",
    describe=lambda p: (
        f"The response ends with the exact phrase {quote(p['phrase'])}, and nothing follows it."
    ),
    params={"phrase": Param("str", "the last words", minimum=1, maximum=500)},
    validate=lambda p: None if searchable(p["phrase"]) else "an empty phrase",
    passes=[
        ({"phrase": "Is there anything else?"}, "Done. Is there anything else?\n"),
        ({"phrase": "that's all."}, "*And “that’s all.”*"),
    ],
    fails=[
        ({"phrase": "Is there anything else?"}, "Is there anything else? Yes."),
        ({"phrase": "thing"}, "That is something"),
    ],
)
def end_phrase(text: str, params: Params) -> Outcome:
    """The last words are the phrase; quotes and emphasis marks may close after it."""
    met = ends_with_phrase(text, params["phrase"])
    return Outcome(met, f"ends {quote_short(text.rstrip()[-40:])}")


@family(
    "quotation",
    describe=lambda p: "The whole response is wrapped in double quotation marks.",
    passes=[({}, ' "All of it." '), ({}, "“All\nof it.”")],
    fails=[({}, 'He said "no".'), ({}, "'All of it.'"), ({}, '"" ""'), ({}, '"')],
)
def quotation(text: str, params: Params) -> Outcome:
    """The first and last character are a pair of double quotation marks with words between."""
    text = text.strip()
    pair = len(text) > 2 and text[-1] in _QUOTES.get(text[0], "")
    met = pair and says_something(text[1:-1])
    return Outcome(met, f"starts {clip(text[:1])!r}, ends {clip(text[-1:])!r}")
