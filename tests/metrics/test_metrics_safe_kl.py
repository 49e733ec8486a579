"""The largest safe KL: where gold turns, and how often that is said of gold that does not."""

from __future__ import annotations

import numpy as np
import pytest
from cover_audit import run_curves
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.safe_kl import Safety, safe_kl

KL = np.array([0.0, 0.2, 0.5, 1.0, 2.0, 3.0])


def names(n: int) -> list[str]:
    return [f"p{i:03}" for i in range(n)]


def curve(means: list[float], n: int = 60, noise: float = 0.01, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array(means) + noise * rng.normal(size=(n, len(means)))


def test_a_clear_turn_is_found_where_it_is():
    # Steps of 0.1 with a standard error of 0.01 √2/√60 = .002: fifty of them.
    found = safe_kl(names(60), curve([0.1, 0.2, 0.3, 0.4, 0.3, 0.2]), KL)
    assert found.safety is Safety.DECLINES
    assert (found.largest.low, found.largest.estimate, found.largest.high) == (1, 1, 1)
    assert found.onset.estimate == 2  # below the peak there and at 3
    assert found.safe_up_to.estimate == 1
    assert found.drop.estimate == pytest.approx(0.2, abs=0.01)
    assert found.drop.low > 0.15


def test_gold_that_rises_is_censored_at_the_end_of_the_range():
    found = safe_kl(names(60), curve([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), KL)
    assert found.safety is Safety.NO_DECLINE
    assert found.largest.estimate == 3
    assert found.largest.interval is None
    assert [c.code for c in found.largest.warnings] == ["censored"]
    assert found.onset.estimate is None
    assert found.safe_up_to.estimate == 3


def test_gold_that_falls_from_the_start_is_safe_nowhere():
    found = safe_kl(names(60), curve([0.6, 0.5, 0.4, 0.3, 0.2, 0.1]), KL)
    assert found.largest.estimate == 0
    assert found.largest.interval == (0, 0)
    assert found.onset.estimate == 0.2


def test_skewed_gold_and_few_prompts_are_cautioned_in_every_figure():
    # One prompt of 60 holds nearly all of gold's spread at the last two points.
    gold = curve([0.0, 1.0, 0.5, 0.4])
    gold[0, 2:] += 10
    found = safe_kl(names(60), gold, np.arange(4.0))
    for result in (found.largest, found.safe_up_to, found.drop):
        assert "heavy_tail" in {c.code for c in result.warnings}
    few = safe_kl(names(30), curve([0.0, 1.0, 0.5, 0.4], n=30), np.arange(4.0))
    for result in (few.largest, few.safe_up_to, few.onset, few.drop):
        assert {c.code for c in result.warnings} == {"few_prompts"}


def test_a_fall_at_the_last_point_alone_is_no_proven_decline():
    found = safe_kl(names(60), curve([0.1, 0.2, 0.3, 0.4, 0.5, 0.3]), KL)
    assert found.safety is Safety.NO_DECLINE


def test_a_flat_top_is_inside_the_interval():
    # All three points of the top are inside unless one of them is rejected: in at most 15 of 100.
    inside = 0
    for seed in range(20):
        gold = curve([0.1, 0.4, 0.4, 0.4, 0.2, 0.1], noise=0.05, seed=seed)
        found = safe_kl(names(60), gold, KL, boot=Bootstrap(names(60), resamples=300))
        inside += found.largest.low <= 0.2 and found.largest.high >= 1.0
    assert inside >= 13  # of 20 at .85: at least 13 in 99 cases of 100


def test_flat_gold_is_called_unsafe_in_at_most_five_cases_of_a_hundred():
    # 200 draws at a true rate of 5% give at most 18 in 99 cases of 100 (binomial).
    tally = run_curves(50, 0.0, 0.0, 200, seed=11)
    assert tally.declines <= 18


def test_the_interval_covers_a_known_turn():
    # 120 draws at a true coverage of 95% give at least 108 in 99 cases of 100 (binomial).
    tally = run_curves(50, 0.5, 0.5 / np.sqrt(0.43), 120, seed=12)
    assert tally.covered >= 108
    assert tally.declines >= 40  # it is seen as well: a wide interval would be no use


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(25)))
def test_it_depends_neither_on_the_order_of_prompts_nor_on_units(seed, order):
    gold = curve([0.1, 0.3, 0.4, 0.3, 0.2, 0.2], n=25, noise=0.1, seed=seed)
    ids = np.array(names(25))
    boots = [Bootstrap(x, resamples=200) for x in (ids, ids[order])]
    found = safe_kl(ids, gold, KL, boot=boots[0])
    moved = safe_kl(ids[order], 3 * gold[order] - 7, KL, boot=boots[1])
    assert found.safety is moved.safety
    assert found.largest.interval == moved.largest.interval
    assert found.largest.estimate == moved.largest.estimate


@pytest.mark.parametrize(
    ("gold", "kl", "why"),
    [
        (np.ones((30, 6)), KL, "gold is the same"),
        (curve([0.0] * 6, n=10), KL, "10 prompts"),
        (curve([0.0] * 2), KL[:2], "2 points of KL"),
        (curve([0.0] * 6), 0 * KL, "the reward does not vary"),
    ],
)
def test_what_cannot_be_said_says_why(gold, kl, why):
    found = safe_kl(names(len(gold)), gold, kl)
    assert found.safety is Safety.UNKNOWN
    assert found.largest.estimate is None
    assert why in found.largest.reason


@pytest.mark.parametrize(
    ("gold", "kl", "fault"),
    [
        (curve([0.0] * 5), KL, "shape"),
        (np.full((60, 6), np.nan), KL, "not finite"),
        (curve([0.0] * 6), KL[::-1], "falls along the grid"),
    ],
)
def test_bad_input_is_refused(gold, kl, fault):
    with pytest.raises(InputError, match=fault):
        safe_kl(names(60), gold, kl)
