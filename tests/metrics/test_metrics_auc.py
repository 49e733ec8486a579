"""Area under gold over √KL, against scipy's quadrature and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from trajectories import noisy, run

from rubricbench.errors import InputError
from rubricbench.metrics.auc import area, auc


def one(arms: dict, arm: str = "arm"):  # type: ignore[no-untyped-def,type-arg]
    return auc(arms)[arm].area.over_prompts


def test_a_triangle_by_hand() -> None:
    """Gold 1, 3, 1 at d = 0, 1, 2: gains 0, 2, 0, a triangle of area 2 over D = 2: 1."""
    r = run([[1.0, 3.0, 1.0]] * 3, kl=[0.0, 1.0, 4.0])
    assert one({"arm": [r]}).estimate == pytest.approx(1.0)


def test_arms_are_compared_over_the_range_that_all_reach() -> None:
    """The other arm ends at d = 1: of the triangle the rising half is left, area 1 over 1."""
    far = run([[1.0, 3.0, 1.0]] * 3, kl=[0.0, 1.0, 4.0])
    near = run([[1.0, 1.5]] * 3, kl=[0.0, 1.0], arm="near")
    found = auc({"arm": [far], "near": [near]})
    assert found["arm"].reach.estimate == pytest.approx(1.0)
    assert found["arm"].area.over_prompts.estimate == pytest.approx(1.0)
    assert found["near"].area.over_prompts.estimate == pytest.approx(0.25)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 9), st.floats(-5, 5)), min_size=1, max_size=8),
    st.floats(0.05, 12),
)
def test_it_is_the_integral_of_the_broken_line(points: list, reach: float) -> None:  # type: ignore[type-arg]
    d = np.array([0.0, *sorted({round(x, 3) for x, _ in points})])
    gain = np.array([0.0, *[y for _, y in points]])[: len(d)]
    kinks = [x for x in d if 0 < x < reach]
    expected, _ = integrate.quad(
        lambda x: np.interp(x, d, gain), 0, reach, points=kinks or None, limit=200
    )
    found = area(d[None, :], gain[None, :], np.array([reach]))[0]
    assert found == pytest.approx(expected / reach, abs=1e-6)


def test_the_order_of_travel_does_not_matter_and_equal_distances_are_averaged() -> None:
    d, gain = np.array([[0.0, 1.0, 2.0, 3.0]]), np.array([[0.0, 1.0, 4.0, 2.0]])
    back = [0, 2, 1, 3]
    reach = np.array([3.0])
    assert area(d[:, back], gain[:, back], reach) == area(d, gain, reach)
    # At d = 1 gains 0 and 2 stand for 1: half a triangle (1/2) and, from 1 to 3 at D = 1, no more.
    tied = area(np.array([[0.0, 1.0, 1.0]]), np.array([[0.0, 0.0, 2.0]]), np.array([1.0]))
    assert tied[0] == pytest.approx(0.5)


def test_a_k1_estimate_below_zero_at_one_checkpoint_counts_as_no_distance() -> None:
    r = run([[0.0, 1.0, 1.0]] * 4, kl_k1=[0.0, -0.01, 1.0])
    # Gains 0 and 1 both at d = 0 count as 1/2 there, then 1 at d = 1: (1/2 + 1)/2.
    assert one({"arm": [r]}).estimate == pytest.approx(0.75)


def test_the_interval_is_the_t_interval_of_a_mean_where_kl_is_the_same_for_all() -> None:
    """Then the area is linear in gold: each prompt's own area, and their classic t interval."""
    from scipy import stats

    r = noisy([0.0, 1.0, 0.5], 40, kl=[0.0, 1.0, 4.0])
    gain = r.gold.T - r.gold.T[:, :1]
    own = np.trapezoid(gain, [0.0, 1.0, 2.0], axis=1) / 2
    low, high = stats.t.interval(0.95, 39, own.mean(), stats.sem(own))
    assert one({"arm": [r]}).interval == pytest.approx((low, high), abs=1e-9)


def test_intervals_hold_the_truth() -> None:
    """200 draws: at 95% fewer than 178 has a chance below 1e-4 (binomial)."""
    held = 0
    for key in range(200):
        low, high = one({"arm": [noisy([0.0, 1.0, 0.5], kl=[0.0, 1.0, 4.0], key=key)]}).interval
        held += low <= (0.5 + 0.75) / 2 <= high
    assert held >= 178


@pytest.mark.parametrize(
    ("r", "why"),
    [
        (run([[0.0, 1.0]] * 3), "KL was not logged"),
        (run([[0.0, 1.0]] * 3, kl=[1.0, 2.0], steps=[10, 20]), "no step 0"),
        (run([[0.0]] * 3, kl=[0.0]), "one checkpoint"),
        (run([[0.0, 1.0]] * 3, kl=[0.0, 0.0]), "has not moved"),
    ],
)
def test_what_has_no_area_says_why(r, why: str) -> None:  # type: ignore[no-untyped-def]
    assert why in one({"arm": [r]}).reason


def test_arms_without_a_shared_prompt_are_refused() -> None:
    from dataclasses import replace

    r = run([[0.0, 1.0]] * 2, kl=[0.0, 1.0])
    other = replace(r, arm="b", prompts=np.array(["x", "y"]))
    with pytest.raises(InputError, match="share no prompt"):
        auc({"arm": [r], "b": [other]})
