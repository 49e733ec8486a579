from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics.result import Method
from rubricbench.metrics.sequence import (
    ConfidenceSequence,
    EmpiricalBernstein,
    HedgedBetting,
    Side,
)

KINDS = [EmpiricalBernstein, HedgedBetting]
UNIT = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def path(sequence: ConfidenceSequence, values) -> tuple[list[float], list[float]]:
    low, high = [], []
    for x in values:
        sequence.update([x])
        low.append(sequence.low)
        high.append(sequence.high)
    return low, high


def bets(x: np.ndarray, cost: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the predictable means and bets of equations 14 and 15, from cumulative sums."""
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    earlier = np.append(0.25, variance[:-1])
    return np.append(0.5, mean[:-1]), np.sqrt(2 * cost / (earlier * t * np.log(1 + t)))


@pytest.mark.parametrize(("side", "of"), [(Side.BOTH, 2), (Side.LOWER, 1), (Side.UPPER, 1)])
def test_the_ends_are_theorem_2_written_with_cumulative_sums(side: Side, of: int):
    x = np.random.default_rng(0).beta(2, 5, size=300)
    cost = math.log(of / 0.05)
    before, bet = bets(x, cost)
    bet = np.minimum(bet, 0.5)
    psi = (-np.log(1 - bet) - bet) / 4
    margin = (cost + np.cumsum(4 * (x - before) ** 2 * psi)) / np.cumsum(bet)
    centre = np.cumsum(bet * x) / np.cumsum(bet)
    low, high = path(EmpiricalBernstein(side=side), x)
    if side is not Side.UPPER:
        assert low == pytest.approx(np.maximum(np.maximum.accumulate(centre - margin), 0))
    if side is not Side.LOWER:
        assert high == pytest.approx(np.minimum(np.minimum.accumulate(centre + margin), 1))


def test_betting_rejects_just_the_means_whose_capital_reached_its_limit():
    # Brute force: the capital of every mean of a fine grid, multiplied out, at every moment.
    x = np.random.default_rng(1).beta(2, 5, size=80)
    cost = math.log(2 / 0.05)
    bet = bets(x, cost)[1]
    means = np.linspace(0.001, 0.999, 999)[:, None]
    up = np.cumprod(1 + np.minimum(bet, 0.5 / means) * (x - means), axis=1)
    down = np.cumprod(1 - np.minimum(bet, 0.5 / (1 - means)) * (x - means), axis=1)
    rejected = np.maximum(up, down).max(axis=1) >= 2 / 0.05
    kept = means[~rejected, 0]
    sequence = HedgedBetting()
    sequence.update(x)
    assert sequence.low == pytest.approx(kept.min() - 0.001)
    assert sequence.high == pytest.approx(kept.max() + 0.001)


@pytest.mark.parametrize("kind", KINDS)
@given(values=UNIT, cut=st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_batches_change_nothing_and_ends_never_widen(kind, values, cut: int):
    at_once, by_parts = kind(), kind()
    at_once.update(values)
    by_parts.update(values[:cut])
    by_parts.update(values[cut:])
    assert (at_once.low, at_once.high) == (by_parts.low, by_parts.high)
    low, high = path(kind(), values)
    assert low == sorted(low)
    assert high == sorted(high, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
@given(values=UNIT)
@settings(max_examples=25, deadline=None)
def test_it_turns_with_the_values_and_scales_with_the_bounds(kind, values):
    plain, turned, scaled = kind(), kind(), kind(bounds=(-3, 5))
    plain.update(values)
    turned.update([1 - x for x in values])
    scaled.update([min(5.0, -3 + 8 * x) for x in values])
    assert turned.low == pytest.approx(1 - plain.high, abs=1e-9)
    assert turned.high == pytest.approx(1 - plain.low, abs=1e-9)
    assert (scaled.low, scaled.high) == pytest.approx(
        (-3 + 8 * plain.low, -3 + 8 * plain.high), abs=1e-7
    )


@pytest.mark.parametrize(("kind", "draws"), [(EmpiricalBernstein, 200), (HedgedBetting, 60)])
def test_looking_after_every_observation_errs_in_fewer_than_one_of_twenty_sequences(kind, draws):
    # At level .95 at most .05 err: binomial(200, .05) exceeds 22 with probability 2e-4 and
    # binomial(60, .05) exceeds 10 with 2e-4. (2,000 sequences of 1,000: cover_stats.py.)
    errs = 0
    for i in range(draws):
        sequence = kind()
        sequence.update(np.random.default_rng([7, i]).random(150) < 0.7)
        errs += not sequence.low <= 0.7 <= sequence.high
    assert errs <= {200: 22, 60: 10}[draws]


def test_betting_is_narrower_and_one_end_alone_is_nearer():
    x = np.random.default_rng(2).beta(8, 2, size=200)
    plain, betting, lower = (
        EmpiricalBernstein(),
        HedgedBetting(),
        EmpiricalBernstein(side=Side.LOWER),
    )
    for sequence in (plain, betting, lower):
        sequence.update(x)
    assert betting.high - betting.low < plain.high - plain.low
    assert plain.low < lower.low < x.mean()


def test_a_guard_on_declines_is_silent_without_one_and_speaks_of_a_clear_one():
    rng = np.random.default_rng(3)
    still, falling = (EmpiricalBernstein((-1, 1), side=Side.LOWER) for _ in range(2))
    noise = np.clip(rng.normal(0, 0.2, size=400), -1, 1)
    still.update(noise)
    falling.update(np.clip(noise + 0.15, -1, 1))
    assert still.low <= 0 < falling.low < 0.15


def test_its_result_has_the_ends_there_are():
    sequence = EmpiricalBernstein((-1, 1), side=Side.LOWER, level=0.9)
    assert sequence.result("decline").reason == "no observation yet"
    sequence.update([0.5, -0.5, 0.25])
    found = sequence.result("decline")
    assert found.estimate == pytest.approx(1 / 12)
    assert (found.low, found.high, found.n, found.level) == (sequence.low, None, 3, 0.9)
    assert found.method is Method.SEQUENCE


@pytest.mark.parametrize("kind", [EmpiricalBernstein, HedgedBetting])
def test_ends_that_have_crossed_are_no_interval(kind):
    # A thousand losses put the high end near 0, three thousand wins the low end above it.
    sequence = kind()
    sequence.update([0.0] * 1000)
    assert sequence.result("win rate").interval is not None
    sequence.update([1.0] * 3000)
    found = sequence.result("win rate")
    assert (found.estimate, found.low, found.high) == (0.75, None, None)
    assert "crossed" in found.warnings[0].text


@pytest.mark.parametrize("bad", [1.5, -0.1, math.nan, math.inf])
def test_a_value_outside_the_bounds_is_refused_and_nothing_taken(bad: float):
    sequence = EmpiricalBernstein()
    sequence.update([0.5])
    with pytest.raises(InputError, match=r"observation 3 is .*, outside \[0, 1\]"):
        sequence.update([0.5, bad])
    assert sequence.n == 1


def test_bounds_in_order_and_a_level_between_0_and_1_are_asked_for():
    with pytest.raises(ValueError, match="not in order"):
        EmpiricalBernstein((1, 1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        EmpiricalBernstein(level=1.0)
