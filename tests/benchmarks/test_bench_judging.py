"""The whole judging path beside other ways to make the calls, against one server in the same run.

A graded response is everything: rendering, hashing, look-up, call, strict parsing of eight
verdicts, scoring, storing. The others send the same bytes and throw the answer away: a bare aiohttp
loop, the openai SDK, and a pool of threads with requests, as the code of the paper has it. With
50 ms of latency and 128 calls in flight, physics allows 2,560 a second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import aiohttp
import pytest
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from simserver.process import SimProcess

from rubricbench.judging import Item, Judge, JudgeConfig
from rubricbench.judging.request import Question
from rubricbench.schema import Criterion, Prompt, Rubric
from rubricbench.store import Store

LATENCY, IN_FLIGHT, CALLS, PROMPTS = 0.05, 128, 6_000, 64
FEWER_CALLS = 1_500  # of the slower ways
BOUND = IN_FLIGHT / LATENCY
WORDS = "the patient should rinse the burn under cool running water and then cover it loosely "


def _rubric(i: int) -> Rubric:
    criteria = tuple(
        Criterion(criterion=f"Statement {j} about prompt {i}: {WORDS[:80]}", weight=1 + j % 3)
        for j in range(8)
    )
    return Rubric(prompt=Prompt.from_text(f"Question {i}. {WORDS * 4}"), criteria=criteria)


RUBRICS = [_rubric(i) for i in range(PROMPTS)]
_numbers = count()


def _items() -> Iterator[Item]:
    """About 4 kB of prompt each, no two alike in the whole run."""
    for i in range(CALLS):
        yield Item(RUBRICS[i % PROMPTS], f"Response {next(_numbers)}. {WORDS * 22}")


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with SimProcess("--latency", str(LATENCY)) as server:
        yield server.base_url


def _config(base_url: str) -> JudgeConfig:
    return JudgeConfig(base_url=base_url, model="m", concurrency=IN_FLIGHT)


async def _bare(base_url: str) -> None:
    bodies = iter(_bodies(base_url, CALLS))

    async def worker(session: aiohttp.ClientSession) -> None:
        for body in bodies:
            async with session.post(f"{base_url}/chat/completions", data=body) as reply:
                await reply.read()

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    ) as session:
        await asyncio.gather(*(worker(session) for _ in range(IN_FLIGHT)))


async def _openai_sdk(base_url: str) -> None:
    from openai import AsyncOpenAI

    bodies = iter(_bodies(base_url, FEWER_CALLS))
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:

        async def worker() -> None:
            for body in bodies:
                await client.chat.completions.create(**json.loads(body))

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


async def _thread_pool(base_url: str) -> None:
    import requests

    def send(body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        requests.post(f"{base_url}/chat/completions", data=body, headers=headers).json()

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(send, _bodies(base_url, FEWER_CALLS)))


def _bodies(base_url: str, calls: int) -> list[bytes]:
    questions = {id(r): Question(_config(base_url), r, r.criteria, b"s") for r in RUBRICS}
    return [questions[id(i.rubric)].request(i.response).body for i in islice(_items(), calls)]


async def _judged(base_url: str, path: Path) -> None:
    with Store.open(path) as store:
        judge = Judge(_config(base_url), store)
        known = 0
        async for judged in judge.stream(_items()):
            known += judged.score.value is not None
        store.flush()
        assert (known, judge.tally.calls, judge.tally.stored) == (CALLS, CALLS, 0)


def _measure(work: Callable[[], Awaitable[None]], calls: int = CALLS) -> tuple[float, float]:
    """Return calls a second and CPU milliseconds a call, of this process with all its threads."""
    start, cpu = time.perf_counter(), time.process_time()
    uvloop.run(work())  # type: ignore[arg-type]
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    return calls / seconds, 1000 * used / calls


def test_judging_keeps_up_with_a_bare_loop(benchmark, base_url, tmp_path, capsys):
    stores = (tmp_path / f"{i}.sqlite" for i in count())
    bare = max(_measure(lambda: _bare(base_url)) for _ in range(3))
    runs: list[tuple[float, float]] = []

    def once() -> None:
        runs.append(_measure(lambda: _judged(base_url, next(stores))))

    benchmark.pedantic(once, rounds=3)
    rate, cpu = max(runs)
    others = {
        "openai SDK": _measure(lambda: _openai_sdk(base_url), FEWER_CALLS),
        "requests in threads": _measure(lambda: _thread_pool(base_url), FEWER_CALLS),
    }
    with capsys.disabled():
        print(
            f"\njudging: {rate:,.0f} graded/s at {cpu:.3f} ms CPU; bare aiohttp {bare[0]:,.0f}/s "
            f"at {bare[1]:.3f} ms: {rate / bare[0]:.2f} of its rate, {cpu / bare[1]:.2f} times its "
            f"CPU, {rate / BOUND:.2f} of the {BOUND:,.0f}/s that latency allows"
        )
        for name, (theirs, used) in others.items():
            print(
                f"{name}: {theirs:,.0f}/s at {used:.3f} ms CPU, calls alone; judging does "
                f"{rate / theirs:.1f} times as many, at {cpu / used:.2f} of the CPU"
            )


def test_answers_replay_from_the_store(benchmark, base_url, tmp_path, capsys):
    items = list(_items())
    with Store.open(tmp_path / "s.sqlite") as store:
        judge = Judge(_config(base_url), store)
        judge.grade_all(items)
        store.flush()
        calls = judge.tally.calls
        benchmark.pedantic(judge.grade_all, args=(items,), rounds=3)
        assert judge.tally.calls == calls
    rate = CALLS / benchmark.stats.stats.median
    with capsys.disabled():
        print(
            f"\nreplay: {rate:,.0f} graded/s from the store; "
            f"100,000 verdicts in {100_000 / 8 / rate:.1f} s"
        )
