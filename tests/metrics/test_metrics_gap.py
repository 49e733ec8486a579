"""The proxy-gold gap, and drift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from trajectories import noisy, run

from rubricbench.metrics.drift import drift
from rubricbench.metrics.gap import gap


def test_both_rewards_start_at_zero_and_count_in_spreads_of_the_initial_policy() -> None:
    """Gold rises by 1 with a spread of 2, the proxy by 6 with 4: 6/4 − 1/2 = 1."""
    found = gap(run([[5.0, 6.0], [7.0, 8.0]], proxy=[1.0, 7.0]))
    assert [r.estimate for r in found.gap] == [0.0, 1.0]
    assert [r.estimate for r in found.proxy] == [0.0, 1.5]
    assert [r.estimate for r in found.gold] == [0.0, 0.5]
    assert found.steps == (0, 10)


def test_its_interval_is_the_t_interval_of_paired_differences() -> None:
    r = noisy([0.0, 1.0], 30, proxy=[0.0, 2.0])
    own = (2.0 - 0.0) / 4 - (r.gold[1] - r.gold[0]) / 2
    expected = stats.t.interval(0.95, 29, own.mean(), stats.sem(own))
    assert gap(r).gap[1].interval == pytest.approx(expected)


@pytest.mark.parametrize("scale", [0.1, 7.0])
def test_units_of_a_reward_do_not_matter(scale: float) -> None:
    r = noisy([0.0, 1.0], proxy=[0.0, 2.0])
    scaled = replace(
        r,
        columns={**r.columns, "proxy": r.columns["proxy"] * scale + 3},
        base={**r.base, "proxy": (3.0, 4.0 * scale)},
    )
    assert gap(scaled).gap[1].estimate == pytest.approx(gap(r).gap[1].estimate)


def test_what_has_no_gap_says_why() -> None:
    r = run([[5.0, 6.0], [7.0, 8.0]], proxy=[1.0, 7.0])
    assert "proxy was not logged" in gap(run([[5.0, 6.0]] * 2)).gap[1].reason
    assert "no step 0" in gap(replace(r, steps=np.array([10, 20]))).gap[1].reason
    constant = replace(r, base={**r.base, "proxy": (1.0, 0.0)})
    assert "the same for all samples" in gap(constant).gap[1].reason
    assert gap(constant).gold[1].estimate == 0.5
    assert "not known" in gap(replace(r, base={})).gap[1].reason


def test_drift_is_the_change_since_step_0() -> None:
    length = np.array([[100.0, 150.0, 300.0], [200.0, 250.0, 300.0]])
    found = {d.name: d for d in drift([run(np.zeros((2, 3)), length=length)])}
    assert [r.estimate for r in found["length"].level] == [150.0, 200.0, 300.0]
    assert [r.estimate for r in found["length"].change] == [0.0, 50.0, 150.0]
    # Changes 200 and 100: mean 150, standard error 50, t₁ = 12.706.
    assert found["length"].last.over_prompts.high == pytest.approx(150 + 50 * 12.706, rel=1e-4)
    assert "ended was not logged" in found["eos_rate"].change[1].reason


def test_groups_without_spread_are_a_share_of_the_prompts() -> None:
    tied = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    found = {d.name: d for d in drift([run(np.zeros((4, 2)), no_spread=tied)])}
    assert [r.estimate for r in found["zero_spread_share"].level] == [0.25, 0.75]


def test_drift_without_step_0_has_levels_only() -> None:
    r = run(np.zeros((3, 2)), steps=[10, 20], length=[5.0, 6.0])
    (length, *_) = drift([r])
    assert length.level[1].estimate == 6.0
    assert "no step 0" in length.change[1].reason
