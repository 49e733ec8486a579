"""What the whole judging path reaches at a server that limits it, on loopback, in real time.

A judge with 128 calls in flight meets each limit for `SECONDS`; what counts as steady begins after
`WARM`. What is permitted follows from the limit alone, for limits in flight with the time that the
server held the calls, by its own log. None of these settings was tuned on; more of them, in virtual
time, are in ``tests/judging/pace_settings.py``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from simserver.limits import read_limit
from simserver.process import SimProcess

from rubricbench.judging import Item, Judge, JudgeConfig
from rubricbench.judging.pace import Limiter, shared_limiter
from rubricbench.schema import Criterion, Prompt, Rubric
from rubricbench.store import Store

LATENCY, IN_FLIGHT, WARM, SECONDS = 0.05, 128, 5.0, 16.0
RUBRIC = Rubric(
    prompt=Prompt.from_text("What helps against a burn?"),
    criteria=tuple(Criterion(criterion=f"Statement {i}.", weight=1) for i in range(4)),
)
HALVED = f"halved after {(WARM + SECONDS) / 2:g} s"
# The first is a judge that is told the limit: what the way there and back leaves of a slot.
SETTINGS = [
    ("in flight 40", (), 40),
    ("in flight 40", (), IN_FLIGHT),
    ("in flight 40", ("retry-after",), IN_FLIGHT),
    ("bucket 800/s burst 100", (), IN_FLIGHT),
    ("bucket 800/s burst 100", ("retry-after", "openai"), IN_FLIGHT),
    ("counting bucket 800/s burst 100", (), IN_FLIGHT),
    ("window 800 in 1 s", (), IN_FLIGHT),
    ("window 800 in 1 s", ("retry-after",), IN_FLIGHT),
    (f"in flight 40, {HALVED}", (), IN_FLIGHT),
    (f"bucket 800/s burst 100, {HALVED}", (), IN_FLIGHT),
]
TURNS = 200_000
_numbers = count()


def _items(until: float) -> Iterator[Item]:
    while time.monotonic() < until:
        yield Item(RUBRIC, f"Response {next(_numbers)}.")


async def _judged(server: SimProcess, path: Path, concurrency: int) -> list[dict[str, float]]:
    """Judge for `SECONDS`; return the limit's log at the beginning, when warm and at the end."""
    config = JudgeConfig(base_url=server.base_url, model="m", concurrency=concurrency)
    logs = [server.log()["limit"]]

    async def watch(moments: list[float]) -> None:
        for moment in moments:
            await asyncio.sleep(start + moment - time.monotonic())
            logs.append((await asyncio.to_thread(server.log))["limit"])

    with Store.open(path) as store:
        judge = Judge(config, store)
        start = time.monotonic()
        watching = asyncio.create_task(watch([WARM, SECONDS]))
        async for judged in judge.stream(_items(start + SECONDS)):
            assert judged.score.value is not None
        await watching
    return logs


def _shares(words: str, logs: list[dict[str, Any]]) -> tuple[float, float]:
    """Return the share of what was permitted between two logs, and of the requests refused."""
    start, end = logs[0], logs[-1]
    passed, refused = (end[k] - start[k] for k in ("permitted", "refused"))
    limit = read_limit(words)
    limit.scale.start = logs[0]["began"]  # type: ignore[attr-defined]
    held = (end["held"] - start["held"]) / passed
    return passed / limit.permits(start["now"], end["now"], held), refused / (passed + refused)


def test_what_is_permitted_is_used(benchmark, tmp_path, capsys):
    rows = []

    def measure() -> None:
        for i, (words, tell, concurrency) in enumerate(SETTINGS):
            options = ("--latency", str(LATENCY), "--limit", words)
            with SimProcess(*options, *(("--tell", *tell) if tell else ())) as server:
                logs = uvloop.run(_judged(server, tmp_path / f"{i}.sqlite", concurrency))
            began = logs[0]["now"]
            logs = [{**log, "began": began} for log in logs]
            told = "".join(f", {t}" for t in tell)
            told += ", told beforehand" if concurrency < IN_FLIGHT else ""
            rows.append((words + told, _shares(words, logs[1:]), _shares(words, logs)))

    benchmark.pedantic(measure, rounds=1)
    with capsys.disabled():
        print(f"\npace: {IN_FLIGHT} callers, {LATENCY * 1000:.0f} ms, {SECONDS:.0f} s a limit")
        for name, steady, whole in rows:
            print(
                f"  {name:50} steady {steady[0]:.3f} of what is permitted, "
                f"{steady[1]:.2%} refused; whole run {whole[0]:.3f}, {whole[1]:.2%}"
            )
        known, found = rows[0][1][0], rows[1][1][0]
        print(f"  in flight 40: {found / known:.2f} of the rate of a judge that is told the limit")


async def _turns(limiter: Limiter) -> None:
    share = limiter.join(IN_FLIGHT)
    for _ in range(TURNS):
        slot = await share.slot(within=60.0)
        assert slot
        slot.answered({})
    share.leave()


def test_a_limiter_that_does_not_limit_costs_little(benchmark, capsys):
    async def bare() -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    start = time.process_time()
    uvloop.run(bare())
    loop = time.process_time() - start
    limiter = shared_limiter("http://127.0.0.1:9/v1", "")
    benchmark.pedantic(lambda: uvloop.run(_turns(limiter)), rounds=3)
    cost = benchmark.stats.stats.min / TURNS
    with capsys.disabled():
        print(
            f"\npace: {1e6 * cost:.1f} µs a call that need not wait, {cost * TURNS / loop:.1f} "
            f"turns of a bare loop, {cost / 0.3e-3:.1%} of the 0.3 ms a graded response may cost"
        )
