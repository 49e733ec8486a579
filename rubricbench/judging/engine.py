"""The stream that joins items, store and model: every answer is paid for once.

One task reads items in chunks, renders them, and looks their keys up; ``concurrency`` tasks make
the calls that are left. Memory is constant in the number of items: only a bounded number of calls
is of items between being read and being handed on, whatever is slow. Outcomes come as they are
ready; reading the answers and scoring is the business of `rubricbench.judging.judge`.

An answer is put into the store before anything else is awaited, and nobody waits for the commit:
the store finds what is on its way to the disk. Between a look-up and the decision to call nothing
is awaited either, so an item always meets the answer of an equal one, or its call under way. Calls
that another process on the same store is about to make are left to it (`rubricbench.store.claims`),
and its answers taken from the store.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial

from rubricbench.errors import RubricbenchError, StoreError
from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.breaker import Breaker
from rubricbench.judging.calls import STOPPED, Calls
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import CallFailedError, Failure
from rubricbench.judging.grading import Ask, Grader, Grading
from rubricbench.judging.items import Item, Items, Outcome, chunks
from rubricbench.judging.received import to_store
from rubricbench.judging.usage import Tally
from rubricbench.schema import Cause
from rubricbench.store import Completion, Store
from rubricbench.store.claims import RENEW_SECONDS, Claims

LOOKUP_CALLS = 64
DRAIN_SECONDS = 10.0
WATCH_SECONDS = 0.2


class Engine:
    """One pass over a stream of items; make a new one for the next.

    Args:
        config: the judge.
        backend: who answers, entered.
        store: where answers are looked up and put.
        grader: turns items into calls.
        tally: where calls are counted.
        on_stop: called when no further call is to begin: ends the attempts of a backend that
            nobody else uses.
    """

    def __init__(
        self,
        config: JudgeConfig,
        backend: Backend,
        store: Store,
        grader: Grader,
        tally: Tally,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._backend = backend
        self._store = store
        self._grader = grader
        self._tally = tally
        self._on_stop = on_stop
        self._breaker = Breaker(config.concurrency, config.url)
        # Places for calls of items read and not handed on: enough to keep every caller busy.
        self._window = asyncio.Semaphore(2 * config.concurrency + 4 * LOOKUP_CALLS)
        self._claims = Claims(store.path)
        self._calls = Calls(self._claims, tally)
        self._ready: asyncio.Queue[Outcome | Exception | None] = asyncio.Queue()
        self._feeder: asyncio.Task[None] | None = None
        self._stopped = False
        self._fed = False
        self._open = 0

    async def outcomes(self, items: Items) -> AsyncGenerator[Outcome, None]:
        """Yield an outcome for every item, as they are ready.

        Raises:
            EndpointError: the model cannot be used; calls under way are waited for first, up to
                `DRAIN_SECONDS`, and what they bring is stored.
            StoreError: the store cannot be read or written.
        """
        if self._stopped:
            return
        self._feeder = self._begin(partial(self._feed, items))
        watchers = [self._begin(work) for work in (self._watch, self._renew)]
        callers = [self._begin(self._call_on) for _ in range(self._config.concurrency)]
        try:
            while not self._fed or self._open:
                outcome = await self._next_outcome()
                if outcome:
                    yield outcome
        except Exception:
            await self._drain()
            raise
        finally:
            for task in (self._feeder, *watchers, *callers):
                task.cancel()
            try:
                await asyncio.gather(self._feeder, *watchers, *callers, return_exceptions=True)
            finally:
                await self._release()

    def stop(self) -> None:
        """Begin no further call; those under way still end and are handed on.

        Items none of whose calls had begun are not handed on. Before the pass has begun, it hands
        on none.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._feeder:
            self._feeder.cancel()
        self._on_stop()
        for grading in self._calls.stop():
            self._settle(grading)
        self._wake()  # as the feeder, cancelled, no longer does

    @property
    def calls_under_way(self) -> int:
        """How many distinct calls have begun and not ended."""
        return self._calls.under_way

    def _wake(self) -> None:
        """Have `outcomes` look whether there is more to wait for."""
        self._ready.put_nowait(None)

    async def _next_outcome(self) -> Outcome | None:
        ready = await self._ready.get()
        if isinstance(ready, Exception):
            raise ready
        if ready is None:  # of the feeder: whatever it put before has been seen
            self._fed = True
        else:
            self._open -= 1
            for _ in range(self._places(ready.item)):
                self._window.release()
        return ready

    def _places(self, item: Item) -> int:
        return min(LOOKUP_CALLS, self._grader.calls(item))  # all of them together must fit

    def _begin(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return asyncio.create_task(self._guarded(work))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            self._ready.put_nowait(error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not task.cancelling():  # not by us: it came out of what we awaited
                what = "something that the source of items or the backend awaits was cancelled"
                self._ready.put_nowait(RubricbenchError(what))
            raise

    async def _drain(self) -> None:
        self.stop()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.calls_under_way > 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    async def _feed(self, items: Items) -> None:
        async with aclosing(chunks(items, LOOKUP_CALLS)) as read:
            async for chunk in read:
                for group in self._grader.groups(chunk, LOOKUP_CALLS):
                    if self._stopped:  # by the source itself, or it would not be cancelled
                        return
                    await self._admit(group)
                    # What is all in the store awaits nothing: others must have their turn.
                    await asyncio.sleep(0)
        self._wake()

    async def _admit(self, group: list[Item]) -> None:
        for _ in range(sum(map(self._places, group))):
            await self._window.acquire()
        gradings = self._grader.gradings(group)
        self._open += len(gradings)
        keys = [ask.request.key for grading in gradings for ask in grading.asks]
        found = self._store.get_many(keys) if keys else {}
        self._calls.add([(grading, range(len(grading.asks))) for grading in gradings], found)
        for grading in gradings:
            if not grading.waiting:
                self._settle(grading)

    async def _watch(self) -> None:
        """Take the answers of calls that other processes make, or the calls, if those give up."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            elsewhere = self._calls.elsewhere
            if elsewhere:
                for grading in self._calls.take_over(self._store.get_many(elsewhere)):
                    self._settle(grading)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            self._claims.renew()

    async def _release(self) -> None:
        """Give up all claims, once what was paid for can be seen by everybody."""
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._store.flush)
        except StoreError:
            pass  # whoever puts or closes next is told
        finally:
            self._claims.close()

    def _settle(self, grading: Grading) -> None:
        """Hand a grading on, all of whose calls have ended, or ask again what cannot be read."""
        asks = [] if self._stopped else self._grader.repairs(grading)
        if asks:
            found = self._store.get_many([ask.request.key for ask in asks])
            self._calls.add([(grading, grading.extend(asks))], found)
            if not grading.waiting:
                self._settle(grading)
        elif grading.answers and all(a and a.failure is STOPPED for a in grading.answers):
            self._open -= 1
            self._wake()
        else:
            self._ready.put_nowait(grading.outcome())

    async def _call_on(self) -> None:
        while True:
            ask = await self._calls.next()
            try:
                result = await self._call(ask)
            except BaseException:
                self._calls.forget(ask)
                raise
            for grading in self._calls.end(ask, result):
                self._settle(grading)

    async def _call(self, ask: Ask) -> Completion | Failure:
        try:
            answer = await self._backend.complete(ask.request)
        except CallFailedError as error:
            if error.cause is Cause.CANCELLED and self._stopped:
                return STOPPED
            if error.cause is Cause.BUDGET:  # not asked: no fault of the endpoint
                return error.failure
            self._tally.failed += 1
            self._breaker.failed(error.failure)
            return error.failure
        completion = to_store(
            answer,
            ask.request,
            ask.question.labels,
            format=self._config.format,
            url=self._backend.url,
        )
        self._store.put(completion, keyed=True)
        self._breaker.answered()
        self._tally.answered(answer.usage)
        return completion
