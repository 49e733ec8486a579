"""Grading a batch: everything concurrent, each distinct response once, done by the deadline.

A fault of the service is no fault of the response, unless it is: a text that crashes the judge's
server or makes it think for ever fails again and again, while others are answered. Left out of the
loss each time, such texts would be a hiding place for a policy. So where rows were lost to faults
of single calls (a timeout, a 5xx, a broken connection, a rejection), a control is graded after the
rest of the batch: a harmless response to the same rubric. If it is answered, the service is up, and
those rows are asked about once more, each by itself (or more often, where a call makes few
attempts). What is answered then counts; what fails each time broke the judge itself. Where the
control fails, the service is down, and the rows are lost.

Rows that were held up by a limit on the rate are asked about again too, as long as there is time.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing

import msgspec

from rubricbench.errors import EndpointError
from rubricbench.judging.items import Item, Source
from rubricbench.judging.judge import Judge, Judged
from rubricbench.reward.ruling import Ruling, Standing, leading_cause, lost, rule
from rubricbench.schema import Cause, Rubric

# Faults that one text can bring about. A limit on the rate, a budget or a stop is never its doing.
SUSPECT = frozenset({Cause.TIMEOUT, Cause.CONNECTION, Cause.SERVER_ERROR, Cause.REJECTED})
ASKED_AGAIN_AT_ONCE = 16
RATE_LIMITED_ROUNDS = 2
# Of a service that fails one attempt in five, by chance, a response fails so many times in a row
# with a probability of .2^6 = 6 in 100,000.
LEAST_ATTEMPTS = 6


class Row(msgspec.Struct, frozen=True):
    """A response to be rewarded, and the rubric of its prompt."""

    rubric: Rubric
    response: str


class Batch(msgspec.Struct, frozen=True):
    """A graded batch.

    Args:
        rulings: one for each row, in order.
        repeated: rows that share the ruling of an equal row before them.
        asked_again: distinct responses that were asked about a second time.
        own_doing: rows whose fault of the service was laid to the response.
        error: why the endpoint could not be used, if it could not.
        seconds: how long it took.
    """

    rulings: list[Ruling]
    repeated: int = 0
    asked_again: int = 0
    own_doing: int = 0
    error: EndpointError | None = None
    seconds: float = 0.0

    @property
    def lost(self) -> int:
        """How many rows have no reward."""
        return sum(ruling.standing is Standing.LOST for ruling in self.rulings)


def further_askings(retries: int) -> int:
    """Return how often a call that failed is made again, so that it makes `LEAST_ATTEMPTS`."""
    return max(1, math.ceil(LEAST_ATTEMPTS / (retries + 1)) - 1)


async def grade_batch(
    judge: Judge, rows: Sequence[Row], *, deadline: float, ask_again: bool = True
) -> Batch:
    """Grade rows, together.

    Args:
        judge: the judge, whose own time limits and retries hold for each call.
        rows: the rows; equal ones are graded once.
        deadline: seconds after which rows without an answer are lost (``timeout``).
        ask_again: whether rows lost to faults of single calls are asked about once more.

    Raises:
        InputError: a rubric needs a judge, and none is configured.
        StoreError: the store cannot be read or written.
    """
    start = time.monotonic()
    distinct = {_place(row): row for row in rows}
    grading = _Grading(judge, list(distinct.values()))
    try:
        async with asyncio.timeout(deadline):
            await grading.ask()
            if ask_again:
                await grading.ask_again()
    except TimeoutError:
        pass  # what has not come back is lost
    number = {place: i for i, place in enumerate(distinct)}
    rulings = [grading.ruling(number[_place(row)]) for row in rows]
    return Batch(
        rulings=rulings,
        repeated=len(rows) - len(distinct),
        asked_again=grading.asked_again,
        own_doing=sum(number[_place(row)] in grading.own_doing for row in rows),
        error=grading.error,
        seconds=time.monotonic() - start,
    )


def _place(row: Row) -> tuple[int, str]:
    return id(row.rubric), row.response


class _Grading:
    """The distinct rows of a batch, and what has come back of them."""

    def __init__(self, judge: Judge, rows: list[Row]) -> None:
        self._judge = judge
        self._rows = rows
        self._found: dict[int, Judged] = {}
        self.asked_again = 0
        self.own_doing: set[int] = set()
        self.error: EndpointError | None = None

    async def ask(self) -> None:
        """Grade all rows."""
        await self._grade(map(self._item, range(len(self._rows))), self._found)

    async def ask_again(self) -> None:
        """Grade once more what may come back."""
        await asyncio.gather(self._ask_rate_limited(), self._ask_suspects())

    async def _ask_rate_limited(self) -> None:
        for _ in range(RATE_LIMITED_ROUNDS):
            held = [i for i in self._found if self._cause(i) is Cause.RATE_LIMITED]
            if held:
                await self._grade(map(self._item, held), self._found)

    async def _ask_suspects(self) -> None:
        """Grade once more what was lost to faults of single calls, if a control is answered."""
        # A stream ends early where too many calls in a row failed. Was it the service?
        cut = [i for i in range(len(self._rows)) if i not in self._found] if self.error else []
        wanted = [i for i in self._found if self._failed(i)] + cut
        failed_before = frozenset(self._found)
        self.error = None if wanted else self.error
        by_rubric: dict[int, list[int]] = {}
        for i in wanted:
            by_rubric.setdefault(id(self._rows[i].rubric), []).append(i)
        places = asyncio.Semaphore(ASKED_AGAIN_AT_ONCE)
        await asyncio.gather(
            *(self._ask_group(group, failed_before, places) for group in by_rubric.values())
        )

    async def _ask_group(
        self, group: list[int], failed_before: frozenset[int], places: asyncio.Semaphore
    ) -> None:
        """Grade suspects of one rubric once more, if a control is answered under it."""
        async with places:
            if not await self._is_up(group[0]):
                return
        self.asked_again += len(group)

        async def again(i: int) -> None:
            async with places:
                fails = await self._fails_again(i)
            if fails and i in failed_before:
                self.own_doing.add(i)

        await asyncio.gather(*map(again, group))

    async def _fails_again(self, i: int) -> bool:
        """Grade a suspect by itself; return whether it fails each time."""
        config = self._judge.config
        for _ in range(further_askings(config.retries if config else 0)):
            if not await self._grade([self._item(i)], self._found) or not self._failed(i):
                return False
        return True

    def ruling(self, i: int) -> Ruling:
        """Return the ruling on a row."""
        if i in self._found:
            return rule(self._found[i], own_doing=i in self.own_doing)
        if self.error:
            return lost(Cause.NOT_JUDGED, str(self.error))
        return lost(Cause.TIMEOUT, "no answer by the batch's deadline")

    def _item(self, i: int) -> Item:
        return Item(self._rows[i].rubric, self._rows[i].response, i)

    def _cause(self, i: int) -> Cause | None:
        return leading_cause(self._found[i])

    def _failed(self, i: int) -> bool:
        return self._cause(i) in SUSPECT

    async def _is_up(self, i: int) -> bool:
        """Whether the judge answers a harmless response to a row's rubric."""
        found: dict[int, Judged] = {}
        await self._grade([Item(self._rows[i].rubric, _control(), i)], found)
        if i not in found or found[i].source is not Source.CALL:
            return False
        cause = leading_cause(found[i])
        return cause is None or not cause.is_infrastructure

    async def _grade(self, items: Iterable[Item], found: dict[int, Judged]) -> bool:
        """Grade items and keep what comes back by their tags; return whether all did."""
        try:
            async with aclosing(self._judge.outcomes(items)) as outcomes:
                async for outcome in outcomes:
                    found[outcome.item.tag] = self._judge.judged(outcome)
        except EndpointError as error:
            self.error = error
            return False
        return True


def _control() -> str:
    """Return a harmless response that is in no store: an answer to it shows that the judge works.

    Its number comes from the clock, not from a keyed draw: asked a second time it must be new.
    """
    number = hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:12]
    return f"Thank you for your question. (Reference {number})"
