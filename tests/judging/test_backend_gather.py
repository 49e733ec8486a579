"""Calls in flight become batches; the event loop never waits for one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from rubricbench.judging.backends.gather import Gatherer
from rubricbench.judging.faults import CallFailedError
from rubricbench.schema import Cause


class Squares:
    """Squares numbers, remembers its batches, and fails for those named."""

    def __init__(self, *, bad: Sequence[int] = (), hold: threading.Event | None = None) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.began = threading.Event()
        self._bad = bad
        self._hold = hold

    def __call__(self, jobs: Sequence[int], halt: threading.Event) -> list[int | Exception]:
        self.batches.append(list(jobs))
        self.threads.add(threading.get_ident())
        self.began.set()
        while self._hold and not self._hold.is_set() and not halt.is_set():
            time.sleep(0.001)
        return [ValueError(job) if job in self._bad else job * job for job in jobs]


async def test_calls_made_together_are_one_batch_in_their_order():
    work = Squares()
    gatherer = Gatherer(work, most=8, wait=0.0)
    assert await asyncio.gather(*map(gatherer.submit, range(5))) == [0, 1, 4, 9, 16]
    assert work.batches == [[0, 1, 2, 3, 4]]
    await gatherer.close()


async def test_batches_are_bounded_and_run_on_one_other_thread():
    work = Squares()
    gatherer = Gatherer(work, most=2, wait=0.0)
    await asyncio.gather(*map(gatherer.submit, range(5)))
    assert work.batches == [[0, 1], [2, 3], [4]]
    assert len(work.threads) == 1
    assert threading.get_ident() not in work.threads
    await gatherer.close()


async def test_what_comes_during_a_batch_is_the_next_one():
    hold = threading.Event()
    work = Squares(hold=hold)
    gatherer = Gatherer(work, most=8, wait=0.0)
    first = asyncio.create_task(gatherer.submit(1))
    await asyncio.to_thread(work.began.wait)
    later = [asyncio.create_task(gatherer.submit(i)) for i in (2, 3)]
    await asyncio.sleep(0)  # the loop turns while the batch blocks its thread
    hold.set()
    assert await asyncio.gather(first, *later) == [1, 4, 9]
    assert work.batches == [[1], [2, 3]]
    await gatherer.close()


async def test_a_failure_is_that_of_its_call_alone():
    gatherer = Gatherer(Squares(bad=[1]), most=8, wait=0.0)
    found = await asyncio.gather(*map(gatherer.submit, range(3)), return_exceptions=True)
    assert found[0] == 0
    assert isinstance(found[1], ValueError)
    assert found[2] == 4
    await gatherer.close()


async def test_a_failure_of_the_batch_is_told_to_every_call_and_ends_nothing():
    failing = True

    def work(jobs: Sequence[int], halt: threading.Event) -> list[int | Exception]:
        if failing:
            raise RuntimeError("broken")
        return list(jobs)

    gatherer: Gatherer[int, int] = Gatherer(work, most=8, wait=0.0)
    found = await asyncio.gather(*map(gatherer.submit, range(2)), return_exceptions=True)
    assert [str(error) for error in found] == ["broken", "broken"]
    failing = False
    assert await gatherer.submit(7) == 7
    await gatherer.close()


async def test_stop_lets_the_batch_under_way_end_and_cancels_the_others():
    hold = threading.Event()
    work = Squares(hold=hold)
    gatherer = Gatherer(work, most=1, wait=0.0)
    calls = [asyncio.create_task(gatherer.submit(i)) for i in (2, 3)]
    await asyncio.to_thread(work.began.wait)
    gatherer.stop()
    hold.set()
    assert await calls[0] == 4
    with pytest.raises(CallFailedError) as refused:
        await calls[1]
    assert refused.value.cause is Cause.CANCELLED
    with pytest.raises(CallFailedError):
        await gatherer.submit(4)
    await gatherer.close()


async def test_close_cuts_the_batch_under_way_short():
    work = Squares(hold=threading.Event())  # would hold for ever
    gatherer = Gatherer(work, most=1, wait=0.0)
    call = asyncio.create_task(gatherer.submit(2))
    await asyncio.to_thread(work.began.wait)
    await gatherer.close()
    assert await call == 4


async def test_a_call_that_was_given_up_takes_no_place_in_a_batch():
    hold = threading.Event()
    work = Squares(hold=hold)
    gatherer = Gatherer(work, most=8, wait=0.0)
    first = asyncio.create_task(gatherer.submit(1))
    await asyncio.to_thread(work.began.wait)
    given_up, kept = (asyncio.create_task(gatherer.submit(i)) for i in (2, 3))
    await asyncio.sleep(0)
    given_up.cancel()
    hold.set()
    assert await asyncio.gather(first, kept) == [1, 9]
    assert work.batches == [[1], [3]]
    await gatherer.close()
