"""Several judges, or one asked several times, grade the same responses over one store.

Five gradings by one judge at temperature 1, and what the majority says::

    config = JudgeConfig(base_url=..., model="qwen3-8b", temperature=1.0)
    panel = Panel.replicated(config, store, 5, vote="majority")
    for ruling in panel.grade_all(items):
        ruling.score.value            # of the majority's verdicts
        ruling.spread                 # standard deviation of the five scores
        ruling.votes[0].met           # how many of the five find the first criterion met
        ruling.members[0].score.value # what the first of them alone says
    print(panel.report().text())      # by judge: met and unknown rate, agreement, kappa

Different judges are a panel likewise: ``Panel([Judge(a, store), Judge(b, store)])``. How votes
become a verdict is said in `rubricbench.judging.vote`. All answers are stored under the keys they
have without a panel, so a judge that is added to it is all that is paid for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Self

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.agreement import Agreement, PanelReport
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.items import Item, Items
from rubricbench.judging.judge import Judge, Judged
from rubricbench.judging.loops import run
from rubricbench.judging.vote import Vote, check_rule, spread, vote
from rubricbench.schema import Status, Verdict
from rubricbench.scoring import WEIGHTED_MEAN, Score, Strategy, score
from rubricbench.store import Store

_ASKED_BY = ("format", "criteria_per_call", "response_format", "repair", "rejudge")
CHUNK = 1_024  # items that all judges see before any of them goes on


class Ruling(msgspec.Struct, frozen=True):
    """What a panel says of a response.

    Args:
        item: the item, with its tag.
        members: what each judge says, in their order.
        votes: one for each criterion, in the rubric's order; a program's verdict is unanimous.
        score: the score of the votes' verdicts.
        spread: standard deviation of the judges' scores, that of a sample (n - 1), over those that
            have one; None of fewer than two.
    """

    item: Item
    members: tuple[Judged, ...]
    votes: tuple[Vote, ...]
    score: Score
    spread: float | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One per criterion, in the rubric's order."""
        return tuple(vote.verdict for vote in self.votes)


class Panel:
    """Judges that grade the same responses.

    Args:
        judges: two or more, each configured; they share a store.
        vote: how their verdicts become one (`rubricbench.judging.vote.RULES`).
        strategy: how the votes' verdicts become a score.

    Raises:
        InputError: there are fewer than two judges, one is not configured, two of them would give
            the same answers, or there is no such vote.
    """

    def __init__(
        self, judges: Sequence[Judge], *, vote: str = "share", strategy: Strategy = WEIGHTED_MEAN
    ) -> None:
        check_rule(vote)
        configs = [judge.config for judge in judges if judge.config is not None]
        if len(configs) != len(judges):
            raise InputError("a judge of the panel is not configured")
        check_members(configs)
        self.judges = tuple(judges)
        self.vote = vote
        self._strategy = strategy
        self._agreement = Agreement([(c.name, c.replicate) for c in configs], vote)
        self._open = False
        self._stops = 0

    @classmethod
    def replicated(
        cls,
        config: JudgeConfig,
        store: Store,
        count: int,
        *,
        vote: str = "share",
        strategy: Strategy = WEIGHTED_MEAN,
        secret: bytes | None = None,
    ) -> Self:
        """Return a panel of one judge asked several times, from its replicate number on.

        Raises:
            InputError: as `replicates`.
        """
        configs = replicates(config, count)
        judges = [Judge(c, store, secret=secret, strategy=strategy) for c in configs]
        return cls(judges, vote=vote, strategy=strategy)

    def grade_all(self, items: Iterable[Item]) -> list[Ruling]:
        """Grade responses concurrently; return the results in the order given.

        Raises:
            RubricbenchError: as `Judge.grade`.
        """
        given = list(items)

        async def collect() -> list[Ruling]:
            return [ruling async for ruling in self.stream(given)]

        return run(collect)

    async def stream(self, items: Items) -> AsyncIterator[Ruling]:
        """Grade responses; yield the results in the order given, some hundreds at a time.

        Close the stream if you leave it early (``contextlib.aclosing``); that ends its calls.

        Raises:
            RubricbenchError: as `Judge.grade`; what was received by then is stored.
        """
        stops = self._stops
        async with AsyncExitStack() as stack:
            if not self._open:
                await stack.enter_async_context(self)
            if self._stops != stops:  # while models were loaded
                return
            async with aclosing(_batches(items, CHUNK)) as batches:
                async for batch in batches:
                    for ruling in await self._grade(batch):
                        yield ruling
                    if self._stops != stops:
                        return

    async def _grade(self, batch: Sequence[Item]) -> list[Ruling]:
        numbered = [msgspec.structs.replace(item, tag=i) for i, item in enumerate(batch)]
        stops = self._stops
        tasks = [asyncio.create_task(self._all_of(judge, numbered, stops)) for judge in self.judges]
        try:
            by_judge = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [
            self.ruling(item, [judged[i] for judged in by_judge])
            for i, item in enumerate(batch)
            if all(i in judged for judged in by_judge)  # not so after a stop
        ]

    async def _all_of(
        self, judge: Judge, numbered: Sequence[Item], stops: int
    ) -> dict[int, Judged]:
        if self._stops != stops:  # before it could begin
            return {}
        return {judged.item.tag: judged async for judged in judge.stream(numbered)}

    def ruling(self, item: Item, members: Sequence[Judged]) -> Ruling:
        """Return what the judges' verdicts on an item come to, and count it for the report.

        Args:
            item: the item.
            members: what each judge says of it, in their order.
        """
        votes = []
        for i, criterion in enumerate(item.rubric.criteria):
            verdicts = [judged.verdicts[i] for judged in members]
            votes.append(_unanimous(verdicts) if criterion.check else vote(verdicts, self.vote))
            if not criterion.check:
                self._agreement.add(votes[-1], verdicts)
        values = [judged.score.value for judged in members if judged.score.value is not None]
        return Ruling(
            item=item,
            members=tuple(msgspec.structs.replace(judged, item=item) for judged in members),
            votes=tuple(votes),
            score=score(item.rubric, [v.verdict for v in votes], strategy=self._strategy),
            spread=spread(values),
        )

    def report(self) -> PanelReport:
        """Return how the judges agreed, over all rulings so far."""
        return self._agreement.report()

    def stop(self) -> int:
        """Begin no further call; streams end when those under way have. Return how many those are.

        Call it on the event loop.
        """
        self._stops += 1
        return sum(judge.stop() for judge in self.judges)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for judge in self.judges:
                await stack.enter_async_context(judge)
            self._entered = stack.pop_all()
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False
        await self._entered.__aexit__(kind, error, trace)


def replicates(config: JudgeConfig, count: int) -> list[JudgeConfig]:
    """Return a judge so many times, each as a replicate of its own.

    Raises:
        InputError: the count is below two, or the judge always says the same.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 2:
        raise InputError(f"replicates must be a whole number from 2 on, got {count!r:.40}")
    if config.temperature == 0:
        raise InputError(
            "replicates at temperature 0 all say the same", hint="give a temperature above 0"
        )
    first = config.replicate
    return [msgspec.structs.replace(config, replicate=first + i) for i in range(count)]


def check_members(configs: Sequence[JudgeConfig]) -> None:
    """Refuse what is no panel.

    Raises:
        InputError: there are fewer than two judges, or two that would be answered from the same
            place of the store.
    """
    if len(configs) < 2:
        raise InputError("a panel has two judges or more", hint="one alone needs no panel")
    for i, config in enumerate(configs):
        if any(_same_answers(config, other) for other in configs[:i]):
            raise InputError(
                f"the judge {config.name} replicate {config.replicate} is in the panel twice",
                hint="give one of them another replicate number",
            )


def _same_answers(one: JudgeConfig, other: JudgeConfig) -> bool:
    same = all(getattr(one, name) == getattr(other, name) for name in _ASKED_BY)
    return same and one.identity() == other.identity() and one.arrangement == other.arrangement


def _unanimous(verdicts: Sequence[Verdict]) -> Vote:
    """Return the vote on a criterion that a program decides, the same for all."""
    status, count = verdicts[0].status, len(verdicts)
    met, unmet, unknown = (count if status is own else 0 for own in Status)
    return Vote(verdicts[0], met, unmet, unknown, spread=None)


async def _batches(items: Items, size: int) -> AsyncGenerator[list[Item], None]:
    batch: list[Item] = []
    async for item in _each(items):
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _each(items: Items) -> AsyncIterator[Item]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
