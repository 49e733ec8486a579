"""All answers about an item, put together to verdicts: a pure function of both."""

from __future__ import annotations

from collections.abc import Iterable

from rubricbench.judging.items import Answer
from rubricbench.judging.parse import parse
from rubricbench.schema import Cause, Status, Verdict, unknown


def read(answer: Answer, format: str) -> list[Verdict]:
    """Return the verdicts of one answer, in the order asked.

    Args:
        answer: the answer, or what there is instead.
        format: name of the answer format.
    """
    asked = answer.question.criterion_ids
    if answer.completion is not None:
        return parse(answer.completion, asked, format)
    cause = answer.failure.cause if answer.failure else Cause.NOT_JUDGED
    return [unknown(criterion_id, cause) for criterion_id in asked]


def merged(
    answers: Iterable[Answer], carried: Iterable[Verdict], format: str
) -> dict[str, Verdict]:
    """Return the verdicts of several answers by criterion.

    What was asked again replaces an unknown verdict, also by another unknown one: that a repair
    was lost to the service says more than that the first answer could not be read, since it will be
    asked again when the run is started again.

    Args:
        answers: in the order asked.
        carried: verdicts from earlier rubrics; nothing was asked about these criteria.
        format: name of the answer format.
    """
    found = {verdict.criterion_id: verdict for verdict in carried}
    for answer in answers:
        for verdict in read(answer, format):
            before = found.get(verdict.criterion_id)
            if before is None or before.status is Status.UNKNOWN:
                found[verdict.criterion_id] = verdict
    return found
