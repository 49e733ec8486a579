"""Calls that wait for their turn: order, ceilings, ends of all kinds, threads and loops."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from simserver.limits import read_limit
from virtual_loop import VirtualLoop, run_virtually

from rubricbench.judging.loops import run
from rubricbench.judging.pace import Limiter, shared_limiter
from rubricbench.judging.pace.window import FIRST


def virtually(work):
    """Run ``work(limiter)`` in virtual time."""
    loop = VirtualLoop()
    return run_virtually(loop, work(Limiter(clock=loop.time)))


def test_no_more_than_the_ceiling_are_in_flight_and_those_who_wait_come_in_order():
    async def work(limiter):
        share, order, most = limiter.join(3), [], 0

        async def call(i):
            nonlocal most
            slot = await share.slot()
            order.append(i)
            most = max(most, limiter.in_flight)
            await asyncio.sleep(1)
            slot.answered()

        await asyncio.gather(*(call(i) for i in range(10)))
        return order, most, limiter.in_flight, asyncio.get_running_loop().time()

    # Ten calls of a second, three at a time: four seconds.
    assert virtually(work) == (list(range(10)), 3, 0, pytest.approx(4.0))


def test_a_slot_is_given_back_once():
    async def work(limiter):
        slot = await limiter.join(2).slot()
        slot.answered()
        slot.refused()
        slot.failed()
        return limiter.in_flight

    assert virtually(work) == 0


def test_waiting_ends_in_time_with_nothing():
    async def work(limiter):
        share = limiter.join(1)
        await share.slot()
        return await share.slot(within=5.0), asyncio.get_running_loop().time()

    assert virtually(work) == (None, pytest.approx(5.0))


def test_no_time_to_wait_still_gets_a_free_slot():
    async def work(limiter):
        return await limiter.join(1).slot(within=0.0)

    assert virtually(work) is not None


def test_a_cancelled_wait_leaves_the_queue():
    async def work(limiter):
        share = limiter.join(1)
        slot = await share.slot()
        waits = asyncio.create_task(share.slot())
        behind = asyncio.create_task(share.slot())
        await asyncio.sleep(1)
        waits.cancel()
        await asyncio.sleep(1)
        slot.answered()
        (await behind).answered()
        return limiter.in_flight

    assert virtually(work) == 0


def test_a_wait_cancelled_just_as_it_is_granted_gives_the_slot_back():
    async def work(limiter):
        share = limiter.join(1)
        slot = await share.slot()
        waits = asyncio.create_task(share.slot())
        await asyncio.sleep(1)
        slot.answered()  # grants it; the task has not run since
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        return limiter.in_flight

    assert virtually(work) == 0


def test_stopping_a_run_ends_its_waits_and_no_others():
    async def work(limiter):
        one, other = limiter.join(1), limiter.join(1)
        slots = [await one.slot(), await other.slot()]
        waits = [asyncio.create_task(share.slot()) for share in (one, one, other)]
        await asyncio.sleep(1)
        one.stop()
        stopped = await asyncio.gather(*waits[:2]), await one.slot()
        slots[0].answered()
        return stopped, (await waits[2]) is not None

    assert virtually(work) == (([None, None], None), True)


def test_the_ceilings_of_those_who_are_there_add_up():
    async def work(limiter):
        one, other = limiter.join(2), limiter.join(3)
        for _ in range(5):
            assert await one.slot(within=0.0)
        full = await one.slot(within=0.0)
        other.leave()
        other.leave()
        return full, limiter.members, limiter.window

    assert virtually(work) == (None, 1, 2.0)


def test_a_refused_call_waits_without_a_slot():
    async def work(limiter):
        share, loop = limiter.join(4), asyncio.get_running_loop()
        slot = await share.slot()
        await asyncio.sleep(1)
        slot.answered()
        slot = await share.slot()
        slot.refused(told=30.0)
        assert limiter.in_flight == 0
        before = loop.time()
        await share.slot()
        return loop.time() - before

    # Half a round trip, not half a minute.
    assert virtually(work) == pytest.approx(0.5)


def test_headers_of_an_answer_hold_calls_back():
    async def work(limiter):
        share, loop = limiter.join(8), asyncio.get_running_loop()
        slot = await share.slot()
        told = {"RateLimit-Remaining": "0", "RateLimit-Reset": "60"}
        slot.answered(told)
        await share.slot()
        return loop.time()

    assert virtually(work) == pytest.approx(60.0)


@pytest.mark.parametrize("words", ["in flight 40", "bucket 800/s burst 100", "window 800 in 1 s"])
def test_calls_reach_what_a_server_permits(words):
    limit, latency, seconds = read_limit(words), 0.05, 12.0
    passed = refused = 0

    async def work(limiter):
        nonlocal passed, refused
        share, loop = limiter.join(128), asyncio.get_running_loop()

        async def caller():
            nonlocal passed, refused
            while loop.time() < seconds:
                slot = await share.slot(within=seconds - loop.time())
                if slot is None:
                    return
                steady = loop.time() >= 4.0
                await asyncio.sleep(0.001)
                if not limit.admit(loop.time()):
                    refused += steady
                    slot.refused()
                    continue
                passed += steady
                await asyncio.sleep(latency)
                limit.done(loop.time())
                slot.answered()

        await asyncio.gather(*(caller() for _ in range(128)))

    virtually(work)
    assert passed >= 0.9 * limit.permits(4.0, seconds, latency + 0.001)
    assert refused <= 0.02 * (passed + refused)


def test_runs_on_several_threads_and_loops_share_a_window():
    limiter, most, lock = Limiter(), [0], threading.Lock()
    calls, runs, ceiling = 40, 3, 4
    done = []

    async def work():
        share = limiter.join(ceiling)

        async def call():
            slot = await share.slot(within=20.0)
            with lock:
                most[0] = max(most[0], limiter.in_flight)
            await asyncio.sleep(0.001)
            slot.answered()

        await asyncio.gather(*(call() for _ in range(calls)))
        share.leave()
        done.append(calls)

    threads = [threading.Thread(target=run, args=(work,)) for _ in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == [calls] * runs
    assert most[0] <= runs * ceiling
    assert (limiter.in_flight, limiter.members) == (0, 0)


def test_a_loop_that_ends_does_not_take_the_timer_of_others_with_it():
    limiter, granted = Limiter(), threading.Event()
    both = threading.Barrier(2)

    async def refused_then_gone():
        share = limiter.join(1)
        (await share.slot()).refused(told=0.2)  # shut for 50 ms: half of a guessed round trip
        waits = asyncio.create_task(share.slot())
        await asyncio.sleep(0.01)  # it stands first, and its loop has the timer
        await asyncio.to_thread(both.wait, 10)
        await asyncio.sleep(0.01)
        waits.cancel()

    async def waits():
        share = limiter.join(1)
        both.wait(10)
        if await share.slot(within=10.0):
            granted.set()

    threads = [threading.Thread(target=run, args=(w,)) for w in (refused_then_gone, waits)]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join(20)
    assert granted.is_set()


def test_one_limiter_for_each_endpoint_and_key():
    one = shared_limiter("http://127.0.0.1:1/v1", "k")
    assert shared_limiter("http://127.0.0.1:1/v1", "k") is one
    assert shared_limiter("http://127.0.0.1:1/v1", "other") is not one
    assert shared_limiter("http://127.0.0.1:2/v1", "k") is not one


def test_what_was_learnt_is_kept_for_the_next_run():
    async def work(limiter):
        share = limiter.join(FIRST)
        slots = [await share.slot() for _ in range(FIRST)]
        for slot in slots[8:]:
            slot.refused()
        for slot in slots[:8]:
            slot.answered()
        share.leave()
        window = limiter.window
        limiter.join(FIRST)
        return window, limiter.window

    before, after = virtually(work)
    assert before == 1.0  # of a ceiling that nobody holds up
    assert after < FIRST
