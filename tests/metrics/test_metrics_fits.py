"""Gao et al.'s forms and γ, against numpy, statsmodels and scipy's quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from trajectories import noisy, run

from rubricbench.metrics.bestofn import best_of_n
from rubricbench.metrics.fits import fit_best_of_n, fit_rl, gamma, gamma_of, least_squares
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import walk
from rubricbench.metrics.samples import Samples

D = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])


def form(d: np.ndarray, alpha: float, beta: float, kind: str) -> np.ndarray:
    """Return R(d) of a form."""
    safe = np.where(d > 0, d, 1.0)
    rl = d * (alpha - beta * np.log(safe))
    return d * (alpha - beta * d) if kind == "best_of_n" else rl


@pytest.mark.parametrize(
    ("kind", "turnover"), [("best_of_n", 2.0 / (2 * 0.5)), ("rl", np.exp(2.0 / 0.5 - 1))]
)
def test_an_exact_curve_gives_its_coefficients_back(kind: str, turnover: float) -> None:
    gain = form(D, 2.0, 0.5, kind)
    found = least_squares(D[None, :], gain[None, :], kind)[0]  # type: ignore[arg-type]
    assert found == pytest.approx([2.0, 0.5, 1.0, turnover])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["best_of_n", "rl"]))
def test_least_squares_are_numpys_and_statsmodels(key: int, kind: str) -> None:
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(key)
    d = np.sort(rng.uniform(0.1, 4, 7))
    y = rng.normal(size=7)
    x = np.column_stack([d, -d * (d if kind == "best_of_n" else np.log(d))])
    alpha, beta, r2, _ = least_squares(d[None, :], y[None, :], kind)[0]  # type: ignore[arg-type]
    expected, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert [alpha, beta] == pytest.approx(expected.tolist(), abs=1e-8)
    fitted = sm.OLS(y, x).fit()
    assert [alpha, beta] == pytest.approx(fitted.params.tolist(), abs=1e-8)
    # About the mean: statsmodels' own, for a model without a constant, is uncentred.
    assert r2 == pytest.approx(1 - fitted.ssr / fitted.centered_tss, abs=1e-8)


def test_uncentred_r2_would_flatter() -> None:
    """Gains 1, 1, 1, 1.1 hardly vary: uncentred R² of any fit is near 1, this one below zero."""
    d, y = np.array([[1.0, 1.1, 1.2, 9.0]]), np.array([[1.0, 1.0, 1.0, 1.1]])
    r2 = least_squares(d, y, "best_of_n")[0, 2]
    assert r2 < 0


def test_a_run_of_gaos_form_is_recovered_with_its_interval() -> None:
    r = noisy(form(D, 1.0, 0.6, "rl"), 200, noise=0.1, kl=D**2)
    found = fit_rl([r], resamples=500)
    for result, truth in (
        (found.alpha, 1.0),
        (found.beta, 0.6),
        (found.turnover, np.exp(1 / 0.6 - 1)),
    ):
        low, high = result.over_prompts.interval
        assert low <= truth <= high
    assert found.r2.over_prompts.estimate > 0.9


def test_a_rising_curve_has_no_turnover_or_one_beyond_the_data() -> None:
    rising = fit_rl([run(np.tile(D * (1 + np.log1p(D)), (5, 1)), kl=D**2)], resamples=50)
    assert "no maximum" in rising.turnover.over_prompts.reason
    slow = fit_rl([run(np.tile(form(D, 2.0, 0.5, "rl"), (5, 1)), kl=D**2)], resamples=50)
    assert "extrapolated" in [c.code for c in slow.turnover.over_prompts.warnings]


def test_a_form_that_explains_little_says_so() -> None:
    zigzag = [0.0, 1.0, -1.0, 1.0, -1.0, 1.0]
    found = fit_rl([run(np.tile(zigzag, (5, 1)), kl=D**2)], resamples=50)
    assert "poor_fit" in [c.code for c in found.alpha.over_prompts.warnings]


@pytest.mark.parametrize(
    ("r", "why"),
    [
        (run([[0.0, 1.0, 1.0, 1.0]] * 3), "KL was not logged"),
        (run([[0.0, 1.0, 1.0]] * 3, kl=[0.0, 1.0, 2.0]), "3 points"),
        (run([[0.0, 1.0, 1.0, 1.0]] * 3, kl=[1, 2, 3, 4], steps=[1, 2, 3, 4]), "no step 0"),
        (run([[0.0, 1.0, 2.0, 1.0]] * 3, kl=[0, 1, 1, 1]), "too few distances"),
    ],
)
def test_what_cannot_be_fitted_says_why(r, why: str) -> None:  # type: ignore[no-untyped-def]
    assert why in fit_rl([r], resamples=20).alpha.over_prompts.reason


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.5, 3), st.floats(0, 0.3), st.floats(0.5, 3), st.floats(-0.3, 0.6), st.floats(0.3, 3)
)
def test_gamma_is_the_ratio_of_the_integrals_over_kl(
    a_gold: float, b_gold: float, a_proxy: float, b_proxy: float, reach: float
) -> None:
    def gold(kl: float) -> float:
        return float(form(np.sqrt([kl]), a_gold, b_gold, "best_of_n")[0])

    def apart(kl: float) -> float:
        return abs(gold(kl) - float(form(np.sqrt([kl]), a_proxy, b_proxy, "best_of_n")[0]))

    below, _ = integrate.quad(gold, 0, reach**2, limit=200)
    above, _ = integrate.quad(apart, 0, reach**2, limit=200)
    given = [np.array([x]) for x in (a_gold, a_proxy, b_gold, b_proxy)]
    found = gamma_of(*given, reach=np.array([reach]))[0]
    if below <= 1e-9:
        assert np.isnan(found) or below > 0
    else:
        assert found == pytest.approx(above / below, rel=1e-3, abs=1e-3)


def samples(gold_weight: float, prompts: int = 40, each: int = 64) -> Samples:
    """Return samples whose gold is the proxy with a weight, plus noise."""
    rng = np.random.default_rng(5)
    proxy = rng.standard_normal(prompts * each)
    gold = gold_weight * proxy + 0.1 * rng.standard_normal(prompts * each)
    return Samples.of(np.repeat([f"p{i:02d}" for i in range(prompts)], each), proxy, gold)


def test_gamma_of_best_of_n_is_one_less_the_weight_over_the_weight() -> None:
    """Gold = half the proxy: the curves are f and f/2, so γ = (1 − ½) / ½ = 1."""
    found = gamma(best_of_n(samples(0.5)))
    assert found.estimate == pytest.approx(1.0, abs=0.1)
    low, high = found.interval
    assert low < 1 < high


def test_gamma_of_a_proxy_against_gold_is_not_defined() -> None:
    assert "not positive" in gamma(best_of_n(samples(-1.0))).reason


def test_the_best_of_n_fit_is_that_of_its_points() -> None:
    curve = best_of_n(samples(0.5))
    shown = curve.shown()
    d = np.sqrt([p.kl.estimate for p in shown])
    gain = np.array([p.gold.estimate for p in shown]) - shown[0].gold.estimate
    x = np.column_stack([d, -(d**2)])
    expected, *_ = np.linalg.lstsq(x, gain, rcond=None)
    found = fit_best_of_n(curve)
    assert found.alpha.over_prompts.estimate == pytest.approx(expected[0], abs=1e-8)
    assert found.beta.over_prompts.estimate == pytest.approx(expected[1], abs=1e-8)
    assert "no training seeds" in found.alpha.over_seeds.reason


def test_best_of_few_samples_cannot_be_fitted() -> None:
    curve = best_of_n(samples(0.5, each=4))
    assert "points" in gamma(curve).reason
    assert "points" in fit_best_of_n(curve).beta.over_prompts.reason


def test_an_interval_holds_its_estimate_and_says_where_it_was_made_to():
    # Few prompts, heavy tails: in some such draws BCa's interval of R² ends short of R².
    widened = 0
    for key in range(40):
        rng = np.random.default_rng(key)
        gold = np.round(rng.normal(size=(25, 8)) * 10.0 ** rng.integers(-1, 2, size=(25, 1)), 1)
        proxy = rng.standard_cauchy((25, 8))
        ids = np.repeat([f"p{i}" for i in range(25)], 8)
        samples = Samples.of(ids, proxy.ravel(), gold.ravel())
        curve = best_of_n(samples, None, Bootstrap(samples.prompts, resamples=100))
        for found in walk(fit_best_of_n(curve)):
            if found.interval is not None:
                assert found.low <= found.estimate <= found.high
                widened += any("one side" in c.text for c in found.warnings)
    assert widened > 0
