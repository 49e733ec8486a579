from __future__ import annotations

import numpy as np
import pytest

from rubricbench.certify.effects import doublings, place, slope


def prompts(count: int, per: int) -> np.ndarray:
    return np.array([f"p{i // per}" for i in range(count)])


def test_a_slope_is_found_beside_the_reference():
    # error = .3·x - .5·reference, exactly; x and reference go together.
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 2, 60).astype(float)
    x = rng.random(60) + reference
    found = slope(0.3 * x - 0.5 * reference, x, reference, prompts(60, 3))
    assert found.value == pytest.approx(0.3)


def test_a_slope_has_the_interval_of_its_noise():
    # sd of x uniform on [0, 1] is .2887; noise .5, 900 rows: error .5/(.2887·30) = .0577.
    rng = np.random.default_rng(1)
    x = rng.random(900)
    found = slope(rng.normal(0, 0.5, 900), x, np.zeros(900), prompts(900, 1))
    assert found.low < 0 < found.high
    assert (found.high - found.low) / 2 == pytest.approx(1.963 * 0.0577, rel=0.1)


def test_unknown_rows_are_left_out():
    error = np.array([0, 1, 2, np.nan, 3.0])
    found = slope(error, np.array([0, 1, 2, 9, 3.0]), np.zeros(5), prompts(5, 1))
    assert found.value == pytest.approx(1)
    assert found.items == 4


@pytest.mark.parametrize(
    ("variable", "rows"), [(np.ones(9), 9), (np.full(9, np.nan), 0)], ids=["constant", "absent"]
)
def test_what_does_not_vary_has_no_effect(variable: np.ndarray, rows: int):
    found = slope(np.arange(9.0), variable, np.zeros(9), prompts(9, 1))
    assert (found.value, found.items) == (None, rows)


def test_places_run_from_first_to_last():
    found = place(np.array([0.0, 1, 2, 0, 0, 1]), np.array([3.0, 3, 3, 1, 2, 2]))
    assert found[:3].tolist() == [0, 0.5, 1]
    assert np.isnan(found[3])
    assert found[4:].tolist() == [0, 1]


def test_lengths_are_counted_in_doublings():
    assert doublings(np.array([0.0, 1, 2, 256])).tolist() == [0, 0, 1, 8]
