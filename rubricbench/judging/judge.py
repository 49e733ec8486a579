"""Grade responses against rubrics with a judge model.

A judge is an endpoint, a model, and how it is asked (`JudgeConfig`); what it answers is kept in a
store, so no call is ever paid for twice::

    from rubricbench.judging import Item, Judge, JudgeConfig
    from rubricbench.store import Store

    config = JudgeConfig(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b", revision="2025-04")
    with Store.open("store.sqlite") as store:
        judge = Judge(config, store)
        judged = judge.grade(rubric, "Rinse the burn with cool water for ten minutes.")
        judged.score.value                  # 0.875, or None if a verdict is unknown
        judged.score.low, judged.score.high # what it can be
        judged.verdicts                     # met, unmet, or unknown with a cause

Many at once, from asynchronous code, in the order they are ready and in constant memory::

        async for judged in judge.stream(Item(rubric, text, tag=i) for i, text in enumerate(texts)):
            scores[judged.item.tag] = judged.score.value

All criteria of a rubric go into one call, unless the configuration says otherwise. Criteria with a
check never go to a model: a program decides them (`rubricbench.checks`). Criteria whose answer
cannot be read are asked about once more. A call that fails makes its verdicts unknown, with the
cause (`rubricbench.schema.Cause`), never unmet; what concerns every call (key, model name, address)
is raised as an `EndpointError`. The API key comes from the environment variable
``RUBRICBENCH_JUDGE_API_KEY`` or ``OPENAI_API_KEY``, or the one you name.

Who grades again and again (a reward, a refinement loop) opens the judge once, so that connections,
what is known of the endpoint, and a local model stay::

        async with Judge(config, store) as judge:
            rewards = [judged.score.value async for judged in judge.stream(items)]

To add a form of answer, see `rubricbench.judging.formats`; the texts a judge reads are the files
in ``prompts/``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, nullcontext
from types import TracebackType
from typing import Self

import msgspec

from rubricbench.checks import verify
from rubricbench.errors import InputError
from rubricbench.judging.backends.choose import make_backend
from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.book import QuestionBook
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.engine import Engine
from rubricbench.judging.grading import Grader
from rubricbench.judging.items import Item, Items, Outcome, Source, chunks
from rubricbench.judging.loops import run
from rubricbench.judging.price.budget import Account
from rubricbench.judging.price.spending import CappedBackend
from rubricbench.judging.reading import merged
from rubricbench.judging.usage import Tally, add_tokens
from rubricbench.schema import Rubric, Verdict
from rubricbench.scoring import WEIGHTED_MEAN, Score, Strategy, score
from rubricbench.store import Store

STORED_CALLS = 256  # looked up at once


def require_gradeable(strategy: Strategy) -> None:
    """Refuse a strategy that verdicts on criteria are not enough for.

    Raises:
        InputError: it is ``implicit``, which no answer format gives a grade for.
    """
    if strategy.name == "implicit":
        raise InputError(
            "the implicit strategy needs an overall grade, which this judge does not give",
            hint="take another strategy",
        )


def _nothing() -> None:
    """What a stopped stream does about a backend that others use too."""


class Judged(msgspec.Struct, frozen=True):
    """A graded response.

    Args:
        item: the item, with its tag.
        verdicts: one per criterion, in the rubric's order.
        score: the score they make.
        source: where the judge's answers came from.
        usage: token counts of those answers, also where they could not be read.
        fault: why there is no answer, in a line; empty if there is one.
    """

    item: Item
    verdicts: tuple[Verdict, ...]
    score: Score
    source: Source
    usage: dict[str, int] = {}
    fault: str = ""


class Judge:
    """Grades responses; answers come from the store where it has them, else from the endpoint.

    Args:
        config: the judge, or None to grade rubrics whose every criterion has a check.
        store: where answers are kept.
        secret: key of the labels that stand for criteria in prompts; drawn anew if not given. Runs
            with different secrets share a store.
        strategy: how verdicts become a score.
        backend: who answers; by default made from the configuration, anew for each stream or for
            as long as the judge is open.
        account: what it may spend (`rubricbench.judging.price.budget`); by default it has no caps.

    Raises:
        InputError: the strategy is ``implicit``, which no answer format gives a grade for.
    """

    def __init__(
        self,
        config: JudgeConfig | None,
        store: Store,
        *,
        secret: bytes | None = None,
        strategy: Strategy = WEIGHTED_MEAN,
        backend: Backend | None = None,
        account: Account | None = None,
    ) -> None:
        require_gradeable(strategy)
        self.config = config
        self.tally = Tally()
        self.store = store
        self.strategy = strategy
        self._book = QuestionBook(config, secret or secrets.token_bytes(16))
        self._grader = Grader(config, self._book, store)
        self._given = CappedBackend(backend, account) if backend and account else backend
        self._account = account
        self.opened: Backend | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # of the opened backend
        self._engines: list[Engine] = []

    def grade(self, rubric: Rubric, response: str) -> Judged:
        """Grade one response.

        Raises:
            InputError: the judge is needed and not configured, its key is missing, or it is open on
                another event loop.
            EndpointError: the endpoint cannot be used.
            StoreError: the store cannot be read or written.
        """
        return self.grade_all([Item(rubric, response)])[0]

    def grade_all(self, items: Iterable[Item]) -> list[Judged]:
        """Grade responses concurrently; return the results in the order given.

        Raises:
            RubricbenchError: as `grade`.
        """
        given = list(items)
        numbered = [msgspec.structs.replace(item, tag=i) for i, item in enumerate(given)]

        async def collect() -> dict[int, Judged]:
            return {judged.item.tag: judged async for judged in self.stream(numbered)}

        found = run(collect)
        return [msgspec.structs.replace(found[i], item=item) for i, item in enumerate(given)]

    async def stream(self, items: Items) -> AsyncIterator[Judged]:
        """Grade responses; yield the results as they are ready.

        An iterable is read in chunks, on the event loop: one that waits belongs into an
        asynchronous one. Close the stream if you leave it early (``contextlib.aclosing``); that
        ends its calls.

        Raises:
            RubricbenchError: as `grade`; what was received by then is stored.
        """
        async with aclosing(self.outcomes(items)) as outcomes:
            async for outcome in outcomes:
                yield self.judged(outcome)

    async def outcomes(self, items: Items) -> AsyncGenerator[Outcome, None]:
        """As `stream`, with the answers not yet read: `judged` reads them.

        Raises:
            RubricbenchError: as `stream`.
        """
        if self.config is None:
            async for chunk in chunks(items, STORED_CALLS):
                for outcome in self.stored(chunk):
                    yield outcome
                await asyncio.sleep(0)
            return
        self._require_own_loop()
        backend = self.opened or self._backend()
        engine = Engine(
            self.config,
            backend,
            self.store,
            self._grader,
            self.tally,
            on_stop=_nothing if self.opened else backend.stop,
        )
        self._engines.append(engine)  # a model may take minutes to load: it can be stopped by then
        try:
            async with (
                nullcontext() if self.opened else backend,
                aclosing(engine.outcomes(items)) as outcomes,
            ):
                async for outcome in outcomes:
                    yield outcome
        finally:
            self._engines.remove(engine)

    def _require_own_loop(self) -> None:
        if self.opened is not None and asyncio.get_running_loop() is not self._loop:
            raise InputError(
                "this judge is open on another event loop, whose connections it would use",
                hint="use `stream` there, or a judge that is not open",
            )

    def _backend(self) -> Backend:
        assert self.config is not None
        return self._given or make_backend(self.config, self.tally, self._account)

    async def __aenter__(self) -> Self:
        if self.config is not None:
            self.opened = await self._backend().__aenter__()
            self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        opened, self.opened = self.opened, None
        if opened is not None:
            await opened.__aexit__(kind, error, trace)

    def stop(self) -> int:
        """Begin no further call; streams end when those under way have. Return how many those are.

        Call it on the event loop.
        """
        for engine in self._engines:
            engine.stop()
        return sum(engine.calls_under_way for engine in self._engines)

    def stored(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Yield what the store has of each item, in order; no call is made.

        An answer that the store is without has the source ``nowhere`` and no failure.

        Raises:
            InputError: the judge is needed and not configured.
            StoreError: the store cannot be read.
        """
        for group in self._grader.groups(items, STORED_CALLS):
            yield from self._grader.looked_up(group)

    def judged(self, outcome: Outcome) -> Judged:
        """Read the answer of an outcome and score it: a pure function of both.

        Raises:
            SchemaError: ``bad_check``: a criterion's check does not exist.
        """
        item = outcome.item
        verdicts = self._verdicts(outcome)
        usage: dict[str, int] = {}
        for answer in outcome.answers:
            if answer.completion:
                add_tokens(usage, answer.completion.usage)
        failure = outcome.failure
        return Judged(
            item=item,
            verdicts=verdicts,
            score=score(item.rubric, verdicts, strategy=self.strategy),
            source=outcome.source,
            usage=usage,
            fault=failure.detail if failure else "",
        )

    def _verdicts(self, outcome: Outcome) -> tuple[Verdict, ...]:
        rubric, response = outcome.item.rubric, outcome.item.response
        answered = outcome.found
        if answered is None:
            format = self.config.format if self.config else ""
            answered = merged(outcome.answers, outcome.carried, format)
        return tuple(verify(c, response) if c.check else answered[c.id] for c in rubric.criteria)
