"""The stream that joins items, store and endpoint: every answer is paid for once.

One task reads items in chunks, renders them, and looks their keys up; ``concurrency`` tasks make
the calls that are left. Memory is constant in the number of items: a bounded number of them is
between being read and being handed on, whatever is slow. Outcomes come as they are ready; reading
the answers and scoring is the business of `rubricbench.judging.judge`.

An answer is put into the store before anything else is awaited, and nobody waits for the commit:
the store finds what is on its way to the disk. Between a look-up and the decision to call nothing
is awaited either, so an item always meets the answer of an equal one, or its call under way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

import msgspec

from rubricbench.judging.book import QuestionBook
from rubricbench.judging.breaker import Breaker
from rubricbench.judging.client import ChatClient
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import CallFailedError, Failure
from rubricbench.judging.items import Item, Items, Outcome, Source, chunks
from rubricbench.judging.request import Question, Request
from rubricbench.judging.usage import Tally
from rubricbench.store import Completion, Store

LOOKUP_CHUNK = 64
DRAIN_SECONDS = 10.0


class _Job(msgspec.Struct, frozen=True):
    question: Question
    request: Request


class Engine:
    """One pass over a stream of items; make a new one for the next.

    Args:
        config: the judge.
        client: its endpoint, entered.
        store: where answers are looked up and put.
        book: prepares the rubrics' questions.
        tally: where calls are counted.
    """

    def __init__(
        self,
        config: JudgeConfig,
        client: ChatClient,
        store: Store,
        book: QuestionBook,
        tally: Tally,
    ) -> None:
        self._config = config
        self._client = client
        self._store = store
        self._book = book
        self._tally = tally
        self._breaker = Breaker(config.concurrency, config.base_url)
        # Places for items that are read and not handed on: enough to keep every call busy.
        self._window = asyncio.Semaphore(2 * config.concurrency + 4 * LOOKUP_CHUNK)
        self._todo: asyncio.Queue[_Job] = asyncio.Queue()
        self._ready: asyncio.Queue[Outcome | Exception | None] = asyncio.Queue()
        self._pending: dict[str, list[Item]] = {}
        self._feeder: asyncio.Task[None] | None = None
        self._fed = False
        self._open = 0

    async def outcomes(self, items: Items) -> AsyncGenerator[Outcome, None]:
        """Yield an outcome for every item, as they are ready.

        Raises:
            EndpointError: the endpoint cannot be used; calls under way are waited for first, up
                to `DRAIN_SECONDS`, and what they bring is stored.
            StoreError: the store cannot be read or written.
        """
        self._feeder = asyncio.create_task(self._guarded(self._feed(items)))
        callers = [
            asyncio.create_task(self._guarded(self._call_on()))
            for _ in range(self._config.concurrency)
        ]
        try:
            while not self._fed or self._open:
                outcome = await self._next_outcome()
                if outcome:
                    yield outcome
        except Exception:
            await self._drain()
            raise
        finally:
            for task in (self._feeder, *callers):
                task.cancel()
            await asyncio.gather(self._feeder, *callers, return_exceptions=True)

    def stop(self) -> None:
        """Begin no further call; those under way still end and are handed on."""
        if self._feeder:
            self._feeder.cancel()
        self._client.stop()
        while not self._todo.empty():
            dropped = self._pending.pop(self._todo.get_nowait().request.key)
            self._open -= len(dropped)
        self._ready.put_nowait(None)  # what the feeder, cancelled, no longer says

    @property
    def calls_under_way(self) -> int:
        """How many distinct calls have begun and not ended."""
        return len(self._pending) - self._todo.qsize()

    async def _next_outcome(self) -> Outcome | None:
        ready = await self._ready.get()
        if isinstance(ready, Exception):
            raise ready
        if ready is None:  # the last item was read, whatever was put before it has been seen
            self._fed = True
        else:
            self._open -= 1
            self._window.release()
        return ready

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._ready.put_nowait(error)

    async def _drain(self) -> None:
        self.stop()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.calls_under_way > 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    async def _feed(self, items: Items) -> None:
        async with aclosing(chunks(items, LOOKUP_CHUNK)) as read:
            async for chunk in read:
                await self._admit(chunk)
                # A chunk that is all in the store awaits nothing: others must have their turn.
                await asyncio.sleep(0)
        self._ready.put_nowait(None)

    async def _admit(self, chunk: list[Item]) -> None:
        jobs = [self._job(item) for item in chunk]
        for _ in chunk:
            await self._window.acquire()
        self._open += len(chunk)
        found = self._store.get_many([job.request.key for job in jobs if job])
        for item, job in zip(chunk, jobs, strict=True):
            if job is None:
                self._ready.put_nowait(Outcome(item, Source.CHECKS))
            else:
                self._route(item, job, found.get(job.request.key))

    def _job(self, item: Item) -> _Job | None:
        question = self._book.question(item.rubric)
        return _Job(question, question.request(item.response)) if question else None

    def _route(self, item: Item, job: _Job, found: Completion | None) -> None:
        key = job.request.key
        if found:
            self._tally.stored += 1
            self._ready.put_nowait(Outcome(item, Source.STORE, key, found))
        elif key in self._pending:
            self._tally.shared += 1
            self._pending[key].append(item)
        else:
            self._pending[key] = [item]
            self._todo.put_nowait(job)

    async def _call_on(self) -> None:
        while True:
            job = await self._todo.get()
            key = job.request.key
            try:
                result = await self._call(job)
            except BaseException:
                del self._pending[key]
                raise
            source = Source.NOWHERE if isinstance(result, Failure) else Source.CALL
            for item in self._pending.pop(key):
                self._ready.put_nowait(_outcome(item, source, key, result))
                source = Source.SHARED if source is Source.CALL else source

    async def _call(self, job: _Job) -> Completion | Failure:
        request, canonical = job.request, job.question.labels.canonicalise
        try:
            answer = await self._client.complete(request.key, request.body)
        except CallFailedError as error:
            self._tally.failed += 1
            self._breaker.failed(error.failure)
            return error.failure
        completion = Completion(
            key=request.key,
            text=canonical(answer.text),
            reasoning=canonical(answer.reasoning),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            model=answer.model,
            url=self._config.url,
            request=request.identity,
            created=time.time(),
        )
        self._store.put(completion)
        self._breaker.answered()
        self._tally.answered(answer.usage)
        return completion


def _outcome(item: Item, source: Source, key: str, result: Completion | Failure) -> Outcome:
    if isinstance(result, Failure):
        return Outcome(item, source, key, failure=result)
    return Outcome(item, source, key, completion=result)
