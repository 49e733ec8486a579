"""The calls of one pass: to be made, under way, or left to another process; each key once.

All of it is bookkeeping without an await, so that between a look-up in the store and the decision
to call nothing can come in between. Claims (`rubricbench.store.claims`) tell processes on one store
apart: what another one is about to pay for is waited for instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from rubricbench.judging.faults import STOPPED as NOT_ASKED
from rubricbench.judging.faults import Failure
from rubricbench.judging.grading import Ask, Grading
from rubricbench.judging.items import Answer, Source
from rubricbench.judging.usage import Tally
from rubricbench.schema import Cause
from rubricbench.store import Completion
from rubricbench.store.claims import Claims

STOPPED = Failure(Cause.CANCELLED, NOT_ASKED)


class Calls:
    """The calls of one pass.

    Args:
        claims: of this pass.
        tally: where answers that cost nothing are counted.
    """

    def __init__(self, claims: Claims, tally: Tally) -> None:
        self._claims = claims
        self._tally = tally
        self._todo: asyncio.Queue[Ask] = asyncio.Queue()
        # By key: the gradings that wait for a call, each with the number it has among their own.
        self._pending: dict[str, list[tuple[Grading, int]]] = {}
        # Those of them that another process has claimed.
        self._elsewhere: dict[str, Ask] = {}

    @property
    def under_way(self) -> int:
        """How many calls of ours have begun and not ended."""
        return len(self._pending) - self._todo.qsize() - len(self._elsewhere)

    @property
    def elsewhere(self) -> list[str]:
        """Keys of the calls that are left to other processes."""
        return list(self._elsewhere)

    def add(self, work: Iterable[tuple[Grading, range]], found: Mapping[str, Completion]) -> None:
        """Give gradings what the store has for some of their calls, and queue the rest.

        Args:
            work: gradings, each with the numbers of those calls.
            found: what the store has, by key.
        """
        work = list(work)
        wanted = {
            grading.asks[number].request.key for grading, numbers in work for number in numbers
        }
        ours = self._claims.take(wanted - found.keys() - self._pending.keys())
        for grading, numbers in work:
            for number in numbers:
                self._add_one(grading, number, found, ours)

    def _add_one(
        self, grading: Grading, number: int, found: Mapping[str, Completion], ours: set[str]
    ) -> None:
        ask = grading.asks[number]
        key = ask.request.key
        if key in found:
            self._tally.stored += 1
            grading.answers[number] = ask.stored(found[key])
            return
        grading.waiting += 1
        if key in self._pending:
            self._tally.shared += 1
            self._pending[key].append((grading, number))
            return
        self._pending[key] = [(grading, number)]
        if key in ours:
            self._todo.put_nowait(ask)
        else:
            self._elsewhere[key] = ask

    async def next(self) -> Ask:
        """Wait for a call to make."""
        return await self._todo.get()

    def end(self, ask: Ask, result: Completion | Failure) -> Iterator[Grading]:
        """Give the result of our call to all that wait for it; yield those that now have all."""
        if isinstance(result, Completion):
            self._claims.settle(ask.request.key)
            yield from self._give(ask.request.key, result, Source.CALL)
        else:
            self._claims.give_up([ask.request.key])
            yield from self._give(ask.request.key, result, Source.NOWHERE)

    def forget(self, ask: Ask) -> None:
        """Drop a call that broke off in a way that ends the pass."""
        del self._pending[ask.request.key]

    def take_over(self, found: Mapping[str, Completion]) -> Iterator[Grading]:
        """Take what other processes have answered, and the calls that they gave up.

        Yield the gradings that now have all their answers.
        """
        for key, completion in found.items():
            del self._elsewhere[key]
            self._tally.stored += 1
            yield from self._give(key, completion, Source.STORE)
        for key in self._claims.take(list(self._elsewhere)):
            self._todo.put_nowait(self._elsewhere.pop(key))

    def stop(self) -> Iterator[Grading]:
        """Drop what has not begun; yield the gradings that wait for nothing else."""
        dropped = [*self._elsewhere]
        self._elsewhere.clear()
        while not self._todo.empty():
            dropped.append(self._todo.get_nowait().request.key)
        self._claims.give_up(dropped)  # another process need not wait for calls under way here
        for key in dropped:
            yield from self._give(key, STOPPED, Source.NOWHERE)

    def _give(self, key: str, result: Completion | Failure, source: Source) -> Iterator[Grading]:
        for grading, number in self._pending.pop(key):
            question = grading.asks[number].question  # its own: ids may differ where texts agree
            grading.answers[number] = (
                Answer(question, key, source, failure=result)
                if isinstance(result, Failure)
                else Answer(question, key, source, completion=result)
            )
            source = Source.SHARED if source is Source.CALL else source
            grading.waiting -= 1
            if not grading.waiting:
                yield grading
