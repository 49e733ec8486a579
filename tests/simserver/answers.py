"""An honest answer in the form asked for, in pieces: what is said, and of which criterion."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from simserver.asked import Question

WORDS = {"json": ("true", "false"), "reasoned": ("true", "false"), "compact": ("Y", "N")}
WORDS["paper"] = ("yes", "no")
QUOTED_CHARS = 20


@dataclass(frozen=True)
class Piece:
    """A part of an answer's text.

    Args:
        text: the text.
        criterion: number of the criterion whose verdict this word is, if it is one.
    """

    text: str
    criterion: int | None = None


def values(question: Question, verdicts: list[bool]) -> dict[str, Any]:
    """Return the answer as an object: label -> value; letters where the form has no object."""
    found: dict[str, Any] = {}
    yes, no = WORDS[question.form]
    for (label, _), met in zip(question.criteria, verdicts, strict=True):
        if question.form == "reasoned":
            found[label] = {"evidence": question.response[:QUOTED_CHARS], "met": met}
        else:
            found[label] = met if question.form == "json" else yes if met else no
    return found


def written(form: str, found: dict[str, Any]) -> str:
    """Return the text of an answer given as an object."""
    return " ".join(map(str, found.values())) if form == "compact" else json.dumps(found)


def pieces(question: Question, verdicts: list[bool]) -> list[Piece]:
    """Return the same text in pieces."""
    if question.form == "compact":
        words = ["Y" if met else "N" for met in verdicts]
        spaced = [(Piece(" " if i else ""), Piece(word, i)) for i, word in enumerate(words)]
        return [piece for pair in spaced for piece in pair if piece.text]
    return list(_object(question, verdicts, json.dumps))


def _object(
    question: Question, verdicts: list[bool], dumps: Callable[[str], str]
) -> Iterator[Piece]:
    yes, no = WORDS[question.form]
    opening = closing = ""
    if question.form == "reasoned":
        opening = f'{{"evidence": {dumps(question.response[:QUOTED_CHARS])}, "met": '
        closing = "}"
    if question.form == "paper":
        opening = closing = '"'
    for i, ((label, _), met) in enumerate(zip(question.criteria, verdicts, strict=True)):
        yield Piece(f"{', ' if i else '{'}{dumps(label)}: {opening}")
        yield Piece(yes if met else no, i)
        if closing:
            yield Piece(closing)
    yield Piece("}" if question.criteria else "{}")
