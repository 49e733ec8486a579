"""Gao et al.'s forms of over-optimization (2210.10760, §3.1) fitted to gold curves, and γ.

With d = √KL and R(d) = G(d) − G(0): best-of-n R = d(α − βd), RL R = d(α − β log d). Both are
linear in α and β, so they are fitted by least squares without an intercept, R being 0 at d = 0. R²
is about the mean of R: the uncentred one, of a fit without intercept, is near 1 for any curve far
from 0.
Gold turns at d* = α / 2β, respectively e^(α/β − 1), if β > 0.

γ (2505.12763) is ∫|gold − proxy| / ∫gold over the fitted best-of-n curves, for KL from 0 to the
largest. With KL = d² the integrals are ∫ … 2d dd, which have closed forms. Proxy and gold must be
on one scale (z, or both from 0 to 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.bestofn import BestOfNCurve
from rubricbench.metrics.resample import RESAMPLES, Bootstrap, Replicates
from rubricbench.metrics.result import LEVEL, Caution, Method, Result, caution, not_computable
from rubricbench.metrics.runs import Seeded, for_arm, not_logged, starts_at_base
from rubricbench.metrics.trajectory import KL, Trajectory

Form = Literal["best_of_n", "rl"]

POINTS = 3  # with d > 0: two coefficients, and one to see the misfit by
GOOD_FIT = 0.5  # R², below which there is a caution
_NAMES = ("alpha", "beta", "r2", "turnover")

Floats = NDArray[np.float64]


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted form.

    Args:
        form: ``best_of_n`` or ``rl``.
        alpha: α, reward per √nat.
        beta: β, in reward per nat, respectively per √nat and unit of log d.
        r2: share of the variance of R about its mean that the form explains.
        turnover: d*, in √nats, where the fitted gold is highest.
    """

    form: Form
    alpha: Seeded
    beta: Seeded
    r2: Seeded
    turnover: Seeded


def fit_rl(
    runs: Sequence[Trajectory],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Fit:
    """Fit R = d(α − β log d) to an arm's gold.

    Args:
        runs: of one arm, each of another seed. The figures over prompts are of their mean curve.
        seed: of the bootstrap.
        resamples: of it.
        level: confidence level.

    Raises:
        InputError: as `runs.mean_run`.
    """

    def of_run(run: Trajectory) -> list[Result]:
        boot = Bootstrap(run.prompts, seed=seed, resamples=resamples, level=level)
        return _of_run(run, boot)

    alpha, beta, r2, turnover = for_arm(runs, of_run)
    return Fit(form="rl", alpha=alpha, beta=beta, r2=r2, turnover=turnover)


def fit_best_of_n(curve: BestOfNCurve, column: str = "gold") -> Fit:
    """Fit R = d(α − βd) to a best-of-n curve, d from its KL with ties.

    Args:
        curve: of `best_of_n`. Its samples have no training seeds: ``over_seeds`` says so.
        column: ``gold`` or ``proxy``.
    """
    items = 0 if not curve.points else curve.points[0].gold.items
    results = _fit(
        *_best_of_n_columns(curve, column), form="best_of_n", items=items, more=curve.cautions
    )
    none = [not_computable(r.name, "samples have no training seeds", unit="seeds") for r in results]
    pairs = [Seeded(over_prompts=a, over_seeds=b) for a, b in zip(results, none, strict=True)]
    alpha, beta, r2, turnover = pairs
    return Fit(form="best_of_n", alpha=alpha, beta=beta, r2=r2, turnover=turnover)


def gamma(curve: BestOfNCurve) -> Result:
    """Return γ of a best-of-n curve whose proxy and gold are on one scale.

    Args:
        curve: of `best_of_n`.
    """
    gold, width = _best_of_n_columns(curve, "gold")
    proxy, _ = _best_of_n_columns(curve, "proxy")
    if width <= POINTS:
        return not_computable("gamma", _too_few(width), n=int(gold.prompts.min(initial=0)))
    both = _beside(gold, proxy)

    def of_means(means: Floats) -> Floats:
        half = means.shape[1] // 2
        fits = [_columns_of(m, "best_of_n") for m in (means[:, :half], means[:, half:])]
        d = np.sqrt(np.maximum(means[:, width:half], 0)).max(axis=1)
        return gamma_of(*(f[:, 0] for f in fits), *(f[:, 1] for f in fits), reach=d)

    return both.map(of_means).results(
        ["gamma"],
        method=Method.BCA,
        why="the area under the fitted gold curve is not positive: best-of-n does not raise gold",
        warnings=curve.cautions,
    )[0]


def gamma_of(
    alpha_gold: Floats, alpha_proxy: Floats, beta_gold: Floats, beta_proxy: Floats, *, reach: Floats
) -> Floats:
    """Return γ of fitted forms, NaN where the gold area is not positive; all shapes ``(rows,)``.

    Args:
        alpha_gold: α of gold.
        alpha_proxy: α of the proxy.
        beta_gold: β of gold.
        beta_proxy: β of the proxy.
        reach: largest d, the root of the largest KL.
    """
    a, b = alpha_gold - alpha_proxy, beta_gold - beta_proxy
    with np.errstate(divide="ignore", invalid="ignore"):
        # The difference d(a − bd) changes sign once at most, at a/b.
        turn = np.where(b != 0, a / b, -1.0)
        turn = np.where((turn > 0) & (turn < reach), turn, 0.0)
        rest = _area(a, b, reach) - _area(a, b, turn)
        gold = _area(alpha_gold, beta_gold, reach)
        return np.where(gold > 0, (np.abs(_area(a, b, turn)) + np.abs(rest)) / gold, np.nan)


def least_squares(d: Floats, gain: Floats, form: Form) -> Floats:
    """Return α, β, R² about the mean and d* for rows of curves, shape ``(rows, 4)``.

    Args:
        d: √KL, shape ``(rows, T)``; points that are not above 0 do not count.
        gain: R, the same shape.
        form: which.

    Returns:
        NaN where there is none: fewer than `POINTS` points, one d only, or, for d*, no maximum.
    """
    used = d > 0
    x = np.where(used, d, 1.0)
    first = np.where(used, x, 0.0)
    second = np.where(used, -x * (x if form == "best_of_n" else np.log(x)), 0.0)
    y = np.where(used, gain, 0.0)
    alpha, beta = _normal_equations(first, second, y)
    enough = used.sum(axis=1) >= POINTS
    rest = y - alpha[:, None] * first - beta[:, None] * second
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = y.sum(axis=1) / used.sum(axis=1)
        about = (np.where(used, y - mean[:, None], 0.0) ** 2).sum(axis=1)
        r2 = np.where(about > 1e-24, 1 - (rest**2).sum(axis=1) / about, np.nan)
        top = alpha / (2 * beta) if form == "best_of_n" else np.exp(alpha / beta - 1)
        turns = (beta > 0) & np.isfinite(top) & (top > 0)
    found = np.stack([alpha, beta, r2, np.where(turns, top, np.nan)], axis=1)
    return np.where(enough[:, None], found, np.nan)


def _normal_equations(first: Floats, second: Floats, y: Floats) -> tuple[Floats, Floats]:
    aa, bb = (first**2).sum(axis=1), (second**2).sum(axis=1)
    ab = (first * second).sum(axis=1)
    ay, by = (first * y).sum(axis=1), (second * y).sum(axis=1)
    determinant = aa * bb - ab**2
    with np.errstate(divide="ignore", invalid="ignore"):
        known = determinant > 1e-12 * aa * bb
        alpha = np.where(known, (ay * bb - by * ab) / determinant, np.nan)
        return alpha, np.where(known, (by * aa - ay * ab) / determinant, np.nan)


def _area(alpha: Floats, beta: Floats, d: Floats) -> Floats:
    """Return ∫ x(α − βx) 2x dx from 0 to d: the area over KL."""
    return 2 * (alpha * d**3 / 3 - beta * d**4 / 4)


def _of_run(run: Trajectory, boot: Bootstrap) -> list[Result]:
    n, items = len(run.prompts), int(run.samples.sum())
    why = ""
    if run.kl is None:
        why = not_logged(run, "KL", *KL)
    elif not starts_at_base(run):
        why = "no step 0: R is counted from the initial policy"
    elif len(run.steps) <= POINTS:
        why = _too_few(len(run.steps))
    if why or run.kl is None:
        return [not_computable(name, why, n=n, items=items) for name in _NAMES]
    draws = boot.means(np.hstack([run.gold.T, run.kl.T]))
    return _fit(draws, len(run.steps), form="rl", items=items, more=run.cautions)


def _fit(
    draws: Replicates, width: int, *, form: Form, items: int, more: Sequence[Caution]
) -> list[Result]:
    """Return the four results from draws of ``width`` means of gold, then as many of KL."""
    if width <= POINTS:
        n = int(draws.prompts.min(initial=0))
        return [not_computable(name, _too_few(width), n=n, items=items) for name in _NAMES]
    fitted = draws.map(_function(form))
    results = fitted.results(
        _NAMES,
        items=items,
        method=Method.BCA,
        why="the points lie at too few distances, or all at one gold reward",
        warnings=more,
    )
    reach = float(np.sqrt(max(draws.point[0, width:].max(), 0)))
    return _judged(results, reach)


def _judged(results: list[Result], reach: float) -> list[Result]:
    """Add what is to be said of a fit: that it explains little, or that its peak is not seen."""
    alpha, beta, r2, turnover = (_holding(r) for r in results)
    if alpha.estimate is not None and turnover.estimate is None:
        why = "the fitted gold has no maximum: β is not above 0, or it never rises"
        turnover = not_computable("turnover", why, n=alpha.n, items=alpha.items)
    elif turnover.estimate is not None and turnover.estimate > reach:
        detail = f"d* lies beyond the largest √KL, {reach:.3g}"
        turnover = turnover.with_warnings([caution("extrapolated", detail)])
    if r2.estimate is not None and r2.estimate < GOOD_FIT:
        poor = [caution("poor_fit", f"R² {r2.estimate:.2f}")]
        alpha, beta, turnover = (
            r if r.estimate is None else r.with_warnings(poor) for r in (alpha, beta, turnover)
        )
    return [alpha, beta, r2, turnover]


def _holding(result: Result) -> Result:
    """Return the result with an interval that holds its estimate.

    R² of resamples lies to one side of R² of the whole, since resampling adds noise; corrected for
    that, BCa's interval can end short of the estimate.
    """
    if result.estimate is None or result.low is None or result.high is None:
        return result
    low, high = min(result.low, result.estimate), max(result.high, result.estimate)
    if (low, high) == (result.low, result.high):
        return result
    widened = msgspec.structs.replace(result, low=low, high=high)
    return widened.with_warnings([caution("bias", "resamples lie to one side of it")])


def _function(form: Form) -> Callable[[Floats], Floats]:
    return lambda means: _columns_of(means, form)


def _columns_of(means: Floats, form: Form) -> Floats:
    """Fit rows of means: gold at every point, then KL."""
    width = means.shape[1] // 2
    gold, kl = means[:, :width], means[:, width:]
    d = np.sqrt(np.maximum(kl, 0))
    d = np.hstack([np.zeros_like(d[:, :1]), d[:, 1:]])
    return least_squares(d, gold - gold[:, :1], form)


def _best_of_n_columns(curve: BestOfNCurve, column: str) -> tuple[Replicates, int]:
    """Return draws of a column's means, then those of KL, and how many points there are."""
    draws = curve.curves.replicates
    return _beside(draws[column], draws["kl"]), len(curve.curves.grid)


def _beside(left: Replicates, right: Replicates) -> Replicates:
    return Replicates(
        point=np.hstack([left.point, right.point]),
        resampled=np.hstack([left.resampled, right.resampled]),
        left_out=np.hstack([left.left_out, right.left_out]),
        prompts=np.concatenate([left.prompts, right.prompts]),
        level=left.level,
        cautions=left.cautions,
    )


def _too_few(points: int) -> str:
    return f"{points} points, the first at d = 0: two coefficients take {POINTS} more"
