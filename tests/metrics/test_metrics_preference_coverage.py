"""A small version of cover_preference.py, whose figures stand in docs/metrics.md."""

import functools

import numpy as np
import pytest
from cover_preference import agreed, judged, lengthy, of_samples, preferred, sampled
from coverage_table import coverage
from scipy import special

from rubricbench.metrics.length_controlled import length_controlled_win_rate
from rubricbench.metrics.winrate import win_rate

DRAWS = 150


def prompt_truths(steps):
    """The estimates of 4,000 prompts: errors an eighth or less of those of 60 prompts."""
    found = of_samples(sampled(np.random.default_rng(99), 4000, steps))
    return {name: result.estimate for name, result in found.items()}


@pytest.mark.parametrize(
    ("simulate", "estimate", "truth"),
    [
        (functools.partial(judged, rate=0.9), lambda v: win_rate(v).win_rate, 0.9),
        (
            lengthy,
            lambda v: length_controlled_win_rate(v).length_controlled,
            float(special.expit(0.5)),
        ),
        # right 2/3 of the decided 80%
        (preferred, agreed, {"ties half": 19 / 30, "ties as wrong": 8 / 15, "decided": 2 / 3}),
    ],
    ids=["win rate", "length-controlled", "agreement"],
)
def test_intervals_of_verdicts_hold_the_truth(simulate, estimate, truth):
    _check(functools.partial(simulate, n=60), estimate, truth)


def test_intervals_of_samples_hold_the_truth():
    _check(functools.partial(sampled, n=60, steps=20.0), of_samples, prompt_truths(20.0))


def _check(simulate, estimate, truth):
    # 4 standard errors of a share of .95 in 150 draws: ±.071
    for found in coverage("", simulate, estimate, truth, draws=DRAWS, show=False).values():
        assert found.none == 0
        assert abs(found.share - 0.95) < 4 * (0.95 * 0.05 / DRAWS) ** 0.5, found.setting
