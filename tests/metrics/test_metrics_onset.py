"""Onset: worked cases, false alarms, power, and censoring."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from trajectories import noisy, run

from rubricbench.metrics.onset import critical_value, onset
from rubricbench.metrics.simultaneous import Means

RISING = np.linspace(0, 1, 8)
FALLS = np.array([0.0, 0.5, 1.0, 1.0, 0.2, 0.2, 0.1, 0.0])
KL = np.array([0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0])


def test_a_clear_fall_is_found_at_its_first_checkpoint() -> None:
    r = noisy(FALLS, 200, noise=0.3, proxy=RISING, kl=KL)
    found = onset([r])
    assert found.step.over_prompts.estimate == 40  # the fifth checkpoint, ten steps apart
    assert found.kl.over_prompts.estimate == 16.0
    assert found.root_kl.over_prompts.estimate == 4.0
    assert found.fall.over_prompts.low > 0


def test_a_fall_at_a_single_checkpoint_is_no_onset() -> None:
    # Whether the third or fourth is below the second by noise is up to the 5%: not with this key.
    dip = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    found = onset([noisy(dip, 200, noise=0.2, proxy=np.arange(6.0), key=1)])
    assert found.step.over_prompts.estimate is None
    (censored,) = [c for c in found.step.over_prompts.warnings if c.code == "censored"]
    assert "but not at two checkpoints running" in censored.text


def test_a_collapse_at_the_last_checkpoint_is_said() -> None:
    collapse = np.array([0.0, 1.0, 2.0, 3.0, -1.0])
    found = onset([noisy(collapse, 200, noise=0.2, proxy=np.arange(5.0))]).step.over_prompts
    assert found.estimate is None
    assert any("fallen at step 40, but not at two" in c.text for c in found.warnings)


def test_a_proxy_that_falls_with_gold_is_no_over_optimization() -> None:
    r = noisy(FALLS, 200, noise=0.3, proxy=FALLS, kl=KL)
    found = onset([r]).step.over_prompts
    assert found.estimate is None
    (censored,) = [c for c in found.warnings if c.code == "censored"]
    assert "so has the proxy" in censored.text


def test_a_proxy_that_has_levelled_off_does_not_hide_the_onset() -> None:
    rng = np.random.default_rng(0)
    proxy = np.minimum(RISING * 3, 1.0) + 0.5 * rng.standard_normal((200, 8))
    found = onset([noisy(FALLS, 200, noise=0.3, proxy=proxy, kl=KL)])
    assert found.step.over_prompts.estimate == 40


def test_none_is_censored_at_the_last_checkpoint() -> None:
    found = onset([noisy(RISING, 100, noise=0.2, proxy=RISING, kl=KL)])
    assert found.step.over_prompts.low == 70
    assert found.kl.over_prompts.low == 49.0
    assert found.root_kl.over_prompts.low == 7.0
    for r in (found.step, found.kl, found.root_kl):
        assert r.over_prompts.estimate is None
        assert "censored" in [c.code for c in r.over_prompts.warnings]
    assert found.detectable.over_prompts.estimate > 0


def test_what_cannot_be_computed_says_why() -> None:
    assert "the proxy was not logged" in onset([noisy(FALLS)]).step.over_prompts.reason
    assert "one prompt" in onset([noisy(FALLS, 1, proxy=RISING)]).step.over_prompts.reason
    two = onset([noisy(FALLS[:2], proxy=RISING[:2])]).step.over_prompts
    assert "2 checkpoints" in two.reason
    without = onset([noisy(FALLS, 200, noise=0.3, proxy=RISING)])
    assert without.step.over_prompts.estimate == 40
    assert "KL" in without.kl.over_prompts.reason


def test_the_critical_value_of_two_checkpoints_after_one_is_a_bivariate_t() -> None:
    """Of three independent checkpoints one pair is left: z(0,1) and z(0,2), correlated by 1/2.

    Both exceed c with probability 5%; by scipy's bivariate t with 199 degrees of freedom.
    """
    values = np.random.default_rng(1).standard_normal((200, 3))
    values -= values.mean(axis=0)
    values = values @ np.linalg.inv(np.linalg.cholesky(np.cov(values.T))).T  # exactly uncorrelated
    means = Means.of(values, np.array([f"{i:03d}" for i in range(200)]))
    c = critical_value(means)
    law = stats.multivariate_t(shape=[[1, 0.5], [0.5, 1]], df=199, seed=2)
    both = law.cdf([-c, -c])
    # The 95% quantile of 2,000 draws: the probability beyond it has an error of 0.5%.
    assert both == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("mean", [np.zeros(8), np.minimum(RISING * 3, 1.0)])
def test_where_gold_never_falls_an_onset_is_rare(mean: np.ndarray) -> None:
    """150 draws at 5%: more than 18 has a chance below 1e-4 (binomial)."""
    alarms = sum(
        onset([noisy(mean, proxy=RISING, key=key)]).step.over_prompts.estimate is not None
        for key in range(150)
    )
    assert alarms <= stats.binom.ppf(1 - 1e-4, 150, 0.05)


def test_choosing_the_peak_and_testing_as_if_given_would_alarm_far_more_often() -> None:
    """The literal rule, one-sided 95% bounds at two checkpoints running, on flat gold."""
    alarms = 0
    for key in range(200):
        gold = noisy(np.zeros(8), key=key).gold.T
        top = gold.mean(axis=0).argmax()
        t = stats.ttest_1samp(gold[:, [top]] - gold, 0.0, nan_policy="omit").statistic[top + 1 :]
        clear = t > stats.t.ppf(0.95, 59)
        alarms += bool((clear[:-1] & clear[1:]).any())
    assert alarms > 22  # 11%, where 5% is promised


def test_the_detectable_fall_is_found_four_times_in_five() -> None:
    """A fall of that size at the last two checkpoints: at least 80%, less 4 binomial errors."""
    found = 0
    for key in range(100):
        flat = noisy(np.zeros(4), proxy=np.arange(4.0), key=key)
        size = onset([flat]).detectable.over_prompts.estimate
        gold = flat.gold.T - np.array([10.0, 0.0, size, size])
        result = onset([run(gold, proxy=np.arange(4.0))])
        found += result.step.over_prompts.estimate == 20
    assert found >= 64


def test_seeds_without_an_onset_are_left_out_and_counted() -> None:
    falls = [noisy(FALLS, 100, noise=0.2, proxy=RISING, kl=KL, seed=s, key=s) for s in (0, 1)]
    holds = noisy(RISING, 100, noise=0.2, proxy=RISING, kl=KL, seed=2, key=2)
    found = onset([*falls, holds]).step.over_seeds
    assert found.n == 2
    assert "left_out" in [c.code for c in found.warnings]
