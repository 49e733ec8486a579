"""Families about how many words, sentences and paragraphs there are."""

from __future__ import annotations

from rubricbench.checks.bounds import amount, bounds, counted
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import (
    lines,
    paragraphs,
    plain,
    sentences,
    starts_with_phrase,
    words,
)
from rubricbench.checks.wording import ordinal, quote, quote_short

_SEPARATOR = Param(
    "str",
    "what stands between paragraphs: a blank line, or a line of three asterisks",
    "blank_line",
    choices=("blank_line", "***"),
)


@family(
    "word_count",
    describe=lambda p: f"The response has {amount(p, 'word')}.",
    **bounds("words"),
    passes=[
        ({"minimum": 3, "maximum": 3}, "I don't know."),
        ({"maximum": 5}, "Pi is about 3.14159."),
        ({"minimum": 4, "maximum": 4}, "你好世界"),
    ],
    fails=[
        ({"minimum": 4}, "I don't know."),
        ({"maximum": 2}, "- *one*\n- *two*\n- *three*"),
    ],
)
def word_count(text: str, params: Params) -> Outcome:
    """How many words there are (`text.words`)."""
    return counted(len(words(text)), params, "word")


@family(
    "sentence_count",
    describe=lambda p: f"The response has {amount(p, 'sentence')}.",
    **bounds("sentences"),
    passes=[
        ({"minimum": 2, "maximum": 2}, "Dr. Lee paid $3.50 for it. Was that much?"),
        ({"maximum": 2}, "# A title\n\n- one item\n- another"),
    ],
    fails=[
        ({"minimum": 3}, "It cost approx. five dollars, e.g. at Smith Inc. or elsewhere."),
        ({"maximum": 1}, "Stop! Who goes there?"),
    ],
)
def sentence_count(text: str, params: Params) -> Outcome:
    """How many sentences there are (`text.sentences`); a list item is at least one."""
    return counted(len(sentences(text)), params, "sentence")


@family(
    "paragraph_count",
    describe=lambda p: f"The response has {amount(p, 'paragraph')}{_separated(p)}.",
    **bounds("paragraphs", separator=_SEPARATOR),
    passes=[
        ({"minimum": 2, "maximum": 2}, "One.\n \n\nTwo."),
        ({"maximum": 1}, "```\na = 1\n\nb = 2\n```"),
        ({"minimum": 2, "separator": "***"}, "One.\n\nStill one.\n***\nTwo."),
    ],
    fails=[
        ({"minimum": 2}, "One.\nStill one."),
        ({"minimum": 2, "separator": "***"}, "One, ***very*** much.\n\nStill one."),
        ({"minimum": 2, "separator": "***"}, "One.\n***\n***\nTwo."),
    ],
)
def paragraph_count(text: str, params: Params) -> Outcome:
    """How many paragraphs there are; between two ``***`` an empty one is a fault."""
    if params["separator"] == "blank_line":
        return counted(len(paragraphs(text)), params, "paragraph")
    parts = _split_at_asterisks(text)
    if not all(parts):
        return Outcome(False, "an empty paragraph between two dividers")
    return counted(len(parts), params, "paragraph")


def _separated(params: Params) -> str:
    if params["maximum"] == 1:
        return ""
    lines_of = {"blank_line": "blank lines", "***": "a line of three asterisks (***)"}
    return f", separated by {lines_of[params['separator']]}"


def _split_at_asterisks(text: str) -> list[str]:
    """Return what stands between the dividers; nothing before the first or after the last is ok."""
    parts: list[list[str]] = [[]]
    for row in lines(text):
        marks = row.strip()
        if len(marks) >= 3 and not marks.strip("*"):
            parts.append([])
        else:
            parts[-1].append(row)
    found = ["\n".join(part).strip() for part in parts]
    if len(found) > 1 and not found[0]:
        del found[0]
    if len(found) > 1 and not found[-1]:
        del found[-1]
    return found


@family(
    "nth_paragraph_first_word",
    describe=lambda p: (
        f"The response has {_exactly(p['paragraphs'])}, and the {ordinal(p['nth'])} paragraph "
        f"starts with the word {quote(p['first_word'])}."
    ),
    params={
        "paragraphs": Param("int", "number of paragraphs", minimum=1, maximum=1000),
        "nth": Param("int", "which paragraph, counted from 1", minimum=1, maximum=1000),
        "first_word": Param("str", "the word it starts with", minimum=1, maximum=100),
    },
    validate=lambda p: (
        f"paragraph {p['nth']} of {p['paragraphs']}" if p["nth"] > p["paragraphs"] else None
    ),
    passes=[
        ({"paragraphs": 2, "nth": 2, "first_word": "then"}, "First.\n\n**Then**, more."),
        ({"paragraphs": 1, "nth": 1, "first_word": "don't"}, "“Don’t go,” she said."),
    ],
    fails=[
        ({"paragraphs": 3, "nth": 2, "first_word": "then"}, "First.\n\nThen more."),
        ({"paragraphs": 1, "nth": 1, "first_word": "well"}, "Well-known facts."),
    ],
)
def nth_paragraph_first_word(text: str, params: Params) -> Outcome:
    """The number of paragraphs, and the word one of them starts with, past marks and quotes."""
    blocks = paragraphs(text)
    if len(blocks) != params["paragraphs"]:
        return counted(len(blocks), {"minimum": 1, "maximum": 0}, "paragraph")
    opening = _from_first_word(blocks[params["nth"] - 1])
    met = starts_with_phrase(opening, params["first_word"])
    return Outcome(met, f"paragraph {params['nth']} starts {quote_short(opening[:30])}")


def _from_first_word(block: str) -> str:
    """Return the opening of a paragraph, from its first letter or digit on."""
    row = plain(block[:1000].split("\n", 1)[0])
    start = next((i for i, char in enumerate(row) if char.isalnum()), len(row))
    return row[start:]


def _exactly(paragraphs_: int) -> str:
    words_ = amount({"minimum": paragraphs_, "maximum": paragraphs_}, "paragraph")
    return words_ if paragraphs_ == 1 else f"{words_}, separated by blank lines"
