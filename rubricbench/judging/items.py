"""What goes into a judge, and what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any

import msgspec

from rubricbench.judging.faults import Failure
from rubricbench.judging.request import Question
from rubricbench.schema import Rubric, Verdict
from rubricbench.store import Completion


class Item(msgspec.Struct, frozen=True):
    """A response to be graded.

    Args:
        rubric: the rubric of its prompt.
        response: its text; an empty one is graded like any other.
        tag: anything of yours, given back with the result.
        previous: rubrics of the same prompt that this one replaces, the oldest first; they count
            only where the judge is to ask about what changed (`JudgeConfig.rejudge`).
    """

    rubric: Rubric
    response: str
    tag: Any = None
    previous: tuple[Rubric, ...] = ()


class Source(StrEnum):
    """Where the judge's answers for an item came from."""

    CALL = "call"
    STORE = "store"
    SHARED = "shared"  # an equal item's call, under way at the time
    CHECKS = "checks"  # no judge was needed
    NOWHERE = "nowhere"  # a call failed


# Of an item with several answers: the first of these that any of them has.
_PRECEDENCE = (Source.NOWHERE, Source.CALL, Source.SHARED, Source.STORE)


class Answer(msgspec.Struct, frozen=True):
    """What came of one call about an item, not yet read.

    Args:
        question: what was asked.
        key: key of the call.
        source: where the completion came from.
        completion: the judge's words; None if the call failed or was not made.
        failure: why it failed, if it did.
    """

    question: Question
    key: str
    source: Source
    completion: Completion | None = None
    failure: Failure | None = None


class Outcome(msgspec.Struct, frozen=True):
    """An item with all answers about it, in the order asked; repairs come last.

    Args:
        item: the item.
        answers: none where no judge was needed.
        carried: verdicts taken over from earlier rubrics.
        found: the verdicts that answers and carried make, where they have been read already.
    """

    item: Item
    answers: tuple[Answer, ...] = ()
    carried: tuple[Verdict, ...] = ()
    found: Mapping[str, Verdict] | None = None

    @property
    def source(self) -> Source:
        """Where the answers came from: the dearest of their sources."""
        sources = {answer.source for answer in self.answers}
        if not sources:
            return Source.STORE if self.carried else Source.CHECKS
        return next(source for source in _PRECEDENCE if source in sources)

    @property
    def failure(self) -> Failure | None:
        """Why a call failed, if one did."""
        return next((answer.failure for answer in self.answers if answer.failure), None)


Items = Iterable[Item] | AsyncIterable[Item]


async def chunks(items: Items, size: int) -> AsyncGenerator[list[Item], None]:
    """Yield items in lists: of ``size`` from an iterable, as they come from an async one."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield [item]
        return
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
