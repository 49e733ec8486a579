"""How long answers are expected to be: a form's shortest answer, and a line of evidence."""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.judging.formats import Quote, Slot, get_format
from rubricbench.judging.price.tokens import TokenCounter, byte_length

EVIDENCE = "Rinse the burn under cool running water for ten minutes, then cover it"
"""Stands for the words a judge quotes for a criterion: thirteen, of fifteen at most."""

FRAME_BYTES_PER_TOKEN = 2.0
"""What a token of an answer's labels, marks and verdicts has, where it can only be estimated."""


def expected_answer(format: str, labels: Sequence[str], evidence: str = EVIDENCE) -> str:
    """Return the answer that a judge is expected to write: nothing but what the form asks for.

    Args:
        format: name of the answer format.
        labels: of the criteria, as the judge sees them.
        evidence: stands for each quotation.
    """
    return "".join(
        evidence if isinstance(part, Quote) else part.unmet if isinstance(part, Slot) else part
        for part in get_format(format).skeleton(labels)
    )


def expected_tokens(format: str, labels: Sequence[str], counter: TokenCounter) -> int:
    """Return the tokens of that answer and of the mark that ends it."""
    if counter.exact:
        return counter.count([expected_answer(format, labels)])[0] + 1
    quotes = sum(isinstance(part, Quote) for part in get_format(format).skeleton(labels))
    frame = byte_length(expected_answer(format, labels, ""))
    quoted = quotes * counter.count([EVIDENCE])[0]
    return round(frame / FRAME_BYTES_PER_TOKEN) + quoted + 1
