"""Axes: ranges that show the data, ticks that are round and can be told apart."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.figures import Axis
from rubricbench.figures.scale import MOST, Scale, fit, labels, linear_ticks

LINEAR, LOG = Axis(label="x"), Axis(label="x", scale="log")
SHARE = Axis(label="x", percent=True)

numbers = st.floats(-1e12, 1e12, allow_nan=False).map(lambda v: 0.0 if abs(v) < 1e-12 else v)
positive = st.floats(1e-9, 1e9)


def texts(axis: Axis, *values: float) -> tuple[str, ...]:
    return fit(axis, values).labels


def test_ticks_are_round_and_inside():
    # 0 to 3.2 in about six steps: .53 apart, so the next round step above, 1
    assert texts(LINEAR, 0, 3.2) == ("0", "1", "2", "3")
    # .31 to .44: a range of .13 with padding .14, so .023 apart: .025
    assert texts(LINEAR, 0.31, 0.44) == ("0.325", "0.350", "0.375", "0.400", "0.425")


def test_shares_are_percentages_and_stay_within_them():
    scale = fit(SHARE, [0.02, 0.99])
    assert (scale.low, scale.high) == (0.0, 1.0)
    assert scale.labels == ("0%", "20%", "40%", "60%", "80%", "100%")


def test_zero_is_an_edge_where_data_begin_there():
    assert fit(LINEAR, [0, 10]).low == 0
    assert fit(LINEAR, [0.1, 10]).low == 0  # the padding would cross it
    assert fit(LINEAR, [5, 10]).low == pytest.approx(4.8)  # 4% of the range
    assert fit(LINEAR, [-10, 0]).high == 0


def test_bars_have_zero_in_sight():
    assert fit(LINEAR, [5, 6], zero=True).low == 0


def test_given_limits_are_kept():
    scale = fit(Axis(label="x", low=-1, high=7), [0, 100])
    assert (scale.low, scale.high) == (-1, 7)
    assert not scale.holds(100)
    assert scale.holds(7)


@pytest.mark.parametrize("value", [0.0, 0.7, -3.0, 1e9, 1e-12, 1e300, -1e300])
def test_constant_data_stand_in_the_middle(value):
    scale = fit(LINEAR, [value, value])
    assert scale.share(value) == pytest.approx(0.5)
    assert len(scale.ticks) >= 2


def test_noise_of_the_arithmetic_is_no_range():
    scale = fit(LINEAR, [0.3, 0.1 + 0.2])
    assert scale.high - scale.low > 0.05


def test_a_tiny_range_has_labels_that_differ():
    assert texts(LINEAR, 0.50001, 0.50004)[:2] == ("0.50001", "0.50002")


def test_huge_and_tiny_numbers_have_exponents():
    assert texts(LINEAR, 0, 4e9)[1] == "1e9"
    assert texts(LINEAR, 0, 4e-7)[1] == "1e−7"


def test_a_logarithmic_axis_of_decades():
    assert texts(LOG, 0.001, 10) == ("0.001", "0.01", "0.1", "1", "10")
    # two decades: with the threes there are at least four
    assert texts(LOG, 1, 100) == ("1", "3", "10", "30", "100")
    assert texts(LOG, 1, 20) == ("1", "2", "5", "10", "20")


def test_powers_of_two_have_ticks_of_their_own():
    assert texts(LOG, 1, 2, 4, 8, 16) == ("1", "2", "4", "8", "16")
    # 1 to 1,024 are eleven powers: every second
    assert texts(LOG, *(2**k for k in range(11))) == ("1", "4", "16", "64", "256", "1,024")


def test_a_narrow_logarithmic_axis_is_ticked_like_a_linear_one():
    found = fit(LOG, [100, 103])
    assert len(found.ticks) >= 3
    assert len(set(found.labels)) == len(found.labels)


def test_what_is_not_positive_has_no_place_on_a_logarithmic_axis():
    scale = fit(LOG, [0, -3, 1, 100])
    assert scale.low > 0.5
    assert not scale.holds(0)
    assert not scale.holds(-3)


@pytest.mark.parametrize("values", [[], [None], [math.nan, math.inf]])
@pytest.mark.parametrize("axis", [LINEAR, LOG, SHARE])
def test_no_data_still_make_an_axis(axis, values):
    assert len(fit(axis, values).ticks) >= 2


def check(scale: Scale, values: list[float]) -> None:
    assert scale.low < scale.high
    assert all(scale.holds(v) for v in values)
    assert 1 <= len(scale.ticks) <= 12
    assert all(-1e-6 <= scale.share(t) <= 1 + 1e-6 for t in scale.ticks)
    assert list(scale.ticks) == sorted(set(scale.ticks))
    assert len(set(scale.labels)) == len(scale.labels)


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=8))
def test_every_linear_axis_holds_its_data_and_has_ticks_that_differ(values):
    check(fit(LINEAR, values), values)


@settings(max_examples=150, deadline=None)
@given(st.lists(positive, min_size=1, max_size=8))
def test_every_logarithmic_axis_does(values):
    scale = fit(LOG, values)
    check(scale, values)
    assert len(scale.ticks) <= max(MOST, 12)


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_evenly_spaced_by_a_round_step(low, span):
    ticks = linear_ticks(low, low + span)
    step = ticks[1] - ticks[0]
    assert all(b - a == pytest.approx(step) for a, b in itertools.pairwise(ticks))
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert any(mantissa == pytest.approx(m, rel=1e-6) for m in (1, 2, 2.5, 5, 10))


def test_labels_have_a_true_minus_and_no_negative_zero():
    assert labels((-1.0, -0.0, 1.0)) == ("−1", "0", "1")
