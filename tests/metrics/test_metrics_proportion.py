"""Wilson's interval at the effective sample size."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from rubricbench.metrics.proportion import proportions
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Method


def share(values):
    boot = Bootstrap([f"p{i}" for i in range(len(values))], resamples=0)
    return proportions(boot.means(np.array(values, dtype=float)), ["share"])[0]


def test_of_independent_trials_it_is_wilsons():
    # 30 of 100. The variance between prompts is p(1-p)/(n-1), so the effective size is n - 1 = 99;
    # t with 99 degrees of freedom in place of z: the level whose z it is.
    level = 2 * stats.norm.cdf(stats.t.ppf(0.975, 99)) - 1
    low, high = proportion_confint(0.3 * 99, 99, alpha=1 - level, method="wilson")
    found = share([1] * 30 + [0] * 70)
    assert found.method is Method.WILSON
    assert found.estimate == pytest.approx(0.3)
    assert found.interval == pytest.approx((low, high))


@pytest.mark.parametrize("value", [0, 1])
def test_a_share_without_spread_at_an_end_keeps_a_width(value):
    found = share([value] * 20)
    # Wilson at p = 0: t²/(n + t²) with t = 2.093 of 19 degrees of freedom: 4.381 / 24.381
    assert found.high - found.low == pytest.approx(0.1797, abs=1e-4)
    assert value in (found.low, found.high)
    assert {c.code for c in found.warnings} <= {"few_prompts"}


def test_a_rare_outcome_is_skewed_and_needs_no_caution():
    # 4 of 100: Student's interval would begin at .0009, Wilson's at .015 (its low end for 4 of 99)
    found = share([1] * 4 + [0] * 96)
    assert found.low == pytest.approx(0.015, abs=0.001)
    assert not found.warnings


def test_clusters_that_vary_less_than_coins_have_a_narrower_interval():
    coins, halves = share([0, 1] * 50), share([0.4, 0.6] * 50)
    assert halves.high - halves.low < (coins.high - coins.low) / 4


def test_one_prompt_has_no_interval():
    found = share([1])
    assert (found.estimate, found.interval) == (1, None)
    assert [c.code for c in found.warnings] == ["one_prompt"]


def test_a_share_that_no_prompt_has_says_why():
    found = share([np.nan, np.nan])
    assert found.estimate is None
    assert found.reason
