"""Putting sentences into slots."""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.solver.document import Slot
from rubricbench.solver.sentence import Sentence


def place(sentences: Sequence[Sentence], slots: Sequence[Slot]) -> None:
    """Distribute sentences over slots, evenly and in order."""
    if not slots:
        return
    for i, sentence in enumerate(sentences):
        at = i * len(slots) // len(sentences) if len(sentences) > len(slots) else i
        if sentence.last:
            at = len(slots) - 1
        slots[at].sentences.append(sentence)
