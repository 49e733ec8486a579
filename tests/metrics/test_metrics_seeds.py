from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from coverage_table import coverage
from scipy import stats

from rubricbench.metrics.resample import FEW_PROMPTS_T
from rubricbench.metrics.result import Method
from rubricbench.metrics.seeds import (
    FEW_SEEDS,
    over_seeds,
    over_seeds_and_prompts,
    seed_difference,
)


def codes(result):
    return {c.code for c in result.warnings}


def test_three_seeds_get_a_t_interval_with_two_degrees_of_freedom():
    # Mean .5, sd .1, error .1/sqrt(3) = .057735, t(.975, 2) = 4.302653: half width .248414.
    found = over_seeds([0.4, 0.5, 0.6], "win rate")
    assert found.interval == pytest.approx((0.5 - 0.248414, 0.5 + 0.248414), abs=1e-6)
    assert (found.n, found.unit, found.method) == (3, "seeds", Method.SEEDS)
    assert codes(found) == {"few_seeds"}


def test_it_is_the_t_interval_of_scipy_whatever_the_level():
    values = [0.31, 0.36, 0.28, 0.4, 0.33]
    ends = stats.t.interval(0.9, 4, np.mean(values), stats.sem(values))
    found = over_seeds(values, "gold", level=0.9)
    assert found.interval == pytest.approx(ends)


def test_one_seed_has_an_estimate_and_no_interval():
    found = over_seeds([0.4], "gold")
    assert (found.estimate, found.interval, found.method) == (0.4, None, Method.NONE)
    assert codes(found) == {"one_seed"}


def test_a_seed_without_a_value_is_left_out_and_said():
    found = over_seeds([0.4, math.nan, 0.6], "onset")
    assert (found.estimate, found.n) == (0.5, 2)
    assert codes(found) == {"few_seeds", "left_out"}
    assert over_seeds([math.nan], "onset").reason == "no seed has a value"


def test_arms_differ_over_the_seeds_they_share():
    # Seeds 1 and 2: differences .1 and .3, mean .2; seed 0 and seed 5 have one arm only.
    found = seed_difference({0: 9.0, 1: 0.5, 2: 0.5}, {2: 0.8, 1: 0.6, 5: 9.0}, "difference")
    assert (found.estimate, found.n) == (pytest.approx(0.2), 2)
    assert codes(found) == {"few_seeds", "left_out"}
    assert seed_difference({0: 1.0}, {1: 1.0}, "difference").estimate is None


def crossed(rng, seeds=4, prompts=30, seed_sd=0.5, prompt_sd=1.0, rest_sd=0.7):
    return (
        seed_sd * rng.normal(size=(seeds, 1))
        + prompt_sd * rng.normal(size=(1, prompts))
        + rest_sd * rng.normal(size=(seeds, prompts))
    )


def test_seeds_and_prompts_have_the_mean_squares_of_a_two_way_analysis_of_variance():
    table = crossed(np.random.default_rng(1), seed_sd=0.1)
    seeds, prompts = np.indices(table.shape)
    data = pd.DataFrame({"y": table.ravel(), "s": seeds.ravel(), "p": prompts.ravel()})
    anova = sm.stats.anova_lm(smf.ols("y ~ C(s) + C(p)", data=data).fit())
    squares, freedom = anova["sum_sq"] / anova["df"], anova["df"]
    total = squares.iloc[0] + squares.iloc[1] - squares.iloc[2]
    df = total**2 / (squares**2 / freedom).sum()
    half = stats.t.ppf(0.975, df) * math.sqrt(total / table.size)
    assert half > stats.t.ppf(0.975, 3) * stats.sem(table.mean(axis=1))  # else seeds decide
    found = over_seeds_and_prompts(table, "gold")
    assert found.interval == pytest.approx((table.mean() - half, table.mean() + half))


def test_the_interval_of_both_is_never_narrower_than_that_of_the_seeds():
    table = crossed(np.random.default_rng(1), seeds=3, seed_sd=3.0)
    over_both = over_seeds_and_prompts(table, "gold")
    assert over_both.interval == pytest.approx(over_seeds(table.mean(axis=1), "gold").interval)


def test_with_one_seed_or_one_prompt_nothing_is_known_of_new_ones():
    assert codes(over_seeds_and_prompts(np.zeros((1, 5)), "gold")) == {"one_seed"}
    found = over_seeds_and_prompts(np.zeros((5, 1)), "gold")
    assert (codes(found), found.interval) == ({"one_prompt", "few_seeds"}, None)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 3)), np.full((2, 2), math.nan)])
def test_a_table_with_holes_is_refused(bad):
    with pytest.raises(ValueError, match="every cell"):
        over_seeds_and_prompts(bad, "gold")


def test_seeds_are_few_until_they_could_show_that_they_are_skewed():
    # The same interval over prompts is cautioned below the same number, for the same reason.
    assert FEW_SEEDS == FEW_PROMPTS_T
    for n in (2, 5, FEW_SEEDS - 1):
        assert codes(over_seeds(np.arange(n), "gold")) == {"few_seeds"}
    assert codes(over_seeds(np.arange(FEW_SEEDS), "gold")) == set()
    # 19 seeds at 0, one at 1: skewness over √n is (.95³ − 19·.05³) / (.95² + 19·.05²)^1.5 = .92.
    collapsed = over_seeds(np.arange(FEW_SEEDS) == 0, "gold")
    assert codes(collapsed) == {"heavy_tail"}
    assert "one seed of 20 makes 95% of the variance" in collapsed.warnings[0].text


def test_three_seeds_cover_where_seeds_are_normal():
    # 400 draws: the binomial's standard deviation at .95 is .011; four of them are allowed.
    found = coverage(
        "3 seeds",
        lambda rng: rng.normal(size=3),
        lambda x: over_seeds(x, "gold"),
        0.0,
        400,
        show=False,
    )[""]
    assert abs(found.share - 0.95) < 0.044
    assert found.codes["few_seeds"] == 1
