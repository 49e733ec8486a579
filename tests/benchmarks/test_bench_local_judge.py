"""The judge in this process, on the real small model: what batches and kept beginnings save."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "realservers"))

from grading_samples import items

from rubricbench import models
from rubricbench.judging import JudgeConfig
from rubricbench.judging.backends import prefixes
from rubricbench.judging.backends.transformers import TransformersBackend
from rubricbench.judging.book import QuestionBook
from rubricbench.judging.request import Request

pytestmark = pytest.mark.slow
RUBRICS, RESPONSES = 3, 8


def requests(config: JudgeConfig) -> list[Request]:
    book = QuestionBook(config, b"s" * 16)
    return [
        q.request(i.response) for i in items(RUBRICS, RESPONSES) for q in book.questions(i.rubric)
    ]


async def seconds(config: JudgeConfig, **options) -> tuple[float, dict[str, int]]:
    """Return the time all requests take once the model is loaded, and their token counts."""
    asked = requests(config)
    async with TransformersBackend(config, **options) as backend:
        await backend.complete(asked[0])
        start = time.perf_counter()
        found = await asyncio.gather(*map(backend.complete, asked[1:]))
        took = time.perf_counter() - start
    names = ("prompt_tokens", "cached_tokens", "completion_tokens")
    return took, {name: sum(answer.usage[name] for answer in found) for name in names}


def test_batches_and_kept_beginnings(benchmark, monkeypatch, capsys):
    """One run of each way; the ratios are what to look at."""
    config = JudgeConfig(model=str(models.get("smollm2")), backend="transformers")
    free = JudgeConfig(
        model=config.model, backend="transformers", response_format=False, max_tokens=52
    )
    alone = {"batch_rows": 1, "kept_tokens": 0}
    rows = {
        "scored, batched, beginnings kept": benchmark.pedantic(
            lambda: asyncio.run(seconds(config)), rounds=1, iterations=1
        )
    }
    rows["written freely, batched, beginnings kept"] = asyncio.run(seconds(free))
    monkeypatch.setattr(prefixes, "LEAST_SHARED", 10**9)
    rows["scored, batched"] = asyncio.run(seconds(config))
    rows["scored, one by one"] = asyncio.run(seconds(config, **alone))
    rows["written freely, one by one"] = asyncio.run(seconds(free, **alone))
    with capsys.disabled():
        print(_table(rows))


def _table(rows: dict[str, tuple[float, dict[str, int]]]) -> str:
    calls = RUBRICS * RESPONSES - 1
    best = next(iter(rows.values()))[0]
    lines = ["", f"{calls} calls of six criteria on SmolLM2-135M:"]
    for name, (took, tokens) in rows.items():
        computed = tokens["prompt_tokens"] - tokens["cached_tokens"]
        lines.append(
            f"  {name:42}{took:7.1f} s {took / best:6.2f}x  prompt tokens computed {computed:7,} "
            f"of {tokens['prompt_tokens']:,}"
        )
    return "\n".join(lines)
