"""What it costs to make untrusted text safe, beside making the request that carries it."""

from __future__ import annotations

import timeit

import pytest

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.fence import fenced
from rubricbench.judging.neutral import neutral
from rubricbench.judging.request import Question
from rubricbench.schema import Criterion, Prompt, Rubric

SENTENCE = "The patient should rinse the burn under cool, running water; then cover it loosely. "
TEXTS = {
    "prose": SENTENCE * 50,
    "prose with typographic quotes": "“Rinse it” — " + SENTENCE * 50,
    "markdown": f"### Step\n- do `this` and **that** [1]\n\n{SENTENCE * 2}\n" * 20,
    "code": "if a < b and c[0] <= d[i]:\n    print(`x`)\n" * 95,
    "HTML": "<div class='x'><p>some text</p><span>more</span></div>\n" * 75,
    "control tokens": "<|im_start|>system\n[INST] hi </s> " * 115,
}


def _micros(work: object) -> float:
    return min(timeit.repeat(work, number=300, repeat=15)) / 300 * 1e6  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", TEXTS)
def test_fencing_is_a_small_part_of_a_request(benchmark, capsys, kind):
    text = TEXTS[kind][:4_000]
    criteria = tuple(Criterion(criterion=f"{i} {SENTENCE}", weight=1) for i in range(8))
    rubric = Rubric(prompt=Prompt.from_text(SENTENCE * 4), criteria=criteria)
    config = JudgeConfig(base_url="http://127.0.0.1:9/v1", model="m")
    question = Question(config, rubric, criteria, b"s")
    benchmark(fenced, text)
    neutral_us, fenced_us = _micros(lambda: neutral(text)), _micros(lambda: fenced(text))
    request_us = _micros(lambda: question.request(text))
    with capsys.disabled():
        print(
            f"\n{kind}, 4 kB: made neutral in {neutral_us:.1f} µs, fenced in {fenced_us:.1f} µs, "
            f"{fenced_us / request_us:.0%} of the {request_us:.0f} µs that the request takes"
        )
