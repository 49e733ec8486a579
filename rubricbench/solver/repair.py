"""Repair: swapping plain sentences where the text as a whole misses something.

For what does not add up sentence by sentence (variety of words, reading grade, rare letters, runs
of words that come back), plain sentences are swapped one at a time; a swap stays if the text is not
further from its rubric than before, by the number of criteria missed and then by the quantity in
question.
"""

from __future__ import annotations

from rubricbench.checks import run
from rubricbench.checks.text import fold, words
from rubricbench.schema import Check, Criterion, Rubric
from rubricbench.solver.document import Document, Slot
from rubricbench.solver.sentence import Sentence
from rubricbench.solver.verifying import missed_by
from rubricbench.solver.writer import Writer

_SWAPS = 30
_REPAIRABLE = frozenset(
    {
        "distinct_words_ratio",
        "reading_grade",
        "letter_frequency",
        "no_repetition",
        "first_word_variety",
        "max_line_length",
        "line_count",
    }
)


def repair(rubric: Rubric, document: Document, writer: Writer) -> str:
    """Return the best text that swaps of plain sentences lead to."""
    text = document.render()
    missed = missed_by(rubric, text)
    for _ in range(_SWAPS):
        if not missed or not any(_is_repairable(criterion) for criterion in missed):
            return text
        better = _swap(rubric, document, writer, missed)
        if better is None:
            return text
        text, missed = better
    return text


def _is_repairable(criterion: Criterion) -> bool:
    return criterion.check is not None and criterion.check.name in _REPAIRABLE


def _swap(
    rubric: Rubric, document: Document, writer: Writer, missed: list[Criterion]
) -> tuple[str, list[Criterion]] | None:
    """Try swaps until one brings the text nearer; return the text and what it still misses."""
    before = _distance(missed, document.render())
    plain = [(slot, s) for slot in document.slots for s in slot.sentences if s.recipe]
    for slot, old in sorted(plain, key=lambda pair: (pair[1].fixed, _worth(pair[1], missed))):
        writer.forget(old)
        new = writer.rewrite(old, old.size)
        if new is None:
            writer.adopt(old)
            continue
        _exchange(slot, old, new)
        text = document.render()
        after_missed = missed_by(rubric, text)
        if _distance(after_missed, text) < before:
            return text, after_missed
        _exchange(slot, new, old)
        writer.forget(new)
        writer.adopt(old)
    return None


def _exchange(slot: Slot, old: Sentence, new: Sentence) -> None:
    slot.sentences[slot.sentences.index(old)] = new


def _distance(missed: list[Criterion], text: str) -> tuple[int, float]:
    gaps = [_gap(c.check, text) for c in missed if c.check]
    return len(missed), sum(gaps)


def _gap(check: Check, text: str) -> float:
    """Return how far a text is from a check, in its own unit; 0 where that cannot be told."""
    if check.name == "letter_frequency":
        count = text.lower().count(check.params["letter"].lower())
        low, high = check.params.get("minimum") or 0, check.params.get("maximum")
        return max(low - count, count - (count if high is None else high))
    if check.name == "distinct_words_ratio":
        found = words(fold(text))
        return 1 - len(set(found)) / max(1, len(found))
    if check.name == "reading_grade":
        return float(run(check, text).evidence.split()[-1]) if run(check, text).evidence else 0.0
    return 0.0


def _worth(sentence: Sentence, missed: list[Criterion]) -> float:
    """Return how much a sentence helps: the least helpful are swapped first."""
    names = {c.check.name: c.check for c in missed if c.check}
    if "letter_frequency" in names:
        return sentence.text.lower().count(names["letter_frequency"].params["letter"].lower())
    if "reading_grade" in names:
        long_words = sum(1 for word in words(sentence.text) if len(word) > 7)
        return -long_words / max(1, sentence.size)
    return 0.0
