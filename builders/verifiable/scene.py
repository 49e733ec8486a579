"""What is drawn for a row before its constraints: who, what, where, and the plan of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rubricbench.builders.verifiable.texts import Layout, Skeleton, Topic, layouts, pools
from rubricbench.draws import Draws

_GIVEN = ("question", "headings", "headers", "keys", "record", "audience", "place")
_WORDS = re.compile(r"[^a-z]+")
_NO_LEMMA = ("s", "ing", "ed", "ae")  # plurals and participles are no base forms


@dataclass(frozen=True)
class Size:
    """The plan around which all counts of a row are drawn, so that they can be met together.

    Args:
        words: words of the whole answer.
        sentences: sentences of running text.
        paragraphs: paragraphs of running text.
        items: list items.
        item_words: words of an item.
        rows: table rows.
    """

    words: int
    sentences: int
    paragraphs: int
    items: int
    item_words: int
    rows: int


@dataclass
class Scene:
    """The setting of a row. Constraints take their terms from it, each term once.

    Args:
        seed: the build's seed.
        row: key of the row, such as ``test-17``.
        skeleton: the kind of answer.
        topic: the subject.
        people: slots that the task sentences are filled from.
        size: the plan of the answer.
        language: ISO code where the answer is not in English.
        terms: words of the topic that no constraint has taken yet.
    """

    seed: int
    row: str
    skeleton: Skeleton
    topic: Topic
    people: dict[str, str]
    size: Size
    language: str = "en"
    terms: list[str] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        """The families that suit this kind of answer."""
        return layouts()[self.skeleton.layout]

    def draws(self, purpose: str) -> Draws:
        """Return the row's stream of draws for one purpose."""
        return Draws(self.seed, purpose, self.row)

    def pool(self, name: str) -> list[Any]:
        """Return one of the pools."""
        found: list[Any] = pools()[name]
        return found

    def harmless(self, name: str) -> list[str]:
        """Return the words of a pool that can be banned without banning what must be there."""
        return [word for word in self.pool(name) if not self.has_word_like(word)]

    def has_word_like(self, word: str) -> bool:
        """Tell whether a text that the answer must contain may have a form of the word in it."""
        given = [self.topic.name, *self.topic.terms]
        given += [self.people.get(key, "") for key in _GIVEN]
        stem = word.lower()[: max(3, len(word) - 2)]
        return any(part.startswith(stem) for part in _WORDS.split(" ".join(given).lower()))

    def take(self, count: int) -> list[str]:
        """Take ``count`` terms of the topic; none at all if there are not so many left."""
        if len(self.terms) < count:
            return []
        taken, self.terms = self.terms[:count], self.terms[count:]
        return taken

    def take_lemmas(self, count: int) -> list[str]:
        """Take single words in their base form."""
        return self._take_where(count, is_lemma)

    def take_words(self, count: int) -> list[str]:
        """Take single words, in whatever form."""
        return self._take_where(count, str.isalpha)

    def _take_where(self, count: int, suits: Any) -> list[str]:
        fitting = [term for term in self.terms if suits(term)][:count]
        if len(fitting) < count:
            return []
        self.terms = [term for term in self.terms if term not in fitting]
        return fitting


def is_lemma(term: str) -> bool:
    """Tell whether a term is one English word in its base form."""
    return term.isascii() and term.isalpha() and term.islower() and not term.endswith(_NO_LEMMA)


def plan_size(skeleton: Skeleton, draws: Draws) -> Size:
    """Draw the plan of an answer."""
    words = draws.between(*skeleton.words)
    sentences = max(2, round(words / draws.between(10, 13)))
    paragraphs = max(1, min(5, round(sentences / draws.between(2, 4))))
    return Size(
        words=words,
        sentences=sentences,
        paragraphs=paragraphs,
        items=draws.between(*skeleton.items),
        item_words=draws.between(7, 11),
        rows=draws.between(*skeleton.rows),
    )
