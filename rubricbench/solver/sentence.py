"""A sentence of the response, the marks it bears, and how it could be written anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rubricbench.checks.text import words
from rubricbench.solver.mentions import Mention

EXACT = "exact"  # feature of a sentence that must stay as it is
VERBATIM = "verbatim"  # feature of a sentence in which no mark may be put between the words

_END = re.compile(r"[.!?]*$")
_LAST_WORD = re.compile(r"([\w'’-]+)([.!?]*)$")


@dataclass(frozen=True)
class Recipe:
    """How a sentence was asked for, so that another one can take its place.

    Args:
        pools: names of the pools of frames; () with mentions for a note or any suitable frame.
        terms: words to fill in exactly; None for any of the vocabulary.
        features: what it carries on purpose (see `wishes.Ban`).
        others: further slots of the frame and their values.
        mentions: what it mentions on purpose.
    """

    pools: tuple[str, ...]
    terms: tuple[str, ...] | None = None
    features: frozenset[str] = frozenset()
    others: tuple[tuple[str, str], ...] = ()
    mentions: tuple[Mention, ...] = ()


@dataclass
class Sentence:
    """A piece of text that stands as a unit.

    Args:
        base: the text with its final mark, without decoration.
        fixed: whether it carries something the rubric asks for; else it may be dropped.
        terms: words that were filled in, in order.
        features: what it carries on purpose (see `wishes.Ban`).
        recipe: how to write it anew, None where it must stay as it is.
        marks: emoji and citations, put before the final mark.
        lit: whether a part of it is highlighted.
        first: whether it must stay at the start of its slot.
        last: whether it must stay at the end.
    """

    base: str
    fixed: bool = False
    terms: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    recipe: Recipe | None = None
    marks: list[str] = field(default_factory=list)
    lit: bool = False
    first: bool = False
    last: bool = False

    @property
    def text(self) -> str:
        """The text as it stands in the response."""
        text = _highlighted(self.base, self.terms) if self.lit else self.base
        if not self.marks:
            return text
        end = _END.search(text)
        at = end.start() if end else len(text)
        return f"{text[:at]}{''.join(self.marks)}{text[at:]}"

    @property
    def size(self) -> int:
        """Number of words."""
        return len(words(self.text))

    @property
    def droppable(self) -> bool:
        """Whether the response can do without it."""
        return not (self.fixed or self.marks or self.lit)

    @property
    def can_be_lit(self) -> bool:
        """Whether a part of it can be set between asterisks."""
        plain = "*" not in self.base and "http" not in self.base
        return plain and not self.lit and not {VERBATIM, EXACT} & self.features

    def take_over(self, old: Sentence) -> None:
        """Take the place of another sentence: its marks and its position."""
        self.marks, self.lit = list(old.marks), old.lit
        self.fixed, self.first, self.last = old.fixed, old.first, old.last


def _highlighted(text: str, terms: tuple[str, ...]) -> str:
    """Set a term, or the last word, between asterisks."""
    for term in terms:
        if found := re.search(rf"\b{re.escape(term)}\b", text):
            return f"{text[: found.start()]}*{found[0]}*{text[found.end() :]}"
    last = _LAST_WORD.search(text)
    return f"{text[: last.start()]}*{last[1]}*{last[2]}" if last else f"*{text}*"
