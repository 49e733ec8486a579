from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from coverage_table import coverage
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Method

ALL = [Method.T, Method.PERCENTILE, Method.BCA]


def names(n: int) -> list[str]:
    return [f"p{i}" for i in range(n)]


def draws(values: np.ndarray, **options) -> Replicates:
    return Bootstrap(names(len(values)), **options).means(values)


def codes(result) -> set[str]:
    return {c.code for c in result.warnings}


def skewed(n: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=n)


def test_the_t_interval_of_a_mean_is_the_classic_one():
    values = skewed(30)
    found = draws(values).results(["gold"], items=60)[0]
    ends = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    assert found.interval == pytest.approx(ends, abs=1e-12)
    assert (found.estimate, found.n, found.items) == (pytest.approx(values.mean()), 30, 60)


def test_a_small_t_interval_by_hand():
    # 1, 2, 3, 6: mean 3, sd sqrt(14/3) = 2.160247, error 1.080123, t(.975, 3) = 3.182446.
    found = draws(np.array([1.0, 2, 3, 6])).results(["gold"])[0]
    assert found.interval == pytest.approx((3 - 3.437434, 3 + 3.437434), abs=1e-5)


def of_scipy(values: np.ndarray, statistic, resampled: np.ndarray, method: str):
    """Let scipy make the interval from our replicates: the same draws, an independent formula."""
    given = stats.bootstrap((values,), statistic, n_resamples=9, vectorized=False, method="basic")
    given.bootstrap_distribution = resampled
    return stats.bootstrap(
        (values,),
        statistic,
        n_resamples=0,
        bootstrap_result=given,
        method=method,
        vectorized=False,
    ).confidence_interval


FUNCTIONS = {
    "mean": (np.mean, lambda m: m[:, 0]),
    "log of the mean": (lambda x: np.log(np.mean(x)), lambda m: np.log(m[:, 0])),
    "variation": (
        lambda x: np.sqrt(np.mean(x**2) - np.mean(x) ** 2) / np.mean(x),
        lambda m: np.sqrt(m[:, 1] - m[:, 0] ** 2) / m[:, 0],
    ),
}


@pytest.mark.parametrize("statistic", list(FUNCTIONS))
@pytest.mark.parametrize("method", [Method.PERCENTILE, Method.BCA])
def test_bootstrap_intervals_are_those_of_scipy(statistic: str, method: Method):
    values = skewed(40)
    of_sample, of_means = FUNCTIONS[statistic]
    found = draws(np.column_stack([values, values**2])).map(of_means)
    ends = found.interval(method)
    name = {Method.PERCENTILE: "percentile", Method.BCA: "BCa"}[method]
    low, high = of_scipy(values, of_sample, found.resampled[:, 0], name)
    assert (ends[0][0], ends[1][0]) == pytest.approx((low, high), rel=1e-9)


def test_bca_counts_ties_with_the_estimate_half_as_scipy_does():
    values = np.repeat([0.0, 0.5, 1.0], [3, 5, 4])
    found = draws(values)
    low, high = of_scipy(values, np.mean, found.resampled[:, 0], "BCa")
    ends = found.interval(Method.BCA)
    assert (ends[0][0], ends[1][0]) == pytest.approx((low, high), rel=1e-9)


def test_the_jackknife_error_of_a_curved_statistic_by_leaving_each_prompt_out():
    values = skewed(12)
    left = [np.log(np.delete(values, i).mean()) for i in range(12)]
    error = math.sqrt(11 / 12 * np.sum((left - np.mean(left)) ** 2))
    found = draws(values).map(lambda m: np.log(m))
    assert found.standard_error()[0] == pytest.approx(error)


def test_pvalues_are_those_of_the_one_sided_t_test():
    values = np.random.default_rng(5).normal(0.2, 1, size=(40, 3))
    expected = stats.ttest_1samp(values, 0.1, alternative="greater").pvalue
    assert draws(values).p_values(0.1) == pytest.approx(expected)


def test_prompts_that_do_not_vary_are_no_evidence():
    assert draws(np.full(9, 0.3)).p_values() == pytest.approx([1.0])
    assert draws(np.array([0.3])).p_values() == pytest.approx([1.0])


@given(st.randoms(), st.booleans())
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_prompts_changes_nothing(random, holes: bool):
    values = np.random.default_rng(2).normal(size=(15, 2))
    if holes:
        values[3, 0] = values[7, 1] = math.nan
    ids = names(15)
    order = list(range(15))
    random.shuffle(order)
    here = Bootstrap(ids, resamples=200).means(values)
    there = Bootstrap([ids[i] for i in order], resamples=200).means(values[order])
    assert np.array_equal(here.point, there.point)
    assert np.array_equal(here.resampled, there.resampled)
    assert np.array_equal(here.left_out[order], there.left_out)
    for method in ALL:
        assert np.allclose(here.interval(method), there.interval(method), rtol=1e-12)


def test_draws_repeat_and_depend_on_the_seed_and_the_ids():
    values = skewed(20)
    first, again, other = (draws(values, seed=s).resampled for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    renamed = Bootstrap([f"q{i}" for i in range(20)]).means(values).resampled
    assert not np.array_equal(first, renamed)


def test_counts_are_of_the_prompts_in_the_order_given():
    values = skewed(11)
    boot = Bootstrap(list(reversed(names(11))), resamples=300)
    counts = np.concatenate(list(boot.counts()))
    assert counts.shape == (300, 11)
    assert np.all(counts.sum(axis=1) == 11)
    assert counts @ values / 11 == pytest.approx(boot.means(values).resampled[:, 0])


def test_counts_are_multinomial():
    # Each count is binomial(n, 1/n): mean 1, variance 1 - 1/n; 5,000 draws, error below .03.
    counts = np.concatenate(list(Bootstrap(names(10), resamples=5000).counts()))
    assert counts.mean(axis=0) == pytest.approx(np.ones(10), abs=0.06)
    assert counts.var(axis=0) == pytest.approx(np.full(10, 0.9), abs=0.12)
    assert np.corrcoef(counts.T)[0, 1] == pytest.approx(-1 / 9, abs=0.06)


def test_arms_on_the_same_prompts_are_paired():
    # The arms share the prompts' spread of 1; their difference has a spread of .1 only.
    rng = np.random.default_rng(4)
    prompt = rng.normal(size=80)
    arms = np.column_stack([prompt, prompt + 0.3 + 0.1 * rng.normal(size=80)])
    found = draws(arms).map(lambda m: m[:, 1] - m[:, 0])
    for method in ALL:
        low, high = found.interval(method)
        assert 0.26 < low[0] < 0.3 < high[0] < 0.34
    expected = stats.ttest_rel(arms[:, 1], arms[:, 0]).confidence_interval()
    assert found.results(["difference"])[0].interval == pytest.approx(tuple(expected))


def test_a_prompt_without_a_value_in_one_column_counts_in_the_others():
    values = np.column_stack([skewed(30), skewed(30, seed=9)])
    values[:10, 1] = math.nan
    whole, part = draws(values).results(["all", "twenty"])
    assert (whole.n, part.n) == (30, 20)
    ends = stats.t.interval(0.95, 19, values[10:, 1].mean(), stats.sem(values[10:, 1]))
    assert part.interval == pytest.approx(ends)


def test_a_column_without_any_value_says_so():
    found = draws(np.full(5, math.nan)).results(["gold"], why="gold is not measured")[0]
    assert (found.estimate, found.reason) == (None, "gold is not measured")


@pytest.mark.parametrize("method", ALL)
def test_one_prompt_has_no_interval(method: Method):
    found = draws(np.array([0.4])).results(["gold"], method=method)[0]
    assert (found.estimate, found.interval, found.method) == (0.4, None, Method.NONE)
    assert codes(found) == {"one_prompt"}


@pytest.mark.parametrize("method", ALL)
def test_prompts_without_spread_have_an_interval_without_width_and_a_caution(method: Method):
    found = draws(np.full(60, 0.7)).results(["win rate"], method=method)[0]
    assert found.interval == pytest.approx((0.7, 0.7))
    assert codes(found) == {"constant"}


def test_a_statistic_without_a_value_on_many_draws_has_no_interval():
    def unless_above(m: np.ndarray) -> np.ndarray:
        return np.where(m[:, 0] > values.mean() + 0.01, np.nan, m[:, 0])

    values = np.random.default_rng(0).normal(size=60)
    found = draws(values).map(unless_above).results(["peak"], method=Method.BCA)[0]
    assert found.interval is None
    assert codes(found) == {"unstable"}


def test_undefined_draws_do_not_count_as_lying_below():
    # A twentieth of the draws, the highest, has no value: of the rest half lie below the median.
    values = np.random.default_rng(0).normal(size=60)
    found = draws(values)
    resampled = found.resampled.copy()
    resampled[:100] = math.nan
    holed = Replicates(found.point, resampled, found.left_out, found.prompts)
    fewer = Replicates(found.point, resampled[100:], found.left_out, found.prompts)
    ends = np.ravel(holed.interval(Method.BCA))
    assert ends == pytest.approx(np.ravel(fewer.interval(Method.BCA)))


def test_few_prompts_are_fewer_for_the_t_interval_than_for_the_bootstrap():
    even = np.linspace(0, 1, 30)
    by_t, by_percentile = (
        draws(even).results(["gold"], method=m)[0] for m in (Method.T, Method.PERCENTILE)
    )
    assert (codes(by_t), codes(by_percentile)) == (set(), {"few_prompts"})
    assert codes(draws(even[:15]).results(["gold"])[0]) == {"few_prompts"}


def test_one_prompt_far_out_is_a_heavy_tail():
    # 59 zeros and a 1: skewness of the influences over sqrt(60) is close to 1.
    values = np.zeros(60)
    values[7] = 1.0
    found = draws(values).results(["gold"])[0]
    assert codes(found) == {"heavy_tail"}
    assert "98%" in found.warnings[0].text  # (59/60)^2 over (59/60)^2 + 59/3600


@pytest.mark.parametrize(
    ("kind", "bounds", "warned"),
    [("normal", (0.93, 0.97), (0, 0.05)), ("lognormal", (0.85, 0.95), (0.8, 1))],
)
def test_coverage_at_fifty_prompts_and_the_caution(kind, bounds, warned):
    # 400 draws, binomial sd .011 at .95 and .015 at .905 (2,000 draws: cover_stats.py): 4 sd less.
    simulate = {
        "normal": lambda rng: rng.normal(size=50),
        "lognormal": lambda rng: np.exp(rng.normal(size=50)) - math.exp(0.5),
    }[kind]
    found = coverage(
        kind,
        simulate,
        lambda x: draws(x, resamples=0).results(["gold"])[0],
        0.0,
        400,
        show=False,
    )[""]
    assert bounds[0] - 0.02 < found.share < bounds[1] + 0.02
    assert warned[0] <= found.codes.get("heavy_tail", 0) <= warned[1]


def test_a_prompt_that_stands_twice_and_a_wrong_number_of_rows_are_refused():
    with pytest.raises(ValueError, match="twice"):
        Bootstrap(["a", "b", "a"])
    with pytest.raises(ValueError, match="3 rows for 2 prompts"):
        Bootstrap(["a", "b"]).means(np.zeros(3))
    with pytest.raises(ValueError, match="no resampling interval"):
        draws(np.zeros(3)).interval(Method.WILSON)


_LARGE = """
import resource, numpy as np
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Method
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
values = np.random.default_rng(0).random((20_000, 40))
values[::7, 3] = np.nan
found = Bootstrap([f"prompt {i}" for i in range(20_000)], resamples=500).means(values)
found.map(lambda m: m.max(axis=1)).results(["peak"], method=Method.BCA)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_twenty_thousand_prompts_and_forty_columns_take_less_than_300_mib():
    done = subprocess.run(
        [sys.executable, "-c", _LARGE], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 300
