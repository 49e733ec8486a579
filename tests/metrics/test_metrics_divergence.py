"""KL of best-of-n: published value, enumeration, quadrature, bias."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from rubricbench.errors import InputError
from rubricbench.metrics import Samples
from rubricbench.metrics.divergence import best_of_n_bound, best_of_n_kl, best_of_n_kl_of_levels


def _of(proxy):
    proxy = np.asarray(proxy, dtype=float)
    ids = np.repeat([f"p{i:04}" for i in range(len(proxy))], proxy.shape[1])
    return Samples.of(ids, proxy.ravel(), proxy.ravel())


def test_five_equal_levels_at_64():
    # The top level nearly always wins: m ≈ 1 − .8⁶⁴, KL ≈ log 5 = 1.609. Without ties 3.17.
    assert best_of_n_kl_of_levels([0.2] * 5, [64])[0] == pytest.approx(1.6094, abs=5e-5)
    assert best_of_n_bound([64])[0] == pytest.approx(3.1745, abs=5e-5)


def test_levels_against_enumeration_of_all_draws():
    p, n = np.array([0.5, 0.2, 0.3]), 4
    best = np.zeros(3)
    for draw in product(range(3), repeat=n):
        best[max(draw)] += np.prod(p[list(draw)])
    assert best_of_n_kl_of_levels(p, [n])[0] == pytest.approx(stats.entropy(best, p), abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_the_bound_is_the_divergence_of_its_density(n):
    value = integrate.quad(lambda u: n * u ** (n - 1) * np.log(n * u ** (n - 1) or 1), 0, 1)[0]
    assert best_of_n_bound([n])[0] == pytest.approx(value, abs=1e-8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(1, 20))
def test_the_estimate_lies_between_nothing_and_the_bound(proxy, n):
    found = best_of_n_kl(_of([proxy]), [n])[0, 0]
    assert 0 <= found <= best_of_n_bound([n])[0] + 1e-12


def test_where_every_value_ties_the_estimate_is_that_of_the_levels():
    proxy = np.repeat([1, 2, 3, 4], [4, 10, 4, 2])
    found = best_of_n_kl(_of([proxy]), [1, 3, 10])[0]
    assert found == pytest.approx(best_of_n_kl_of_levels([0.2, 0.5, 0.2, 0.1], [1, 3, 10]))


def test_a_value_that_stands_alone_is_a_piece_of_a_continuous_reward():
    # Two samples tie below, two stand alone: the upper half of the quantile scale is continuous.
    n = 2
    upper = integrate.quad(lambda u: n * u * np.log(n * u), 0.5, 1)[0]
    lower = 0.25 * np.log(0.25 / 0.5)
    assert best_of_n_kl(_of([[1, 1, 2, 3]]), [n])[0, 0] == pytest.approx(upper + lower)


@pytest.mark.parametrize(
    ("count", "n", "least", "most"),
    # Measured, 4,000 prompts (docs/metrics.md): the bias vanishes as 1/N.
    [(32, 4, -0.05, 0.0), (128, 4, -0.015, 0.0), (512, 4, -0.004, 0.001)],
)
def test_the_bias_of_estimated_levels_shrinks_with_the_samples(count, n, least, most):
    levels = np.random.default_rng(count).integers(0, 5, size=(2_000, count))
    truth = best_of_n_kl_of_levels([0.2] * 5, [n])[0]
    bias = best_of_n_kl(_of(levels), [n]).mean() - truth
    assert least < bias < most


@pytest.mark.parametrize("p", [[0.5, 0.4], [1.2, -0.2], [[0.5, 0.5]]])
def test_levels_that_are_no_distribution_are_refused(p):
    with pytest.raises(InputError, match="sum to 1"):
        best_of_n_kl_of_levels(p, [2])


def test_a_level_that_never_occurs_changes_nothing():
    with_it, without = ([0.5, 0.0, 0.5], [0.5, 0.5])
    assert best_of_n_kl_of_levels(with_it, [5]) == pytest.approx(
        best_of_n_kl_of_levels(without, [5])
    )
