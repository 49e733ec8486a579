"""Choosing sentences: the right length, nothing banned, nothing said twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rubricbench.checks import run
from rubricbench.checks.text import count_phrase, find_phrase, fold, words
from rubricbench.draws import Draws
from rubricbench.schema import Check
from rubricbench.solver.frames import fill, shape
from rubricbench.solver.material import Material
from rubricbench.solver.mentions import Mention, queue_of
from rubricbench.solver.pools import pool
from rubricbench.solver.sentence import Recipe, Sentence
from rubricbench.solver.span import Span
from rubricbench.solver.wishes import Ban, Wishes

_NOTES = "notes"
_TRIED = 60  # candidates tested before a request is given up
_VARIED = 8  # acceptable candidates compared where the vocabulary must vary


class Writer:
    """Writes sentences for one response.

    Args:
        wishes: what the response must have.
        material: what it is about.
        draws: source of variation.
    """

    def __init__(self, wishes: Wishes, material: Material, draws: Draws) -> None:
        self.wishes = wishes
        self.material = material
        self.queue: list[Mention] = queue_of(wishes)
        self.vocabulary = self._vocabulary()
        self.live: list[str] = []  # every text that stands in the response now
        self.unit = Span()  # bounds on the words of a sentence: those of a list item
        self.longest = 0  # most characters of a sentence that must stand on one line, 0 for any
        self._draws = draws
        self._used: set[str] = set()
        self._turn = 0
        self._bans = [*wishes.bans, *self._order_bans()]
        self._ranks: dict[str, list[tuple[int, str]]] = {}

    def _order_bans(self) -> list[Ban]:
        """No word with a place in an order of mention is mentioned but where its turn is."""
        return [
            Ban(Check("keywords_exclude", {"keywords": [term]}), f"order:{term}")
            for terms in self.wishes.ordered
            for term in terms
        ]

    def _vocabulary(self) -> list[str]:
        """Return the words that plain sentences may use as often as they like."""
        wishes = self.wishes
        ordered = {term for terms in wishes.ordered for term in terms}
        capped = {term for term, span in wishes.counted.items() if span.high is not None}
        sections = [keyword for _, keyword in wishes.in_section]
        known = [*wishes.include, *wishes.bold, *sections, *wishes.in_sentence.values(),
                 *wishes.counted]  # fmt: skip
        return [term for term in dict.fromkeys(known) if term not in ordered | capped]

    def shuffled(self, items: Sequence[str]) -> list[str]:
        """Return the items in an order of this response's own."""
        return self._draws.shuffled(items)

    def take(self, count: int) -> list[Mention]:
        """Take the next mentions from the queue."""
        taken, self.queue = self.queue[:count], self.queue[count:]
        return taken

    def mention(
        self,
        mentions: Sequence[Mention],
        want: int,
        pools: Sequence[str] = (),
        features: Iterable[str] = (),
    ) -> Sentence | None:
        """Return a sentence that mentions these words: a note of the request, or a frame."""
        extra = frozenset(features)
        carried = extra.union(*(one.features for one in mentions))
        found = self._note(mentions, carried) if not pools else None
        if found is None:
            named = pools or self._mentioning_pools(len(mentions))
            shown = tuple(one.shown for one in mentions)
            found = self.sentence(named, want, shown, carried)
        if found:
            found.fixed = True
            found.recipe = Recipe(tuple(pools), None, extra, (), tuple(mentions))
        return found

    def _mentioning_pools(self, count: int) -> tuple[str, ...]:
        """Return where sentences that mention so many words come from, the register's own first."""
        named, mode = f"mention{count}", self.material.mode
        return (named, "body") if mode == "body" else (mode, named, "body")

    def quoted(self, note: str, features: frozenset[str]) -> Sentence:
        """Return a note of the request as it stands."""
        return self._keep(note, note, (), features)

    def rewrite(self, old: Sentence, want: int, most_chars: int = 0) -> Sentence | None:
        """Return another sentence for the same purpose, with the same marks; None if none fits."""
        recipe = old.recipe
        if recipe is None:
            return None
        if recipe.mentions:
            new = self.mention(recipe.mentions, want, recipe.pools, recipe.features)
        else:
            others = dict(recipe.others)
            new = self.sentence(
                recipe.pools, want, recipe.terms, recipe.features, most_chars, **others
            )
        if new is None:
            return None
        new.take_over(old)
        limit = self.wishes.sentence_limit
        if (limit and new.size > limit) or (new.lit and "*" in new.base):
            self.forget(new)
            return None
        return new

    def _note(self, mentions: Sequence[Mention], features: frozenset[str]) -> Sentence | None:
        """Return a note of the request that has all of these words, as often as asked for."""
        wanted = Counter(one.term for one in mentions)
        for note in self._unused_notes():
            if any(count_phrase(note, term) != times for term, times in wanted.items()):
                continue
            places = [find_phrase(note, one.term) for one in mentions]
            if places != sorted(places):
                continue
            text = note
            for one in mentions:
                if one.shown != one.term:
                    text = re.sub(rf"\b{re.escape(one.term)}\b", r"**\g<0>**", text, count=1,
                                  flags=re.IGNORECASE)  # fmt: skip
            if self.accepts(text, features):
                return self._keep(note, text, tuple(one.term for one in mentions), features)
        return None

    def _unused_notes(self) -> list[str]:
        return [note for note in self.material.notes if note not in self._used]

    def sentence(
        self,
        pools: Sequence[str],
        want: int,
        terms: Sequence[str] | None = None,
        features: Iterable[str] = (),
        most_chars: int = 0,
        **others: str,
    ) -> Sentence | None:
        """Return a sentence of about ``want`` words.

        Args:
            pools: names of pools, the preferred one first; ``notes`` are those of the request.
            want: wished number of words.
            terms: fill exactly these into the frame; None for any of the vocabulary, or none.
            features: what the sentence carries on purpose.
            most_chars: longest text, 0 for any.
            others: further slots of the frame.
        """
        carried = frozenset(features)
        for reuse in (False, True):
            found: list[tuple[float, str, str, tuple[str, ...]]] = []
            for frame in self._candidates(pools, want, terms, set(others), reuse):
                filled = self._filled(frame, terms, others)
                if filled is None or (most_chars and len(filled[0]) > most_chars):
                    continue
                if self.accepts(filled[0], carried):
                    found.append((self._staleness(filled[0]), frame, *filled))
                    if not self.wishes.ratio or len(found) == _VARIED:
                        break
            if found:
                _, frame, text, used = min(found, key=lambda one: one[0])
                kept = self._keep(frame, text, used, carried)
                asked = None if terms is None else tuple(terms)
                kept.recipe = Recipe(tuple(pools), asked, carried, tuple(others.items()))
                return kept
            if self.wishes.repetition:
                break
        return None

    def _candidates(
        self,
        pools: Sequence[str],
        want: int,
        terms: Sequence[str] | None,
        others: set[str],
        reuse: bool,
    ) -> list[str]:
        """Return frames that fit, the nearest in length first."""
        topic_words = len(words(self.material.topic))
        ranked: list[tuple[int, int, str]] = []
        for place, name in enumerate(pools):
            for rank, frame in self._ranked(name):
                has = shape(frame)
                wanted = len(terms) if terms is not None else min(1, len(self.vocabulary))
                fits = has.terms == wanted if terms is not None else has.terms <= wanted
                if not fits or set(has.others) != others or (frame in self._used) != reuse:
                    continue
                size = has.words + has.topics * topic_words + has.terms
                ranked.append((abs(size - want) * 2 + place * 7 + rank % 9, rank, frame))
        return [frame for _, _, frame in sorted(ranked)[:_TRIED]]

    def _ranked(self, name: str) -> list[tuple[int, str]]:
        """Return the frames of a pool with their rank in an order of this response's own."""
        if name not in self._ranks:
            notes = name == _NOTES
            frames = list(self.material.notes) if notes else pool(name, self.wishes.language)
            self._ranks[name] = list(enumerate(self._draws.shuffled(frames)))
        return self._ranks[name]

    def _filled(
        self, frame: str, terms: Sequence[str] | None, others: dict[str, str]
    ) -> tuple[str, tuple[str, ...]] | None:
        count = shape(frame).terms
        if terms is None:
            if count > len(self.vocabulary):
                return None
            self._turn += count
            start = self._turn % max(1, len(self.vocabulary))
            terms = [*self.vocabulary[start:], *self.vocabulary[:start]][:count]
        used = tuple(terms)
        return fill(frame, self.material.topic, used, **others), used

    def _keep(
        self, frame: str, text: str, terms: tuple[str, ...], features: frozenset[str]
    ) -> Sentence:
        self._used.add(frame)
        self.live.append(text)
        return Sentence(text, terms=terms, features=features)

    def adopt(self, sentence: Sentence) -> Sentence:
        """Take a sentence written elsewhere into account, and return it."""
        self.live.append(sentence.base)
        return sentence

    def forget(self, sentence: Sentence) -> None:
        """Take note that a sentence no longer stands in the response."""
        if sentence.base in self.live:
            self.live.remove(sentence.base)

    def accepts(self, text: str, features: frozenset[str]) -> bool:
        """Tell whether a sentence can be added to what stands in the response now."""
        wishes = self.wishes
        size = len(words(text))
        if (wishes.sentence_limit and size > wishes.sentence_limit) or not self.unit.holds(size):
            return False
        if self.longest and len(text) > self.longest:
            return False
        if not all(ban.allows(text, features) for ban in self._bans):
            return False
        if not self._letters_allow(text) or not self._is_easy(text):
            return False
        return self._varies(text) and not self._repeats(text)

    def _letters_allow(self, text: str) -> bool:
        for letter, span in self.wishes.letters.items():
            if span.high is not None:
                there = sum(live.lower().count(letter) for live in self.live)
                if there + text.lower().count(letter) > span.high:
                    return False
        return True

    def _is_easy(self, text: str) -> bool:
        """Tell whether a sentence does not strain the reading grade of the whole."""
        if self.wishes.grade is None or self.wishes.language != "en":
            return True
        return run(Check("reading_grade", {"maximum": self.wishes.grade + 2}), text).met

    def _varies(self, text: str) -> bool:
        if not self.wishes.variety:
            return True
        firsts = Counter(first_word(live) for live in self.live)
        return firsts[first_word(text)] < self.wishes.variety

    def _repeats(self, text: str) -> bool:
        size = self.wishes.repetition
        if not size:
            return False
        seen = {run_ for live in self.live for run_ in _runs(live, size)}
        return any(run_ in seen for run_ in _runs(text, size))

    def _staleness(self, text: str) -> float:
        """Return the share of words of a sentence that the response has already."""
        if not self.wishes.ratio:
            return 0.0
        seen = {word for live in self.live for word in words(fold(live))}
        found = words(fold(text))
        return sum(1 for word in found if word in seen) / max(1, len(found))


def first_word(text: str) -> str:
    """Return the first word of a text, folded."""
    found = words(fold(text[:200]))
    return found[0] if found else ""


def _runs(text: str, size: int) -> Iterable[tuple[str, ...]]:
    found = words(fold(text))
    return zip(*(found[i:] for i in range(size)), strict=False)
