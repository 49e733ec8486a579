"""Answers that answer nothing. A row that one of them satisfies is drawn anew."""

from __future__ import annotations

from collections.abc import Iterator

from rubricbench.checks import check_response
from rubricbench.schema import Rubric
from rubricbench.scoring import score

REFUSAL = "I am sorry, but I cannot help with that."


def trivial_answers(rubric: Rubric) -> Iterator[tuple[str, str]]:
    """Yield name and text: silence, a refusal, echoes, earlier answers, the criteria themselves."""
    messages = rubric.prompt.messages
    yield "empty", ""
    yield "refusal", REFUSAL
    yield "echo", rubric.prompt.text
    yield "echo of the last turn", messages[-1].content
    for message in messages:
        if message.role == "assistant":
            yield "earlier answer", message.content
    yield "criteria", "\n".join(criterion.criterion for criterion in rubric.criteria)


def is_trivial(rubric: Rubric) -> bool:
    """Tell whether one of the trivial answers scores 1.0."""
    return any(
        score(rubric, check_response(rubric, text)).value == 1.0
        for _, text in trivial_answers(rubric)
    )
