"""Proposition 1: against Theorem 1, closed forms, enumeration, simulation and scipy's integrals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from rubricbench.errors import InputError
from rubricbench.metrics.result import Method
from rubricbench.theory import theorem
from rubricbench.theory.maps import (
    IDENTITY,
    REVERSED,
    Misspecification,
    top_wrong,
    worst_wrong,
)
from rubricbench.theory.proposition import UNIFORM, Discrete, tilt, tilt_at

MAPS = [IDENTITY, REVERSED, top_wrong(0.25), top_wrong(0.5), worst_wrong(0.5), worst_wrong(0.9)]
SINE = Misspecification("sine", lambda r: np.sin(3 * r))


def figures(prediction):
    return tuple(r.estimate for r in (prediction.kl, prediction.gold, prediction.win_rate))


@pytest.mark.parametrize("beta", [1e-4, 1e-3, 0.05, 1.0, 50.0])
@pytest.mark.parametrize("map_", MAPS, ids=lambda m: m.name)
def test_on_the_uniform_distribution_it_is_theorem_1(map_, beta):
    kl, gold, win = figures(tilt(map_, UNIFORM, beta))
    assert abs(kl - theorem.kl(beta)) < 1e-10  # hence the same for all maps, to 1e-8 and better
    assert win == pytest.approx(theorem.win_rate(map_, beta), abs=1e-12)
    assert gold == pytest.approx(win, abs=1e-12)


def test_jumps_that_nobody_announced():
    # The same maps without their `breaks`: halving finds the jump.
    for map_ in MAPS:
        hidden = Misspecification(map_.name, map_.function)
        for beta in (1e-4, 0.05, 1.0):
            assert figures(tilt(hidden, UNIFORM, beta)) == pytest.approx(
                figures(tilt(map_, UNIFORM, beta)), abs=1e-9
            )


def test_scipy_frozen_uniform_is_the_built_in_one():
    assert figures(tilt(SINE, stats.uniform(), 0.1)) == figures(tilt(SINE, UNIFORM, 0.1))


@pytest.mark.parametrize("beta", [1e-4, 0.1, 1.0, 30.0])
def test_normal_rewards_have_a_closed_form(beta):
    # N(μ, σ²) tilted by e^{r/β} is N(μ + σ²/β, σ²): KL σ²/2β², win rate Φ(σ/(β√2)).
    kl, gold, win = figures(tilt(IDENTITY, stats.norm(2, 3), beta))
    assert kl == pytest.approx(9 / (2 * beta**2), rel=1e-11)
    assert gold == pytest.approx(2 + 9 / beta, rel=1e-12)
    assert win == pytest.approx(special.ndtr(3 / beta / math.sqrt(2)), abs=1e-12)


def test_exponential_rewards_have_a_closed_form_and_an_end():
    # Exp(1) tilted by β = 1.25 is Exp(.2): mean 5, KL 5·.8 + log .2; P(R' < R) = 5/(5+1).
    kl, gold, win = figures(tilt(IDENTITY, stats.expon(), 1.25))
    assert (kl, gold, win) == pytest.approx((4 + math.log(0.2), 5, 5 / 6), abs=1e-11)
    beyond = tilt(IDENTITY, stats.expon(), 1.0)
    assert beyond.kl.estimate is None
    assert "no optimal policy" in beyond.win_rate.reason
    assert figures(tilt_at(IDENTITY, stats.expon(), kl)) == pytest.approx((kl, 5, 5 / 6), abs=1e-8)


def test_poisson_rewards_have_a_closed_form():
    # Poisson(λ) tilted by β is Poisson(λ e^{1/β}).
    rate = 3 * math.exp(1 / 2)
    kl, gold, win = figures(tilt(IDENTITY, stats.poisson(3), 2.0))
    k = np.arange(200)
    middle = stats.poisson(3).cdf(k) - stats.poisson(3).pmf(k) / 2
    assert gold == pytest.approx(rate, abs=1e-11)
    assert kl == pytest.approx(rate / 2 - (rate - 3), abs=1e-11)
    assert win == pytest.approx(stats.poisson(rate).pmf(k) @ middle, abs=1e-11)


def test_heavy_tails_have_no_optimum_but_bounded_proxies_do():
    assert tilt(IDENTITY, stats.t(3), 0.5).kl.estimate is None
    assert tilt(Misspecification("exp", np.exp), stats.norm(), 1.0).kl.estimate is None
    bounded = Misspecification("sigmoid", special.expit)
    found = tilt(bounded, stats.cauchy(), 0.2)
    assert found.gold.estimate is None
    assert "infinite" in found.gold.reason
    # In ranks it is a bounded proxy of a uniform reward: the win rate and KL are those.
    through = Misspecification("ranks", lambda u: special.expit(stats.cauchy().ppf(u)))
    expected = tilt(through, UNIFORM, 0.2)
    assert found.kl.estimate == pytest.approx(expected.kl.estimate, abs=1e-8)
    assert found.win_rate.estimate == pytest.approx(expected.win_rate.estimate, abs=1e-8)


@pytest.mark.parametrize(
    "law", [stats.beta(2, 5), stats.gamma(3), stats.norm(), stats.beta(0.5, 0.5)]
)
@pytest.mark.parametrize("beta", [0.3, 2.0])
def test_any_map_against_scipy_quad(law, beta):
    def mean(g):
        low, high = law.ppf([0, 1])
        middle = law.ppf(0.5)
        return sum(
            integrate.quad(lambda r: g(r) * law.pdf(r), a, b, epsabs=1e-12, limit=400)[0]
            for a, b in ((low, middle), (middle, high))
        )

    def weight(r):
        return math.exp(math.sin(3 * r) / beta)

    total = mean(weight)
    gold = mean(lambda r: r * weight(r)) / total
    win = mean(lambda r: law.cdf(r) * weight(r)) / total
    kl = mean(lambda r: math.sin(3 * r) / beta * weight(r)) / total - math.log(total)
    assert figures(tilt(SINE, law, beta)) == pytest.approx((kl, gold, win), abs=2e-7)


def test_a_simulation_agrees():
    rng = np.random.default_rng(0)
    r = rng.gamma(3, size=400_000)
    w = np.exp(np.sin(3 * r) / 0.5)
    w /= w.sum()
    win = w @ stats.gamma(3).cdf(r)
    _, gold, found = figures(tilt(SINE, stats.gamma(3), 0.5))
    # ESS is above 200,000 and the sd of gold 1.8, so a standard error is below .004
    assert gold == pytest.approx(w @ r, abs=0.016)
    assert found == pytest.approx(win, abs=0.003)


def enumerate_(values, probabilities, proxies, beta):
    """Do Proposition 1 by its words: a game between every two values, no logarithm shifted."""
    z = sum(p * math.exp(f / beta) for p, f in zip(probabilities, proxies, strict=True))
    tilted = [p * math.exp(f / beta) / z for p, f in zip(probabilities, proxies, strict=True)]
    gold = sum(q * v for q, v in zip(tilted, values, strict=True))
    win = sum(
        q * p * (1.0 if v > w else 0.5 if v == w else 0.0)
        for (q, v), (p, w) in itertools.product(
            zip(tilted, values, strict=True), zip(probabilities, values, strict=True)
        )
    )
    kl = sum(q * math.log(q / p) for q, p in zip(tilted, probabilities, strict=True) if q > 0)
    return kl, gold, win


LEVELS = st.lists(st.integers(0, 6), min_size=1, max_size=12)


@given(LEVELS, st.floats(0.2, 10))
def test_discrete_rewards_against_enumeration(levels, beta):
    values = np.array(levels) / 6
    p = np.full(len(values), 1 / len(values))
    expected = enumerate_(values, p, np.sin(3 * values), beta)
    # Equal values are put together: the KL and the mid-CDF are the same either way.
    assert figures(tilt(SINE, Discrete.sampled(values), beta)) == pytest.approx(expected, abs=1e-10)
    assert figures(tilt(SINE, Discrete.of(values, p), beta)) == pytest.approx(expected, abs=1e-10)


def test_ties_count_one_half_by_hand():
    # Values 0, ½, 1 with chances .2, .5, .3: mid-CDF .1, .45, .85. β = 1/log 2 doubles the weight
    # of each half step by √2: weights .2, .5·√2, .3·2.
    w = np.array([0.2, 0.5 * math.sqrt(2), 0.6])
    found = tilt(IDENTITY, Discrete.of([0, 0.5, 1], [0.2, 0.5, 0.3]), 1 / math.log(2))
    assert found.win_rate.estimate == pytest.approx(w @ [0.1, 0.45, 0.85] / w.sum(), abs=1e-12)
    assert found.gold.estimate == pytest.approx(w @ [0, 0.5, 1] / w.sum(), abs=1e-12)


def test_scipy_discrete_distributions():
    binomial = stats.binom(4, 0.3)
    expected = enumerate_(range(5), binomial.pmf(range(5)), np.arange(5.0), 0.5)
    assert figures(tilt(IDENTITY, binomial, 0.5)) == pytest.approx(expected, abs=1e-11)
    given = stats.rv_discrete(values=([0.1, 0.7], [0.4, 0.6]))()
    expected = enumerate_([0.1, 0.7], [0.4, 0.6], [0.1, 0.7], 0.5)
    assert figures(tilt(IDENTITY, given, 0.5)) == pytest.approx(expected, abs=1e-11)


def test_ties_at_the_top_end_the_kl():
    law = Discrete.of([0, 0.5, 1], [0.2, 0.5, 0.3])
    assert tilt(IDENTITY, law, 1e-4).kl.estimate == pytest.approx(-math.log(0.3), abs=1e-12)
    assert tilt_at(IDENTITY, law, 1.0).kl.estimate == pytest.approx(1.0, abs=1e-9)
    beyond = tilt_at(IDENTITY, law, 1.5)
    assert beyond.win_rate.estimate is None
    assert "1.204" in beyond.win_rate.reason  # −log .3


@given(LEVELS, st.floats(0.05, 5), st.floats(0.1, 10), st.floats(-5, 5))
def test_win_rate_and_kl_see_only_the_order_of_gold(levels, beta, scale, shift):
    # R' = scale·e^R + shift with the proxy unchanged: f' = f ∘ (R ← R'). Only gold may change.
    values = np.unique(levels) / 6
    p = np.full(len(values), 1 / len(values))
    moved = scale * np.exp(values) + shift
    back = Misspecification("back", lambda r: np.sin(3 * np.log((r - shift) / scale)))
    before, after = (
        tilt(SINE, Discrete.of(values, p), beta),
        tilt(back, Discrete.of(moved, p), beta),
    )
    assert after.win_rate.estimate == pytest.approx(before.win_rate.estimate, abs=1e-9)
    assert after.kl.estimate == pytest.approx(before.kl.estimate, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([UNIFORM, stats.norm(), stats.gamma(2), stats.binom(5, 0.5)]))
def test_without_a_tilt_it_is_the_initial_policy(law):
    mean = 0.5 if law is UNIFORM else float(law.mean())
    for beta in (math.inf, 1e9):
        kl, gold, win = figures(tilt(SINE, law, beta))
        assert (kl, gold, win) == pytest.approx((0, mean, 0.5), abs=1e-7)
    assert tilt_at(SINE, law, 0).beta is None


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 5), st.sampled_from([UNIFORM, stats.norm(), stats.beta(2, 2)]))
def test_a_kl_is_found_again(target, law):
    assert tilt_at(IDENTITY, law, target).kl.estimate == pytest.approx(target, abs=1e-8)


def test_results_are_exact_ones():
    assert tilt(IDENTITY, UNIFORM, 1.0).gold.method is Method.EXACT


@pytest.mark.parametrize(
    ("values", "probabilities"),
    [
        ([], []),
        ([1], [0.5, 0.5]),
        ([1, 2], [0.5, 0.4]),
        ([1, np.nan], [0.5, 0.5]),
        ([1, 2], [2, -1]),
    ],
)
def test_what_is_no_discrete_distribution(values, probabilities):
    with pytest.raises(InputError):
        Discrete.of(values, probabilities)


def test_what_is_no_distribution_or_no_proxy():
    with pytest.raises(InputError, match="not a distribution"):
        tilt(IDENTITY, "uniform", 1.0)
    with pytest.raises(InputError, match="beta"):
        tilt(IDENTITY, UNIFORM, 0.0)
    with pytest.raises(InputError, match="finite"):
        tilt(Misspecification("log", lambda r: np.log(r - 0.5)), UNIFORM, 1.0)
    with pytest.raises(InputError, match="KL"):
        tilt_at(IDENTITY, UNIFORM, -1.0)
