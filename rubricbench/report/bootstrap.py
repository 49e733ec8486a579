"""Intervals by cluster bootstrap over prompts.

Samples that answer one prompt share its difficulty and its rubric, so prompts, not samples or
criteria, are what is drawn with replacement (Efron and Tibshirani, *An Introduction to the
Bootstrap*, 1993, chapter 8; Miller, arXiv 2411.00640, on clustered evaluations). Every statistic of
a report uses the same draws: two responders are compared on the same resampled prompts, which
makes their difference a paired one.

A rate of exactly 0 or 1 gives the bootstrap nothing to vary. There the Wilson score interval takes
its place, with the number of prompts as its sample size: the cautious choice, since criteria of one
prompt are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rubricbench.draws import generator

RESAMPLES = 2000
LEVEL = 0.95
_Z = 1.959963984540054  # standard normal quantile at (1 + LEVEL) / 2
_CHUNK = 128  # resamples whose per-sample weights are held at once

Floats = NDArray[np.float64]


class Method(StrEnum):
    """Where an interval comes from."""

    BOOTSTRAP = "bootstrap"
    WILSON = "wilson"
    NONE = "none"  # one prompt, or no spread between prompts


@dataclass(frozen=True)
class Estimate:
    """A statistic with its bounds and its interval.

    Args:
        low: point estimate with every unknown turned against the responder.
        high: the same with every unknown turned in its favour; equal to ``low`` without unknowns.
        interval: 95% interval; with unknowns, from the lower end for ``low`` to the upper end for
            ``high``. None where there is none.
        method: how the interval was made.
        prompts: number of prompts behind it.
        items: number of samples or criteria behind it.
    """

    low: float
    high: float
    interval: tuple[float, float] | None
    method: Method
    prompts: int
    items: int

    @property
    def value(self) -> float | None:
        """The point estimate, or None where unknowns leave only bounds."""
        return self.low if self.low == self.high else None


@dataclass(frozen=True)
class Tally:
    """Sums per prompt, each of shape ``(prompts,)``; the statistic is ``sum / count``.

    Args:
        low: sum of the items' low bounds.
        high: sum of the items' high bounds.
        count: number of items.
    """

    low: Floats
    high: Floats
    count: Floats

    def where(self, mask: NDArray[np.bool_]) -> Tally:
        """Return the tally of the prompts in the mask alone."""
        return Tally(self.low * mask, self.high * mask, self.count * mask)


class Resamples:
    """Bootstrap draws over a set of prompts.

    Args:
        prompt_ids: the prompts; order and repetition do not matter.
        seed: the report's seed.
        resamples: how many draws.
    """

    def __init__(
        self, prompt_ids: Iterable[str], *, seed: int = 0, resamples: int = RESAMPLES
    ) -> None:
        self.prompts = sorted(set(prompt_ids))
        self.index = {prompt: i for i, prompt in enumerate(self.prompts)}
        n = len(self.prompts)
        # An undecodable id still has to key the generator, so lone surrogates are replaced.
        names = [p.encode("utf-8", "replace").decode() for p in self.prompts]
        rng = generator(seed, "report bootstrap over prompts", names)
        counts = np.empty((resamples, n), dtype=np.float64)
        for row in counts:
            row[:] = np.bincount(rng.integers(0, n, size=n), minlength=n)
        self.counts = counts  # (resamples, prompts): how often each prompt was drawn

    def tally(self, items: Iterable[tuple[str, float, float]]) -> Tally:
        """Sum items of the form ``(prompt id, low, high)`` per prompt."""
        sums = np.zeros((3, len(self.prompts)))
        for prompt, low, high in items:
            sums[:, self.index[prompt]] += (low, high, 1.0)
        return Tally(*sums)

    def mean(self, tally: Tally, *, proportion: bool = False) -> Estimate:
        """Estimate the mean over the items of a tally.

        Args:
            tally: at least one item.
            proportion: whether the items are 0 or 1, so that Wilson's interval can stand in.
        """
        total = float(tally.count.sum())
        low, high = float(tally.low.sum()) / total, float(tally.high.sum()) / total
        prompts = int((tally.count > 0).sum())
        draws = self._draws(tally)
        interval, method = _percentiles(*draws), Method.BOOTSTRAP
        if prompts < 2 or _flat(interval):
            interval, method = None, Method.NONE
        if proportion and interval is None and low == high and low in (0.0, 1.0):
            interval, method = wilson(low, prompts), Method.WILSON
        return Estimate(low, high, interval, method, prompts, int(total))

    def difference(self, ours: Tally, theirs: Tally) -> Estimate | None:
        """Estimate mean minus mean over the prompts both have answered; None if they share none."""
        shared = (ours.count > 0) & (theirs.count > 0)
        prompts = int(shared.sum())
        if not prompts:
            return None
        a, b = ours.where(shared), theirs.where(shared)
        (a_low, a_high), (b_low, b_high) = self._draws(a), self._draws(b)
        interval = _percentiles(a_low - b_high, a_high - b_low)
        if prompts < 2 or _flat(interval):
            interval = None
        n_a, n_b = float(a.count.sum()), float(b.count.sum())
        return Estimate(
            low=float(a.low.sum()) / n_a - float(b.high.sum()) / n_b,
            high=float(a.high.sum()) / n_a - float(b.low.sum()) / n_b,
            interval=interval,
            method=Method.BOOTSTRAP if interval else Method.NONE,
            prompts=prompts,
            items=int(n_a),
        )

    def _draws(self, tally: Tally) -> tuple[Floats, Floats]:
        """Return the resampled low and high means; NaN where a draw has no item."""
        count = self.counts @ tally.count
        count[count == 0] = np.nan
        return (self.counts @ tally.low) / count, (self.counts @ tally.high) / count

    def rank_correlation(
        self, prompt_ids: Sequence[str], x: Sequence[float], y: Sequence[float]
    ) -> Estimate | None:
        """Estimate Spearman's correlation; None where either side is constant.

        Args:
            prompt_ids: the prompt of each sample.
            x: one number per sample.
            y: one number per sample.
        """
        cluster = np.array([self.index[p] for p in prompt_ids], dtype=np.int64)
        pair = (_Ranked(x), _Ranked(y))
        (point,) = _spearman(np.ones((1, len(cluster))), *pair)
        if math.isnan(point):
            return None
        draws = np.concatenate([_spearman(w, *pair) for w in self._weights(cluster)])
        prompts = len(set(prompt_ids))
        interval = _percentiles(draws, draws) if prompts > 2 else None
        method = Method.BOOTSTRAP if interval else Method.NONE
        return Estimate(float(point), float(point), interval, method, prompts, len(cluster))

    def _weights(self, cluster: NDArray[np.int64]) -> Iterator[Floats]:
        for start in range(0, len(self.counts), _CHUNK):
            yield self.counts[start : start + _CHUNK][:, cluster]


class _Ranked:
    """A variable sorted once, so that the midranks of any resample are running sums."""

    def __init__(self, values: Sequence[float]) -> None:
        self.order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")
        ordered = np.asarray(values, dtype=np.float64)[self.order]
        fresh = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        self.starts = np.flatnonzero(fresh)
        self.group = np.empty(len(ordered), dtype=np.int64)  # tie group of each sample
        self.group[self.order] = np.cumsum(fresh) - 1

    def midranks(self, weights: Floats) -> Floats:
        """Return ranks, ties averaged, of samples repeated ``weights`` times: shape as weights."""
        sizes = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        ranks = np.cumsum(sizes, axis=1) - (sizes - 1) / 2
        return np.asarray(ranks[:, self.group])


def _spearman(weights: Floats, x: _Ranked, y: _Ranked) -> Floats:
    """Return Pearson's correlation of the midranks, one per row of ``weights``."""
    total = weights.sum(axis=1, keepdims=True)
    total[total == 0] = np.nan  # a draw without any of these samples
    a, b = x.midranks(weights), y.midranks(weights)
    a = a - (weights * a).sum(axis=1, keepdims=True) / total
    b = b - (weights * b).sum(axis=1, keepdims=True) / total
    covariance = (weights * a * b).sum(axis=1)
    scale = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    scale[scale == 0] = np.nan
    return np.asarray(covariance / scale)


def _percentiles(low: Floats, high: Floats) -> tuple[float, float] | None:
    low, high = low[~np.isnan(low)], high[~np.isnan(high)]
    if not len(low):
        return None
    tail = (1 - LEVEL) / 2
    return float(np.quantile(low, tail)), float(np.quantile(high, 1 - tail))


def _flat(interval: tuple[float, float] | None) -> bool:
    """Whether the draws do not differ beyond rounding error."""
    return interval is None or interval[1] - interval[0] < 1e-12


def wilson(rate: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95% score interval for a proportion (Wilson 1927).

    Args:
        rate: observed proportion.
        n: number of independent trials.
    """
    z2 = _Z * _Z
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if rate == 0 else max(0.0, centre - half)
    return low, 1.0 if rate == 1 else min(1.0, centre + half)
