"""The reward function beside the judge it calls, against one server in the same run.

A batch comes as TRL passes it: prompts, completions and a column of rubrics as JSON text, on an
event loop of its own. What the reward adds is finding each row's rubric, telling equal responses
apart, crossing to the judge's thread, ruling and counting.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from simserver.process import SimProcess

from rubricbench.judging import Item, Judge, JudgeConfig
from rubricbench.reward import RubricReward, rubric_reward
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Criterion, Prompt, Rubric
from rubricbench.store import Store

LATENCY, IN_FLIGHT, ROWS, GROUP = 0.05, 128, 4_096, 16
WORDS = "the patient should rinse the burn under cool running water and then cover it loosely "
_numbers = count()


def _rubric(i: int) -> Rubric:
    criteria = tuple(
        Criterion(criterion=f"Statement {j} about prompt {i}: {WORDS[:80]}", weight=1 + j % 3)
        for j in range(8)
    )
    return Rubric(prompt=Prompt.from_text(f"Question {i}. {WORDS * 4}"), criteria=criteria)


RUBRICS = [_rubric(i) for i in range(ROWS // GROUP)]
COLUMNS = [json.dumps(rubric_to_row(rubric)) for rubric in RUBRICS]


def _texts(distinct: int) -> list[str]:
    """So many different responses for each prompt, repeated to a group; new in the whole run."""
    texts = []
    for _ in RUBRICS:
        new = [f"Response {next(_numbers)}. {WORDS * 22}" for _ in range(distinct)]
        texts += new * (GROUP // distinct)
    return texts


@pytest.fixture(scope="module")
def config():
    with SimProcess("--latency", str(LATENCY)) as server:
        yield JudgeConfig(base_url=server.base_url, model="m", concurrency=IN_FLIGHT)


async def _judge(judge: Judge, texts: list[str]) -> None:
    items = (Item(RUBRICS[i // GROUP], text) for i, text in enumerate(texts))
    known = [judged.score.value is not None async for judged in judge.stream(items)]
    assert len(known) == ROWS
    assert all(known)


def _reward(reward: RubricReward, texts: list[str]) -> None:
    given: dict[str, Any] = {
        "prompts": [RUBRICS[i // GROUP].prompt.text for i in range(ROWS)],
        "rubric": [COLUMNS[i // GROUP] for i in range(ROWS)],
        "log_metric": lambda name, value: None,
        "log_extra": lambda name, values: None,
    }
    found = asyncio.run(reward(completions=texts, **given))
    assert len(found) == ROWS
    assert None not in found


def _rate(work: Callable[[list[str]], None], distinct: int = GROUP) -> float:
    texts = _texts(distinct)
    start = time.perf_counter()
    work(texts)
    return ROWS / (time.perf_counter() - start)


def test_a_reward_costs_little_more_than_its_judge(benchmark, config, tmp_path, capsys):
    with Store.open(tmp_path / "judge.sqlite") as store, closing(uvloop.new_event_loop()) as loop:
        judge = loop.run_until_complete(Judge(config, store).__aenter__())
        reward = rubric_reward(config, store=tmp_path / "reward.sqlite")
        judged = [_rate(lambda t: loop.run_until_complete(_judge(judge, t))) for _ in range(3)]
        rewarded: list[float] = []
        benchmark.pedantic(lambda: rewarded.append(_rate(lambda t: _reward(reward, t))), rounds=3)
        repeated = _rate(lambda t: _reward(reward, t), distinct=2)
        loop.run_until_complete(judge.__aexit__(None, None, None))
        reward.close()
    bound = IN_FLIGHT / LATENCY
    with capsys.disabled():
        print(
            f"\nrewards: {max(rewarded):,.0f} rows/s, the judge alone {max(judged):,.0f}/s (ratio "
            f"{max(rewarded) / max(judged):.2f}; bound {bound:,.0f}/s); with 8 equal responses "
            f"each {repeated:,.0f} rows/s ({repeated / max(rewarded):.1f} times)"
        )
