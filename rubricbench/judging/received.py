"""A model's answer as it is stored: labels canonical, log-probabilities cut down to verdicts."""

from __future__ import annotations

import time

from rubricbench.judging.formats import get_format
from rubricbench.judging.labels import Labels
from rubricbench.judging.request import Request
from rubricbench.judging.soft import kept
from rubricbench.judging.wire import ChatAnswer
from rubricbench.store import Completion


def to_store(
    answer: ChatAnswer, request: Request, labels: Labels, *, format: str, url: str
) -> Completion:
    """Return what is stored of an answer.

    Args:
        answer: as received, just now.
        request: what was asked.
        labels: the labels of its criteria.
        format: name of the answer format asked for.
        url: who answered, unless the answer says so itself.
    """
    return Completion(
        key=request.key,
        text=labels.canonicalise(answer.text),
        reasoning=labels.canonicalise(answer.reasoning),
        finish_reason=answer.finish_reason,
        usage=answer.usage,
        model=answer.model,
        url=answer.url or url,
        request=request.identity,
        created=time.time(),
        logprobs=kept(answer, labels.shown, get_format(format)) if answer.logprobs else b"",
    )
