"""Vectorised scoring: verdicts a second, as a ratio to the target and to the scalar form."""

from __future__ import annotations

import time

import numpy as np

from rubricbench.schema import Criterion, Prompt, Rubric, met, unmet
from rubricbench.scoring import score, score_matrix

TARGET_VERDICTS_PER_SECOND = 1_000_000


def test_matrix_scoring_reaches_a_million_verdicts_a_second(benchmark, capsys):
    rubric = Rubric(
        prompt=Prompt.from_text("p"),
        criteria=tuple(
            Criterion(criterion=f"c{i}", weight=w) for i, w in enumerate((3, 2, 1, 3, 2, 1, 1, -2))
        ),
    )
    credits = np.random.default_rng(0).integers(0, 2, (20_000, 8)).astype(float)
    benchmark(score_matrix, rubric, credits)
    rate = credits.size / benchmark.stats.stats.median

    rows = credits[:2000]
    start = time.perf_counter()
    for row in rows:
        score(
            rubric,
            [(met if v else unmet)(c.id) for c, v in zip(rubric.criteria, row, strict=True)],
        )
    scalar = rows.size / (time.perf_counter() - start)
    with capsys.disabled():
        print(
            f"\nscoring: {rate / 1e6:.1f}M verdicts/s, {rate / TARGET_VERDICTS_PER_SECOND:.1f}x "
            f"the target; {rate / scalar:.0f}x the scalar form ({scalar / 1e3:.0f}k/s)"
        )
