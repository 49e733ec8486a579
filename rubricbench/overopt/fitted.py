"""Gao et al.'s fits as the document holds them, with the curve to draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics import fits
from rubricbench.metrics.bestofn import BestOfNCurve, best_of_n
from rubricbench.metrics.result import Result, not_computable
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.scales import scale_of
from rubricbench.metrics.trajectory import Trajectory
from rubricbench.overopt.document import Fit
from rubricbench.overopt.settings import Settings

DRAWN = 61  # points of a drawn curve

Floats = NDArray[np.float64]


def of_best_of_n(samples: Samples, curve: BestOfNCurve, settings: Settings) -> Fit:
    """Return the best-of-n form fitted to gold, with γ.

    Args:
        samples: of the curve; γ takes both rewards in standard deviations of the policy.
        curve: of `best_of_n`.
        settings: of the resampling.
    """
    shown = curve.shown()
    reach = max((p.kl.estimate or 0.0) for p in shown)
    return _fit(
        fits.fit_best_of_n(curve),
        origin=shown[0].gold.estimate or 0.0,
        reach=float(np.sqrt(max(reach, 0.0))),
        gamma=_gamma(samples, settings),
    )


def of_runs(runs: list[Trajectory], whole: Trajectory, settings: Settings) -> Fit | None:
    """Return the RL form fitted to an arm's gold; None where KL was not logged.

    Args:
        runs: of one arm.
        whole: their mean.
        settings: of the resampling.
    """
    distance = whole.distance()
    if distance is None:
        return None
    found = fits.fit_rl(
        runs, seed=settings.seed, resamples=settings.resamples, level=settings.level
    )
    return _fit(found, origin=float(whole.gold[0].mean()), reach=float(distance.max()))


def _fit(found: fits.Fit, *, origin: float, reach: float, gamma: Result | None = None) -> Fit:
    alpha, beta = found.alpha.over_prompts, found.beta.over_prompts
    x, y = _drawn(found.form, alpha.estimate, beta.estimate, reach)
    return Fit(
        form=found.form,
        alpha=alpha,
        beta=beta,
        r2=found.r2.over_prompts,
        turnover=found.turnover.over_prompts,
        gamma=gamma,
        origin=origin,
        curve_x=tuple(x.tolist()),
        curve_y=tuple((origin + y).tolist()),
    )


def _drawn(
    form: fits.Form, alpha: float | None, beta: float | None, reach: float
) -> tuple[Floats, Floats]:
    if alpha is None or beta is None or not reach > 0:
        return np.empty(0), np.empty(0)
    d = np.linspace(0, reach, DRAWN)
    bend = d if form == "best_of_n" else np.log(np.where(d > 0, d, 1.0))
    return d, d * (alpha - beta * bend)


def _gamma(samples: Samples, settings: Settings) -> Result:
    try:
        proxy, gold = scale_of(samples.proxy, "proxy"), scale_of(samples.gold, "gold")
    except InputError as error:
        return not_computable("gamma", error.what, n=len(samples.prompts), items=samples.size)
    scaled = replace(
        samples,
        proxy=(samples.proxy - proxy.mean) / proxy.sd,
        gold=(samples.gold - gold.mean) / gold.sd,
    )
    return fits.gamma(best_of_n(scaled, None, settings.boot(samples.prompts)))
