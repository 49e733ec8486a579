"""A stream ends: stopped at any moment, cancelled from inside, out of time. Nothing hangs."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from contextlib import aclosing
from typing import Self

import pytest
from judging_samples import config, items, make_rubric
from simserver.server import SimServer, always

from rubricbench.errors import InputError, RubricbenchError
from rubricbench.judging import Judge, JudgeConfig
from rubricbench.judging.client import ChatClient
from rubricbench.judging.faults import NotSentError
from rubricbench.judging.loops import run
from rubricbench.judging.panel import Panel
from rubricbench.judging.price.budget import Budget, Caps
from rubricbench.judging.usage import Tally
from rubricbench.judging.wire import ChatAnswer
from rubricbench.schema import Cause
from rubricbench.store.claims import Claims

CONFIG = JudgeConfig(base_url="http://127.0.0.1:9/v1", model="m", concurrency=4)
SECONDS = 20  # far more than anything here takes


class Slow:
    """A backend that takes its time to load and to answer, and counts what it is asked."""

    url = "slow:"

    def __init__(self, *, loads: float = 0.0, answers: float = 0.0) -> None:
        self.loads, self.answers = loads, answers
        self.asked = 0
        self.entered = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.entered.set()
        await asyncio.sleep(self.loads)
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    def stop(self) -> None:
        pass

    async def complete(self, request) -> ChatAnswer:
        self.asked += 1
        await asyncio.sleep(self.answers)
        text = json.dumps(dict.fromkeys(request.labels, True))
        return ChatAnswer(text, "", "stop", "m", {"prompt_tokens": 1, "completion_tokens": 1})


async def all_of(stream):
    async with asyncio.timeout(SECONDS):
        return [each async for each in stream]


def test_a_stop_while_the_model_loads_asks_nothing(store):
    async def stopped():
        backend = Slow(loads=0.1)
        judge = Judge(CONFIG, store, backend=backend)
        stream = asyncio.create_task(all_of(judge.stream(items(50))))
        await backend.entered.wait()
        judge.stop()
        return await stream, backend.asked

    assert run(stopped) == ([], 0)


def test_a_stop_while_a_panel_loads_asks_nothing(store):
    async def stopped():
        backends = [Slow(), Slow(loads=0.1)]
        judges = [
            Judge(CONFIG, store, backend=backends[0]),
            Judge(JudgeConfig(base_url=CONFIG.base_url, model="n"), store, backend=backends[1]),
        ]
        panel = Panel(judges)
        stream = asyncio.create_task(all_of(panel.stream(items(50))))
        await backends[1].entered.wait()
        panel.stop()
        return await stream, [backend.asked for backend in backends]

    assert run(stopped) == ([], [0, 0])


def test_a_source_may_stop_its_own_judge(store):
    async def stopped():
        backend = Slow(answers=0.01)
        judge = Judge(CONFIG, store, backend=backend)

        def source():
            yield from items(2)
            judge.stop()
            yield from items(10)[2:]

        return await all_of(judge.stream(source())), backend.asked

    assert run(stopped) == ([], 0)  # they were one chunk


def test_a_source_that_was_cancelled_ends_the_stream_with_an_error(store):
    async def source():
        yield items(1)[0]
        never = asyncio.get_running_loop().create_future()
        never.cancel()
        await never

    async def broken():
        return await all_of(Judge(CONFIG, store, backend=Slow()).stream(source()))

    with pytest.raises(RubricbenchError, match="was cancelled"):
        run(broken)


def test_a_backend_that_was_cancelled_ends_the_stream_with_an_error(store):
    class Cancelled(Slow):
        async def complete(self, request):
            raise asyncio.CancelledError

    async def broken():
        return await all_of(Judge(CONFIG, store, backend=Cancelled()).stream(items(3)))

    with pytest.raises(RubricbenchError, match="was cancelled"):
        run(broken)


def one_at_a_time() -> Budget:
    """A budget that has room for one call, and for another once that has said what it took."""
    return Budget(Caps(tokens=40_000))


async def stop_at_the_first(judge: Judge) -> int:
    graded = 0
    async with asyncio.timeout(SECONDS), aclosing(judge.stream(items(50))) as stream:
        async for _ in stream:
            graded += 1
            judge.stop()
    return graded


def test_calls_that_wait_for_the_budget_are_not_made_after_a_stop(store):
    backend, budget = Slow(answers=0.05), one_at_a_time()
    account = budget.account(max_tokens=30_000)
    graded = run(lambda: stop_at_the_first(Judge(CONFIG, store, backend=backend, account=account)))
    # A second one may have begun before the stop; the two that were waiting then have not.
    assert graded == backend.asked == budget.spent.calls <= 2


def test_requests_that_wait_for_the_budget_are_not_sent_after_a_stop(store):
    account = one_at_a_time().account(max_tokens=30_000)
    with SimServer(latency=0.05) as server:
        judge = Judge(config(server, concurrency=8, max_tokens=30_000), store, account=account)
        graded = run(lambda: stop_at_the_first(judge))
        assert graded == server.requests == account.budget.spent.calls <= 2
    assert judge.tally.failed == 0


def test_a_call_whose_time_is_up_is_not_sent_without_a_limit(store):
    async def late(server):
        async with ChatClient(config(server), Tally()) as client:
            endpoint = client._fleet.endpoints[0]
            async with asyncio.timeout(SECONDS):
                with pytest.raises(NotSentError):
                    await endpoint.attempt(b"{}", time.monotonic() - 1e-6)

    with SimServer(fault=always("hang")) as server:
        run(lambda: late(server))
        assert server.requests == 0


def test_a_call_ends_at_its_deadline_however_it_is_cut(store):
    # Attempts of a tenth of a second in a second: the last one is cut to what is left.
    with SimServer(fault=always("hang")) as server:
        judge = Judge(config(server, timeout=0.1, deadline=1.0, retries=100), store)
        start = time.monotonic()
        judged = judge.grade_all(items(8))
        assert time.monotonic() - start < 10
    assert {v.cause for j in judged for v in j.verdicts} == {Cause.TIMEOUT}


def test_an_open_judge_is_not_used_from_another_loop(store):
    async def inside(judge):
        async with judge:
            with pytest.raises(InputError, match="another event loop"):
                judge.grade(make_rubric(), "x")

    with SimServer() as server:
        run(lambda: inside(Judge(config(server), store)))


def test_an_interrupt_in_a_notebook_ends_the_calls(store):
    backend = Slow(answers=60.0)

    async def cell():
        reader = threading.get_ident()

        def interrupt() -> None:
            while backend.asked < CONFIG.concurrency:
                time.sleep(0.02)
            signal.pthread_kill(reader, signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            Judge(CONFIG, store, backend=backend).grade_all(items(5))

    # A loop as a notebook runs it, with Python's own handler of the signal; who runs the tests in
    # the background of a shell has it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(cell())
    finally:
        loop.close()
        signal.signal(signal.SIGINT, before)
    assert backend.asked == CONFIG.concurrency
    assert "judging" not in {thread.name for thread in threading.enumerate()}


def test_cancelled_twice_a_stream_still_gives_up_its_claims(store):
    async def cancelled():
        judge = Judge(CONFIG, store, backend=Slow(answers=60.0))
        stream = asyncio.create_task(all_of(judge.stream(items(5))))
        await asyncio.sleep(0.1)
        stream.cancel()
        await asyncio.sleep(0)
        stream.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stream
        return _keys(judge)

    keys = run(cancelled)
    assert Claims(store.path).take(keys) == keys


def test_a_stopped_stream_leaves_what_it_will_not_ask_to_others(store):
    async def stopped():
        judge = Judge(CONFIG, store, backend=Slow(answers=0.5))
        stream = asyncio.create_task(all_of(judge.stream(items(20))))
        await asyncio.sleep(0.1)
        judge.stop()
        free = Claims(store.path).take(_keys(judge))
        await stream
        return len(free)

    assert run(stopped) == 20 - CONFIG.concurrency


def _keys(judge: Judge) -> set[str]:
    return {answer.key for outcome in judge.stored(items(20)) for answer in outcome.answers}
