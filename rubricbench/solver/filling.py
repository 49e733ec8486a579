"""Reaching the counts: plain sentences are added, dropped and swapped until all bounds hold.

Only sentences that carry nothing are touched. Each step looks at the whole text as the checks will
see it, takes the first bound that does not hold, and makes the smallest change towards it.
"""

from __future__ import annotations

from itertools import pairwise

from rubricbench.checks.style import prose_paragraphs
from rubricbench.checks.text import sentences, split_words, words
from rubricbench.solver.document import Document, Slot
from rubricbench.solver.plan import aimed_words
from rubricbench.solver.sentence import EXACT, Sentence
from rubricbench.solver.span import Span
from rubricbench.solver.writer import Writer

_STEPS = 80
_SHORTEST, _LONGEST = 2, 22
_AND = {"en": "and", "es": "y", "fr": "et", "de": "und", "it": "e", "pt": "e"}
_USUAL = 80  # words of prose, where nothing is asked for


class Filler:
    """Fills a document.

    Args:
        document: with its carriers in place.
        writer: writes the plain sentences.
    """

    def __init__(self, document: Document, writer: Writer) -> None:
        self.document = document
        self.writer = writer
        self.wishes = writer.wishes
        self.words = self._word_span()
        self.sentences = self.wishes.span("sentences")
        self.characters = self.wishes.span("characters")

    def _word_span(self) -> Span:
        """Return the bounds on words; characters give rough ones too."""
        span = self.wishes.span("words")
        if span.bounded or not self.document.slots:
            return span
        there = sum(slot.size() for slot in self.document.slots)
        is_prose = any(not slot.lead and slot.most > 1 for slot in self.document.slots)
        aim = aimed_words(self.wishes, _USUAL if is_prose else there)
        return Span(low=aim * 2 // 3)

    def start(self) -> None:
        """Put a sentence into every slot that is still empty."""
        for slot in self.document.slots:
            while len(slot.sentences) < slot.least:
                if not self._add(slot, self._share(slot)):
                    break

    def add(self) -> bool:
        """Add one plain sentence where there is room; return whether one was added."""
        return self._add(self._shortest(), 8)

    def fill(self) -> None:
        """Change the document until its counts are right, or no change leads further."""
        for _ in range(_STEPS):
            if not self._step():
                return

    def _share(self, slot: Slot) -> int:
        """Return the words that a sentence of an empty slot should have."""
        if slot.words.bounded:
            lead = len(split_words(slot.lead))
            return max(2, min(slot.words.aim(9), _LONGEST) - lead)
        empty = sum(1 for one in self.document.slots if not one.sentences)
        if not self.words.bounded:
            return 8 if slot.lead else 11
        left = self.words.aim(90) - len(words(self.document.render()))
        usual = _LONGEST if self.sentences.bounded else 13
        return max(_SHORTEST, min(usual, left // max(1, empty)))

    def _step(self) -> bool:
        """Make one change; return whether one was made."""
        text = self.document.render()
        count, size = len(sentences(text)), len(words(text))
        if not self.sentences.holds(count):
            return self._towards_sentences(count, size)
        for slot in self.document.slots:
            if slot.words.bounded and not slot.words.holds(slot.size()):
                return self._towards_slot(slot)
        if not self._paragraphs_hold(text):
            return self._towards_paragraphs(text)
        if not self.words.holds(size):
            return self._towards_words(size, count)
        if not self.characters.holds(len(text.strip())):
            return self._towards_characters(len(text.strip()), count)
        return False

    def _paragraphs_hold(self, text: str) -> bool:
        span = self.wishes.span("paragraph words")
        return not span.bounded or all(
            span.holds(len(split_words(block))) for block in prose_paragraphs(text)
        )

    def _towards_sentences(self, count: int, size: int) -> bool:
        if count < self.sentences.low:
            missing = self.sentences.low - count
            want = (self.words.aim(size + 11) - size) // missing if self.words.bounded else 11
            return self._add(self._shortest(), max(_SHORTEST, min(want, _LONGEST)))
        return self._drop() or self._join()

    def _join(self) -> bool:
        """Join two neighbouring statements by "and", where there are too many sentences."""
        for slot in self.document.slots:
            for first, second in pairwise(slot.sentences):
                if joined := self._joined(first, second):
                    at = slot.sentences.index(first)
                    slot.sentences[at : at + 2] = [joined]
                    return True
        return False

    def _joined(self, first: Sentence, second: Sentence) -> Sentence | None:
        if EXACT in first.features | second.features or "option" in first.features:
            return None
        if not (first.base.endswith(".") and second.base.endswith(".")):
            return None
        limit = self.wishes.sentence_limit
        if (limit and first.size + second.size + 1 > limit) or (first.lit and second.lit):
            return None
        tail = second.base
        if not tail[1:2].isupper() and not tail.startswith("I "):
            tail = tail[0].lower() + tail[1:]
        self.writer.forget(first)
        self.writer.forget(second)
        joined = Sentence(
            f"{first.base[:-1]} {_AND.get(self.wishes.language, 'and')} {tail}",
            fixed=True,
            terms=first.terms + second.terms,
            features=first.features | second.features,
            marks=first.marks + second.marks,
            lit=first.lit or second.lit,
            first=first.first,
            last=second.last,
        )
        return self.writer.adopt(joined)

    def _towards_slot(self, slot: Slot) -> bool:
        size = slot.size()
        if size < slot.words.low:
            return self._grow(slot, slot.words.low - size)
        return self._shrink([slot], size - (slot.words.high or 0))

    def _towards_paragraphs(self, text: str) -> bool:
        span = self.wishes.span("paragraph words")
        low = min(self._open_slots(), key=Slot.size, default=None)
        high = max(self._open_slots(), key=Slot.size, default=None)
        if low and low.size() < span.low:
            return self._grow(low, span.low - low.size())
        if high and span.high and high.size() > span.high:
            return self._shrink([high], high.size() - span.high)
        return False

    def _towards_words(self, size: int, count: int) -> bool:
        if size < self.words.low:
            missing = self.words.low - size
            goal = self.words.aim(self.words.low) - size
            if self.sentences.high is None or count < self.sentences.high:
                left = max(1, min(self.sentences.aim(99) - count, round(goal / 11)))
                want = goal // left if self.sentences.bounded else min(goal, 13)
                want = max(_SHORTEST, min(want, _LONGEST))
                if want <= missing + 4 and self._add(self._shortest(), want):
                    return True
            if self._swap_anywhere(min(missing, 12)):
                return True
            full = self.sentences.high is not None and count >= self.sentences.high
            return not full and self._add(self._shortest(), missing)
        over = size - (self.words.high or 0)
        if count > self.sentences.low and over >= 4 and self._drop(near=over):
            return True
        return self._swap_anywhere(-over) or (count > self.sentences.low and self._drop())

    def _towards_characters(self, length: int, count: int) -> bool:
        if length < self.characters.low:
            missing = (self.characters.low - length) // 6 + 1
            full = self.sentences.high is not None and count >= self.sentences.high
            if not full and self._add(self._shortest(), max(3, missing)):
                return True
            return self._swap_anywhere(min(missing, 12))
        over = (length - (self.characters.high or 0)) // 6 + 1
        if count > self.sentences.low and self._drop(near=over):
            return True
        return self._swap_anywhere(-over)

    def _open_slots(self) -> list[Slot]:
        return [slot for slot in self.document.slots if slot.room_at() and not slot.lead]

    def _shortest(self) -> Slot | None:
        """Return the slot that has room for a sentence and the fewest words."""
        open_slots = [slot for slot in self.document.slots if slot.room_at()]
        fitting = [s for s in open_slots if s.words.high is None or s.size() + 6 < s.words.high]
        return min(fitting, key=Slot.size, default=None)

    def _add(self, slot: Slot | None, want: int) -> bool:
        if slot is None or not (places := slot.room_at()):
            return False
        sentence = self._plain(slot, want)
        if sentence is None:
            return False
        slot.sentences.insert(places[len(places) // 2], sentence)
        return True

    def _plain(self, slot: Slot, want: int) -> Sentence | None:
        limit = self.wishes.sentence_limit
        want = min(want, limit) if limit else want
        return self.writer.sentence(slot.pools, want, most_chars=self._room(slot))

    def _drop(self, near: int = 0) -> bool:
        """Drop a plain sentence: the one whose length is nearest to ``near``."""
        best: tuple[int, Slot, Sentence] | None = None
        for slot in self.document.slots:
            if len(slot.sentences) <= slot.least:
                continue
            for sentence in slot.sentences:
                gap = abs(sentence.size - near)
                if sentence.droppable and (best is None or gap < best[0]):
                    best = (gap, slot, sentence)
        if best is None:
            return False
        self._remove(best[1], best[2])
        return True

    def _remove(self, slot: Slot, sentence: Sentence) -> None:
        slot.sentences.remove(sentence)
        self.writer.forget(sentence)

    def _grow(self, slot: Slot, missing: int) -> bool:
        if slot.room_at() and not self._full() and self._add(slot, max(3, min(missing + 2, 13))):
            return True
        return self._swap(slot, missing)

    def _full(self) -> bool:
        """Tell whether there may be no further sentence."""
        high = self.sentences.high
        return high is not None and len(sentences(self.document.render())) >= high

    def _shrink(self, slots: list[Slot], over: int) -> bool:
        for slot in slots:
            plain = [s for s in slot.sentences if s.droppable]
            if plain and len(slot.sentences) > slot.least:
                self._remove(slot, min(plain, key=lambda s: abs(s.size - over)))
                return True
            if self._swap(slot, -over):
                return True
        return False

    def _swap_anywhere(self, change: int) -> bool:
        """Swap one plain sentence for one that is longer or shorter by ``change`` words."""
        slots = sorted(self.document.slots, key=Slot.size, reverse=change < 0)
        return any(self._swap(slot, change) for slot in slots if self._may_change(slot, change))

    def _may_change(self, slot: Slot, change: int) -> bool:
        size = slot.size()
        if change > 0:
            return slot.words.high is None or size < slot.words.high
        return size > slot.words.low

    def _swap(self, slot: Slot, change: int) -> bool:
        """Swap a sentence of a slot for one that is longer or shorter.

        Sentences that carry nothing go first; the others are written anew for the same purpose.
        """
        order = sorted(slot.sentences, key=lambda s: (s.fixed, -s.size if change < 0 else s.size))
        for step in (change, 3 * change):
            for old in order:
                if self._swapped(slot, old, step):
                    return True
        return False

    def _swapped(self, slot: Slot, old: Sentence, change: int) -> bool:
        want = max(_SHORTEST, min(old.size + change, self.wishes.sentence_limit or 30))
        self.writer.forget(old)
        new = self.writer.rewrite(old, want, self._room(slot, old))
        if new and (new.size - old.size) * change > 0:
            slot.sentences[slot.sentences.index(old)] = new
            return True
        if new:
            self.writer.forget(new)
        self.writer.adopt(old)
        return False

    def _room(self, slot: Slot, instead_of: Sentence | None = None) -> int:
        """Return the characters there are for a sentence, 0 for enough."""
        if not (self.document.line_limit and slot.one_line):
            return 0
        there = len(slot.text()) - (len(instead_of.text) if instead_of else 0)
        return max(1, self.document.line_limit - there - bool(there))
