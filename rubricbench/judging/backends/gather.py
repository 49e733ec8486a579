"""Gathering calls in flight into batches for a model in this process.

A model answers a batch in little more time than one call, but its code blocks. So calls wait in a
queue; one worker thread takes what has come together, and the event loop stays free. While a batch
is answered the next one gathers, so with enough calls in flight no time is lost waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from rubricbench.judging.faults import CallFailedError
from rubricbench.schema import Cause

Job = TypeVar("Job")
Result = TypeVar("Result")

Work = Callable[[Sequence[Job], threading.Event], Sequence[Result | Exception]]


class Gatherer(Generic[Job, Result]):
    """Batches jobs for a blocking function; belongs to the event loop it is first used on.

    Args:
        work: (jobs, halt) -> a result or an exception for each, in order; runs on the worker
            thread. It should return early, with anything, once ``halt`` is set.
        most: most jobs in a batch.
        wait: seconds the first job of an idle worker waits for company.
    """

    def __init__(self, work: Work[Job, Result], *, most: int, wait: float) -> None:
        self._work = work
        self._most = most
        self._wait = wait
        self._halt = threading.Event()
        self._queue: deque[tuple[Job, asyncio.Future[Result]]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._stopped = False

    async def submit(self, job: Job) -> Result:
        """Return the result of a job, which is answered in some batch.

        Raises:
            CallFailedError: ``cancelled``: the gatherer was stopped before the job's turn came.
            Exception: what the work gave for this job.
        """
        if self._stopped:
            raise cancelled()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((job, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await future

    def stop(self) -> None:
        """Begin no further batch; jobs that wait for one fail as cancelled."""
        self._stopped = True
        while self._queue:
            _settle(self._queue.popleft()[1], cancelled())

    async def close(self) -> None:
        """Stop, cut the batch under way short, and end the worker thread."""
        self.stop()
        self._halt.set()
        if self._runner:
            with contextlib.suppress(asyncio.CancelledError):
                await self._runner
        if self._worker:
            self._worker.shutdown()

    async def _run(self) -> None:
        await asyncio.sleep(self._wait)
        while batch := self._next_batch():
            for (_, future), result in zip(batch, await self._answered(batch), strict=True):
                _settle(future, result)

    def _next_batch(self) -> list[tuple[Job, asyncio.Future[Result]]]:
        batch: list[tuple[Job, asyncio.Future[Result]]] = []
        while self._queue and len(batch) < self._most:
            job, future = self._queue.popleft()
            if not future.done():  # whoever asked may have given up
                batch.append((job, future))
        return batch

    async def _answered(
        self, batch: list[tuple[Job, asyncio.Future[Result]]]
    ) -> Sequence[Result | Exception]:
        self._worker = self._worker or ThreadPoolExecutor(1, thread_name_prefix="local-judge")
        jobs = [job for job, _ in batch]
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, self._work, jobs, self._halt)
        except Exception as error:  # the whole batch's: each caller is told
            return [error] * len(batch)


def _settle(future: asyncio.Future[Result], result: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def cancelled() -> CallFailedError:
    """Return the failure of a call that the judge's end came before."""
    return CallFailedError(Cause.CANCELLED, "the judge was stopped before this call was answered")
