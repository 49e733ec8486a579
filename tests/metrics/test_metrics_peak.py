"""Peak and drop: hand-worked cases, unbiasedness, and what no data can tell."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trajectories import noisy, run

from rubricbench.errors import InputError
from rubricbench.metrics.peak import crossfit, crossfit_of, halves, peak_and_drop, point_peak

PEAKED = (0.0, 0.5, 1.0, 0.5, 0.2)


def test_without_noise_the_peak_is_the_highest_checkpoint_exactly() -> None:
    found = peak_and_drop([run(np.tile(PEAKED, (10, 1)))])
    assert found.peak.over_prompts.interval == (1.0, 1.0)
    assert found.drop.over_prompts.estimate == pytest.approx(0.8)  # 1.0 − 0.2
    assert found.step.over_prompts.estimate == 20  # the third checkpoint, ten steps apart
    assert found.final.over_prompts.estimate == pytest.approx(0.2)
    assert "constant" in [c.code for c in found.peak.over_prompts.warnings]


def test_a_peak_at_the_end_is_lost_by_nothing_at_all() -> None:
    """Averages over splits differ from the value itself in the last digits, which are no loss."""
    values = np.linspace(0, 3, 4) + np.random.default_rng(0).normal(scale=0.01, size=(30, 4))
    assert peak_and_drop([run(values)]).drop.over_prompts.estimate == 0.0


def test_the_peak_is_chosen_on_one_half_and_measured_on_the_other() -> None:
    """Two prompts: each one's favourite checkpoint measures the other.

    The first prompt prefers checkpoint 0 (3 against 1), the second checkpoint 1 (4 against 2). So
    the first is measured at checkpoint 1, and has 1; the second at checkpoint 0, and has 2.
    """
    values = np.array([[3.0, 1.0], [2.0, 4.0]])
    assert crossfit(values, np.array(["a", "b"])).tolist() == [1.0, 2.0]


def test_over_all_splits_it_is_what_enumeration_gives() -> None:
    values = np.random.default_rng(3).normal(size=(6, 4))
    first = np.array([[i in half for i in range(6)] for half in combinations(range(6), 3)])
    expected = []
    for half in first:
        a, b = values[half], values[~half]
        expected.append(
            (b[:, a.mean(axis=0).argmax()].sum() + a[:, b.mean(axis=0).argmax()].sum()) / 6
        )
    found = crossfit_of(np.ones((1, 6)), values, first)[0]
    assert found == pytest.approx(np.mean(expected), abs=1e-12)


def test_resampled_whole_it_is_the_mean_of_the_prompts() -> None:
    values = np.random.default_rng(4).normal(size=(31, 5))
    prompts = np.array([f"{i:02d}" for i in range(31)])
    whole = crossfit_of(np.ones((1, 31)), values, halves(prompts))[0]
    assert crossfit(values, prompts).mean() == pytest.approx(whole, abs=1e-12)


def test_halves_are_halves() -> None:
    first = halves(np.array([f"{i:02d}" for i in range(11)]), splits=7)
    assert first.shape == (7, 11)
    assert (first.sum(axis=1) == 5).all()
    assert len({tuple(h) for h in first.tolist()}) > 1


def test_where_gold_is_flat_the_peak_is_not_biased_and_the_naive_one_is() -> None:
    """60 prompts, sd 1: the highest of 8 equal means is high by 1.42/√60 = 0.18 on average."""
    naive, honest = [], []
    for key in range(200):
        r = noisy(np.zeros(8), key=key)
        naive.append(r.gold.mean(axis=1).max())
        honest.append(peak_and_drop([r]).peak.over_prompts.estimate)
    assert 0.14 < np.mean(naive) < 0.22
    # The mean of the estimates varies by at most 0.2/√200 = 0.014; four of that.
    assert abs(np.mean(honest)) < 0.057


@pytest.mark.parametrize("mean", [np.zeros(6), np.arange(6) / 5, np.array(PEAKED)])
def test_intervals_hold_the_truth(mean: np.ndarray) -> None:
    """150 draws: at a coverage of 95% fewer than 133 has a chance below 1e-4 (binomial)."""
    held = np.zeros(2)
    for key in range(150):
        found = peak_and_drop([noisy(mean, key=key)])
        for i, (r, truth) in enumerate(
            ((found.peak, mean.max()), (found.drop, mean.max() - mean[-1]))
        ):
            low, high = r.over_prompts.interval
            held[i] += low - 1e-12 <= truth <= high + 1e-12
    assert (held >= 133).all()


def test_a_drop_interval_never_ends_below_zero() -> None:
    for key in range(30):
        low, high = peak_and_drop([noisy(np.arange(5) / 20, key=key)]).drop.over_prompts.interval
        assert high >= 0
        assert low <= 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 9), st.floats(-5, 5))
def test_an_affine_transform_moves_everything_with_it(key: int, scale: float, shift: float) -> None:
    r = noisy(np.array(PEAKED), 12, key=key)
    before, after = peak_and_drop([r]), peak_and_drop([run(r.gold.T * scale + shift)])
    for one, other, move in ((before.peak, after.peak, shift), (before.drop, after.drop, 0.0)):
        a, b = one.over_prompts, other.over_prompts
        for x, y in zip((a.estimate, a.low, a.high), (b.estimate, b.low, b.high), strict=True):
            assert y == pytest.approx(x * scale + move, abs=1e-6)
    assert before.step.over_prompts.estimate == after.step.over_prompts.estimate


def test_one_checkpoint_or_one_prompt_says_why() -> None:
    assert "one checkpoint" in peak_and_drop([run([[1.0], [2.0]])]).peak.over_prompts.reason
    found = peak_and_drop([run([[1.0, 2.0]])])
    assert "one prompt" in found.drop.over_prompts.reason
    assert found.final.over_prompts.estimate == 2.0


def test_three_seeds_have_a_t_interval_over_their_own_peaks() -> None:
    """Without noise, peaks 1, 2 and 3: mean 2, sd 1, t₂ = 4.303: 2 ± 4.303/√3 = 2 ± 2.484."""
    runs = [run(np.tile(PEAKED, (8, 1)) * k, seed=k) for k in (1, 2, 3)]
    found = peak_and_drop(runs).peak
    assert found.over_prompts.estimate == pytest.approx(2.0)
    assert found.over_seeds.low == pytest.approx(2 - 2.484, abs=1e-3)
    assert found.over_seeds.unit == "seeds"


def test_points_give_a_peak_that_is_said_to_be_biased() -> None:
    found = point_peak([0, 20, 40], [8.3, 25.0, 16.5])
    assert found.point_peak.estimate == 25.0
    assert found.point_drop.estimate == pytest.approx(8.5)
    assert found.point_step.estimate == 20
    assert [c.code for c in found.point_peak.warnings] == ["winners_curse"]
    assert found.point_peak.interval is None


@pytest.mark.parametrize(
    ("steps", "gold", "says"),
    [
        ([], [], "0 steps"),
        ([0, 1], [1.0], "2 steps for 1"),
        ([0, 0], [1.0, 2.0], "do not increase"),
        ([0, 1], [1.0, float("nan")], "not a finite number"),
    ],
)
def test_bad_points_are_refused(steps: list[float], gold: list[float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        point_peak(steps, gold, arm="initial")


def test_a_single_point_has_no_peak() -> None:
    assert "one checkpoint" in point_peak([0], [1.0]).point_peak.reason
