from __future__ import annotations

import math

import numpy as np
import pytest

from rubricbench.certify.measure import (
    Influence,
    Measure,
    Method,
    Prompts,
    mean,
    rate,
    spread,
    t_interval,
    wilson_by_prompt,
)


def test_a_mean_over_equal_prompts_has_the_t_interval_of_their_means():
    # Prompt means 0.5, 0, 1, 0.5: mean 0.5, sd sqrt(0.5/3) = 0.40825, error 0.40825/2 = 0.20412.
    # t(0.975, 3) = 3.18245, half width 0.64962.
    found = mean(np.array([1, 0, 0, 0, 1, 1, 0, 1.0]), Prompts(list("aabbccdd")))
    assert found.value == 0.5
    assert found.interval == pytest.approx((0.5 - 0.64962, 0.5 + 0.64962), abs=1e-5)
    assert (found.items, found.prompts, found.method) == (8, 4, Method.LINEAR)


def test_a_mean_weighs_rows_not_prompts_and_leaves_unknown_ones_out():
    # a: 1, 1, 0 and b: 0, one row of each unknown: 2/4.
    values = np.array([1, 1, 0, math.nan, 0, math.nan])
    found = mean(values, Prompts(list("aaaabb")))
    assert found.value == 0.5
    assert found.items == 4


def test_nothing_known_has_no_mean():
    assert mean(np.array([math.nan, math.nan]), Prompts(["a", "b"])) == Measure(None)


def test_one_prompt_has_no_interval():
    found = mean(np.array([1.0, 0.0]), Prompts(["a", "a"]))
    assert (found.value, found.interval, found.method) == (0.5, None, Method.NONE)


def test_wilson_with_one_trial_a_prompt_is_wilsons_with_t():
    # 8 of 10: variance 10/9·(8·.2² + 2·.8²)/100 = .16/9, so the effective size is 9 = G - 1.
    # t² = 2.262157² = 5.117355: centre (.8 + .284298)/(1 + .568595) = .691254,
    # half 2.262157·sqrt(.16/9 + 5.117355/(4·81))/1.568595 = .264242.
    found = wilson_by_prompt(np.array([1.0] * 8 + [0.0] * 2), np.ones(10))
    assert found.interval == pytest.approx((0.691254 - 0.264242, 0.691254 + 0.264242), abs=1e-5)


def test_trials_that_go_together_count_as_one():
    # Each prompt's five trials agree: the interval is that of a trial a prompt.
    alone = wilson_by_prompt(np.array([1.0] * 8 + [0.0] * 2), np.ones(10))
    together = wilson_by_prompt(np.array([5.0] * 8 + [0.0] * 2), np.full(10, 5.0))
    assert together.interval == pytest.approx(alone.interval)


@pytest.mark.parametrize(("hit", "end"), [(0.0, 0), (1.0, 1)])
def test_a_rate_without_spread_takes_prompts_as_its_size(hit: float, end: int):
    # Rule of the cautious: 20 prompts, t(.975, 19) = 2.093024, t²/(n + t²) = 4.380750/24.380750.
    found = wilson_by_prompt(np.full(20, 4 * hit), np.full(20, 4.0))
    width = 4.380750 / 24.380750
    assert found.interval == pytest.approx((0, width) if end == 0 else (1 - width, 1), abs=1e-6)


def test_a_rate_counts_only_the_rows_it_is_among():
    hits, among = np.array([1, 1, 0, 1], bool), np.array([1, 1, 1, 0], bool)
    found = rate(hits, among, Prompts(list("aabc")))
    assert (found.value, found.items, found.prompts) == (pytest.approx(2 / 3), 3, 2)


def test_independent_samples_add_their_variances():
    parts = [Influence(np.array(["a", "b"]), np.array([3.0, 0.0])),
             Influence(np.array(["c", "d"]), np.array([0.0, 4.0]))]  # fmt: skip
    assert spread(parts)[0] == 5.0  # sqrt(3² + 4²)


def test_samples_that_share_prompts_are_correlated():
    names = np.array(["a", "b"])
    same = [Influence(names, np.array([3.0, 1.0])), Influence(names, np.array([-3.0, 1.0]))]
    assert spread(same)[0] == 2.0  # sqrt(0² + 2²)


def test_the_sample_with_the_variance_gives_the_degrees_of_freedom():
    many = Influence(np.array([f"m{i}" for i in range(100)]), np.full(100, 1e-6))
    few = Influence(np.array([f"f{i}" for i in range(5)]), np.ones(5))
    assert spread([many, few])[1] == 4


def test_a_value_that_is_not_finite_is_none():
    part = Influence(np.array(["a", "b"]), np.array([1.0, 1.0]))
    assert t_interval(math.nan, [part], items=2).value is None
