"""Intervals by resampling prompts: means over prompts, and any function of such means.

Nearly every metric here is a function of means over prompts: a win rate is one mean, a best-of-n
curve is a vector of them, its peak a function of that vector. So a metric brings one matrix,
``values`` of shape ``(prompts, columns)``, already averaged within each prompt, and gets
`Replicates`: the point, the bootstrap replicates and the leave-one-out values of the column means,
all of which `Replicates.map` passes through the metric's function. The prompts, whole clusters, are
what is drawn with replacement (Efron and Tibshirani 1993, chapter 8); arms that are evaluated on
the same prompts stand in one matrix, which pairs them.

    boot = Bootstrap(samples.prompts)
    draws = boot.means(curve_of_each_prompt)        # (prompts, checkpoints)
    peak = draws.map(lambda curve: curve.max(axis=1, keepdims=True))
    result = peak.results(["gold_peak"], items=samples.size)[0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.draws import generator
from rubricbench.metrics.result import LEVEL, Caution, Method, Result, caution, not_computable

RESAMPLES = 2000
FEW_PROMPTS = 50  # below this, coverage was seen to fall short (docs/metrics.md)
HEAVY_SHARE = 0.25  # of an estimate's variance, from its one most influential prompt
_CHUNK = 256  # resamples whose counts are held at once
_FLAT = 1e-12

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]


class Bootstrap:
    """Bootstrap draws over a set of prompts.

    Args:
        prompts: ids of the prompts, in the order of the rows of every matrix; no repetition.
        seed: the analysis's seed. The draws depend on it and on the ids, nothing else.
        resamples: how many draws.
        level: confidence level of the intervals.
    """

    def __init__(
        self,
        prompts: Sequence[str] | NDArray[np.str_],
        *,
        seed: int = 0,
        resamples: int = RESAMPLES,
        level: float = LEVEL,
    ) -> None:
        names = [str(p).encode("utf-8", "replace").decode() for p in prompts]
        if len(set(names)) != len(names):
            raise ValueError("a prompt stands twice")
        self.n = len(names)
        self.resamples = resamples
        self.level = level
        # Drawn over the sorted ids: the order in which a file lists its prompts changes nothing.
        self._order = np.argsort(np.array(names, dtype=object), kind="stable")
        self._names = [names[i] for i in self._order]
        self._seed = seed

    def counts(self) -> Iterator[Floats]:
        """Return how often each prompt is drawn, in chunks of shape ``(draws, prompts)``."""
        rng = generator(self._seed, "bootstrap over prompts", self._names)
        for start in range(0, self.resamples, _CHUNK):
            size = min(_CHUNK, self.resamples - start)
            chunk = np.empty((size, self.n))
            for row in chunk:
                drawn = rng.integers(0, self.n, size=self.n)
                row[self._order] = np.bincount(drawn, minlength=self.n)
            yield chunk

    def means(self, values: Floats) -> Replicates:
        """Return the draws of the column means.

        Args:
            values: shape ``(prompts, columns)`` or ``(prompts,)``; NaN where a prompt has no value
                in a column: it does not count there.
        """
        matrix = np.asarray(values, dtype=np.float64)
        matrix = matrix[:, None] if matrix.ndim == 1 else matrix
        if len(matrix) != self.n:
            raise ValueError(f"{len(matrix)} rows for {self.n} prompts")
        known = ~np.isnan(matrix)
        filled = np.where(known, matrix, 0.0)
        total, number = filled.sum(axis=0), known.sum(axis=0).astype(np.float64)
        resampled = [_ratio(c @ filled, c @ known) for c in self.counts()]
        return Replicates(
            point=_ratio(total, number)[None, :],
            resampled=np.concatenate(resampled) if resampled else np.empty((0, len(total))),
            left_out=_ratio(total - filled, number - known),
            prompts=number.astype(np.int64),
            level=self.level,
        )


def _ratio(total: Floats, number: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(number > 0, total / number, np.nan))


@dataclass(frozen=True)
class Replicates:
    """Statistics of the whole, of each bootstrap draw and of each leave-one-out set.

    Args:
        point: shape ``(1, k)``.
        resampled: shape ``(resamples, k)``.
        left_out: shape ``(prompts, k)``: without each prompt in turn.
        prompts: how many prompts have a value in each column; one number for all after `map`.
        level: confidence level of the intervals.
    """

    point: Floats
    resampled: Floats
    left_out: Floats
    prompts: NDArray[np.int64]
    level: float = LEVEL
    cautions: tuple[Caution, ...] = field(default=())

    def map(self, function: Function) -> Replicates:
        """Pass all three through a function of shape ``(rows, k) -> (rows, m)``, row by row."""
        with np.errstate(invalid="ignore", divide="ignore"):
            point, resampled, left_out = (
                _columns(function(x)) for x in (self.point, self.resampled, self.left_out)
            )
        prompts = np.full(point.shape[1], self.prompts.min(initial=len(left_out)))
        return Replicates(point, resampled, left_out, prompts, self.level, self.cautions)

    def interval(self, method: Method) -> tuple[Floats, Floats]:
        """Return both ends for every column, NaN where there is none; shapes ``(k,)``."""
        if method is Method.T:
            return self._t()
        tail = (1 - self.level) / 2
        tails = np.tile([[tail], [1 - tail]], self.point.shape[1])
        if method is Method.BCA:
            tails = self._bca(tails)
        elif method is not Method.PERCENTILE:
            raise ValueError(f"no resampling interval {method.value}")
        return _quantile(self.resampled, tails[0]), _quantile(self.resampled, tails[1])

    def standard_error(self) -> Floats:
        """Return the jackknife standard error of every column, shape ``(k,)``."""
        pseudo = self.left_out - _mean(self.left_out)
        n = self.prompts
        return np.asarray(np.sqrt((n - 1) / np.maximum(n, 1) * np.nansum(pseudo**2, axis=0)))

    def results(
        self,
        names: Sequence[str],
        *,
        items: int = 0,
        method: Method = Method.T,
        why: str = "not defined on these data",
        warnings: Sequence[Caution] = (),
    ) -> list[Result]:
        """Return one `Result` a column.

        Args:
            names: one for each column.
            items: samples, pairs or rows behind each.
            method: of the intervals: `Method.T` suits means, the bootstrap what is curved.
            why: the reason to give where a column has no value.
            warnings: to be added to those found here.
        """
        low, high = self.interval(method)
        found = []
        for i, name in enumerate(names):
            n = int(self.prompts[i])
            value = float(self.point[0, i])
            if not np.isfinite(value):
                found.append(not_computable(name, why, n=n, items=items))
                continue
            given = np.isfinite(low[i]) and np.isfinite(high[i]) and n > 1
            result = Result(
                name=name,
                estimate=value,
                low=float(low[i]) if given else None,
                high=float(high[i]) if given else None,
                level=self.level,
                method=method if given else Method.NONE,
                n=n,
                items=items,
            )
            found.append(result.with_warnings((*self._cautions(i), *self.cautions, *warnings)))
        return found

    def _cautions(self, column: int) -> list[Caution]:
        n = int(self.prompts[column])
        if n < 2:
            return [caution("one_prompt")]
        found = [caution("few_prompts", f"{n} prompts")] if n < FEW_PROMPTS else []
        share = self._largest_share()[column]
        if n >= 8 and share > HEAVY_SHARE:
            found.append(
                caution("heavy_tail", f"one prompt in {n} makes {share:.0%} of the variance")
            )
        return found

    def _largest_share(self) -> Floats:
        squares = (self.left_out - _mean(self.left_out)) ** 2
        total = np.nansum(squares, axis=0)
        return np.where(
            total > _FLAT**2, np.nanmax(squares, axis=0, initial=0) / np.maximum(total, _FLAT**2), 0
        )

    def _t(self) -> tuple[Floats, Floats]:
        n = np.maximum(self.prompts, 2)
        half = special.stdtrit(n - 1, (1 + self.level) / 2) * self.standard_error()
        half = np.where(self.prompts > 1, half, np.nan)
        return self.point[0] - half, self.point[0] + half

    def _bca(self, tails: Floats) -> Floats:
        """Return the tail probabilities of BCa (Efron 1987; Efron and Tibshirani, eq. 14.10)."""
        below = np.nanmean(self.resampled < self.point, axis=0)
        equal = np.nanmean(self.resampled == self.point, axis=0)
        bias = special.ndtri(np.clip(below + equal / 2, 1e-6, 1 - 1e-6))
        deviation = _mean(self.left_out) - self.left_out
        cubes, squares = np.nansum(deviation**3, axis=0), np.nansum(deviation**2, axis=0)
        acceleration = np.where(
            squares > _FLAT**2, cubes / (6 * np.maximum(squares, _FLAT**2) ** 1.5), 0
        )
        z = bias + special.ndtri(tails)
        return np.asarray(special.ndtr(bias + z / (1 - acceleration * z)))


def _columns(values: Floats) -> Floats:
    return values[:, None] if values.ndim == 1 else values


def _mean(values: Floats) -> Floats:
    number = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    return np.asarray(np.nansum(values, axis=0) / number)


def _quantile(values: Floats, tails: Floats) -> Floats:
    """Return one quantile a column, each at its own probability; NaN where too few are defined."""
    found = np.full(values.shape[1], np.nan)
    for i, tail in enumerate(tails):
        column = values[:, i]
        defined = column[np.isfinite(column)]
        # Where many draws have no value, those that have are not a fair sample of them.
        if len(defined) and len(defined) >= 0.9 * len(column) and np.isfinite(tail):
            found[i] = np.quantile(defined, tail)
    return found
