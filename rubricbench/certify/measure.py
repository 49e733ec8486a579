"""A figure of a certificate, and the intervals it may carry.

Whatever is sampled here comes in prompts: responses to one prompt share its difficulty, its rubric
and the judge's grasp of it. So every standard error is a spread between prompts (Cameron and
Miller, *A Practitioner's Guide to Cluster-Robust Inference*, 2015, section 2), and every quantile
is Student's t with the number of prompts behind it. They were chosen by their coverage on simulated
judges: at 25 prompts, 95% percentile-bootstrap intervals of sensitivity, kappa and their like held
the truth in 91-93% of 1,000 draws, these in 95-96% (``tests/certify/cover.py`` prints theirs).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


class Method(StrEnum):
    """Where an interval comes from."""

    WILSON = "wilson_by_prompt"
    LINEAR = "cluster_t"
    JACKKNIFE = "jackknife_t"
    BOOTSTRAP = "bootstrap"
    NONE = "none"


class Measure(msgspec.Struct, frozen=True):
    """An estimate with its 95% interval.

    Args:
        value: the estimate; None where the data do not allow one.
        low: lower end of the interval; None where there is none.
        high: upper end.
        items: how many verdicts, responses or pairs are behind it.
        prompts: how many prompts they belong to.
        method: how the interval was made.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    items: int = 0
    prompts: int = 0
    method: Method = Method.NONE

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)


class Prompts:
    """Which prompt each row belongs to.

    Args:
        ids: prompt id of every row.
    """

    def __init__(self, ids: Sequence[str] | NDArray[np.str_]) -> None:
        names, of = np.unique(np.asarray(ids, dtype=str), return_inverse=True)
        self.names: NDArray[np.str_] = names
        self.of: NDArray[np.int64] = of.astype(np.int64)

    def __len__(self) -> int:
        return len(self.names)

    def sums(self, values: Floats | NDArray[np.bool_]) -> Floats:
        """Return the sum of a row variable over each prompt, shape ``(prompts,)``."""
        sums = np.bincount(self.of, np.asarray(values, dtype=np.float64), len(self.names))
        return sums.astype(np.float64)

    def count(self, mask: NDArray[np.bool_]) -> int:
        """Return how many prompts have a row in the mask."""
        return int((np.bincount(self.of[mask], minlength=len(self.names)) > 0).sum())


class Influence(msgspec.Struct, frozen=True):
    """What each prompt of one sample adds to the error of an estimate, to first order.

    Args:
        names: the prompts.
        values: one number each; their squares add up to the estimate's variance.
    """

    names: NDArray[np.str_]
    values: Floats

    @classmethod
    def of(cls, names: NDArray[np.str_], values: Floats) -> Self:
        """Return the influence with the factor G/(G-1) that makes its variance unbiased."""
        prompts = len(names)
        return cls(names, values * math.sqrt(prompts / (prompts - 1)) if prompts > 1 else values)


def t_quantile(df: int) -> float:
    """Return t with P(|T| <= t) = 95% for Student's t with ``df`` degrees of freedom."""
    return float(special.stdtrit(df, 0.975))


def spread(parts: Iterable[Influence]) -> tuple[float, int]:
    """Return the standard error and the degrees of freedom of a sum of influences.

    A prompt that is in several samples counts with the sum of what it adds, so samples that share
    prompts are correlated as they should be. Degrees of freedom after Satterthwaite (1946), rounded
    down: of independent samples, the one that contributes most of the variance decides.
    """
    given = [part for part in parts if len(part.names)]
    names, of = np.unique(np.concatenate([p.names for p in given]), return_inverse=True)
    total = np.bincount(of, np.concatenate([p.values for p in given]), len(names))
    variance = float(total @ total)
    own = [(float(p.values @ p.values), len(p.names) - 1) for p in given]
    scale = sum(v * v / max(1, df) for v, df in own)
    df = sum(v for v, _ in own) ** 2 / scale if scale > 0 else min(df for _, df in own)
    return math.sqrt(variance), max(1, int(min(df, len(names) - 1)))


def t_interval(
    value: float, parts: Sequence[Influence], *, items: int, prompts: int | None = None
) -> Measure:
    """Return an estimate with the t interval of its influences; none with a single prompt.

    Args:
        value: the estimate.
        parts: influences, one per sample behind it.
        items: rows behind it.
        prompts: prompts behind it, where that is not the number of names.
    """
    count = len(np.unique(np.concatenate([p.names for p in parts]))) if prompts is None else prompts
    if not math.isfinite(value):
        return Measure(None, items=items, prompts=count)
    if min(len(p.names) for p in parts) < 2:
        return Measure(value, items=items, prompts=count)
    error, df = spread(parts)
    half = t_quantile(df) * error
    return Measure(value, value - half, value + half, items, count, Method.LINEAR)


def mean(values: Floats, prompts: Prompts, weights: Floats | None = None) -> Measure:
    """Return a (weighted) mean over rows with its interval; rows that are NaN are left out."""
    estimate, influence, rows = mean_influence(values, prompts, weights)
    if not rows:
        return Measure(None)
    return t_interval(estimate, [influence], items=rows)


def mean_influence(
    values: Floats, prompts: Prompts, weights: Floats | None = None
) -> tuple[float, Influence, int]:
    """Return a mean over rows, its influence and the number of rows; NaN rows are left out.

    A mean over clusters of different sizes is a ratio of sums, linearised (Cochran, *Sampling
    Techniques*, 1977, section 6.3): prompt g adds ``Σ_{i in g} w_i (x_i - mean) / Σ w``.
    """
    known = ~np.isnan(values)
    w = np.ones_like(values) if weights is None else weights
    w = np.where(known, w, 0.0)
    total = float(w.sum())
    if total <= 0:
        return math.nan, Influence(prompts.names[:0], np.empty(0)), 0
    x = np.where(known, values, 0.0)
    estimate = float(w @ x) / total
    there = prompts.sums(w) > 0
    added = prompts.sums(w * (x - estimate))[there] / total
    return estimate, Influence.of(prompts.names[there], added), int(known.sum())


def rate(hits: NDArray[np.bool_], among: NDArray[np.bool_], prompts: Prompts) -> Measure:
    """Return the share of rows in ``among`` that are ``hits``, with `wilson_by_prompt`."""
    trials = prompts.sums(among)
    return wilson_by_prompt(prompts.sums(hits & among)[trials > 0], trials[trials > 0])


def wilson_by_prompt(hits: Floats, trials: Floats) -> Measure:
    """Return a proportion with Wilson's interval at its effective sample size.

    The effective size is that at which independent trials would have the variance seen between
    prompts; with Student's t in place of z (Korn and Graubard, *Survey Methodology* 24, 1998,
    proposed this for the exact interval). A rate of 0 or 1 shows no spread: there the number of
    prompts is the size, the cautious choice.

    Args:
        hits: hits per prompt, shape ``(prompts,)``.
        trials: trials per prompt, each at least 1.
    """
    prompts, items = len(trials), int(trials.sum())
    if not items:
        return Measure(None)
    p = float(hits.sum() / items)
    if prompts < 2:
        return Measure(p, items=items, prompts=prompts)
    residual = hits - p * trials
    variance = prompts / (prompts - 1) * float(residual @ residual) / items**2
    size = p * (1 - p) / variance if 0 < p < 1 and variance > 0 else prompts
    t2 = t_quantile(prompts - 1) ** 2
    centre = (p + t2 / (2 * size)) / (1 + t2 / size)
    half = math.sqrt(t2 * (p * (1 - p) / size + t2 / (4 * size * size))) / (1 + t2 / size)
    low = 0.0 if p == 0 else max(0.0, centre - half)
    high = 1.0 if p == 1 else min(1.0, centre + half)
    return Measure(p, low, high, items, prompts, Method.WILSON)
