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
    points = draws.results(names, items=samples.size)
    area = draws.map(lambda curve: (curve - curve[:, :1]).mean(axis=1))
    result = area.results(["area"], items=samples.size)[0]

Student's t with the jackknife's standard error is the default: it covered best in simulations of
means and of smooth functions of them. No interval is right for the highest point of a curve, whose
estimate is biased upwards: see `metrics.peak`. The simulations, also those that the cautions of
this file were chosen by, are in docs/metrics.md.
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
# Below these, coverage falls short where nothing in so small a sample shows it (docs/metrics.md).
FEW_PROMPTS_T = 20
FEW_PROMPTS_BOOTSTRAP = 50
# Skewness of the prompts' influences over the square root of their number. It is what the coverage
# error of an interval for a mean grows with (Hall 1992), and six accelerations of BCa.
SKEWED = 0.2
DEFINED = 0.9  # of the draws must have a value, or those that have are no fair sample of them
_CELLS = 4_000_000  # of the counts of resamples held at once: 32 MB
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
        for chunk in self._sorted_counts():
            counts = np.empty_like(chunk)
            counts[:, self._order] = chunk
            yield counts

    def _sorted_counts(self) -> Iterator[Floats]:
        rng = generator(self._seed, "bootstrap over prompts", self._names)
        step = max(1, min(256, _CELLS // max(self.n, 1)))
        for start in range(0, self.resamples, step):
            chunk = np.empty((min(step, self.resamples - start), self.n))
            for row in chunk:
                row[:] = np.bincount(rng.integers(0, self.n, size=self.n), minlength=self.n)
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
        # In the order of the sorted ids, so that not even rounding depends on the order of rows.
        matrix = matrix[self._order]
        known = (~np.isnan(matrix)).astype(np.float64)
        complete = bool(known.all())
        filled = matrix if complete else np.where(known > 0, matrix, 0.0)
        total, number = filled.sum(axis=0), known.sum(axis=0)
        resampled = np.empty((self.resamples, len(total)))
        done = 0
        for chunk in self._sorted_counts():
            drawn = float(self.n) if complete else chunk @ known
            resampled[done : done + len(chunk)] = _ratio(chunk @ filled, drawn)
            done += len(chunk)
        left_out = np.empty_like(filled)
        left_out[self._order] = _ratio(total - filled, number - known)
        return Replicates(
            point=_ratio(total, number)[None, :],
            resampled=resampled,
            left_out=left_out,
            prompts=number.astype(np.int64),
            level=self.level,
        )


def _ratio(total: Floats, number: Floats | float) -> Floats:
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
        """Return the jackknife standard error of every column, shape ``(k,)``.

        Of a mean it is the classic one, sd/√n. NaN with fewer than two prompts, and where more than
        a tenth of the leave-one-out values are not defined; fewer are made up for by the others.
        """
        n, rows = self.prompts, len(self.left_out)
        defined = np.isfinite(self.left_out).sum(axis=0)
        squares = np.nansum(self._influence() ** 2, axis=0) * rows / np.maximum(defined, 1)
        enough = (n > 1) & (defined >= DEFINED * rows)
        return np.where(enough, np.sqrt((n - 1) / np.maximum(n, 1) * squares), np.nan)

    def p_values(self, null: float = 0.0) -> Floats:
        """Return the one-sided p-value, by t, of "the truth is at most ``null``", shape ``(k,)``.

        1 where there is no standard error or it is zero: prompts that do not vary, or too few of
        them, are no evidence.
        """
        error = self.standard_error()
        varies = error > _FLAT * np.maximum(1.0, np.abs(self.point[0]))
        t = (self.point[0] - null) / np.where(varies, error, 1.0)
        p = special.stdtr(np.maximum(self.prompts - 1, 1), -t)
        return np.where(varies & np.isfinite(p), p, 1.0)

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
            method: of the intervals.
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
            own = self._cautions(i, method, given)
            found.append(result.with_warnings((*own, *self.cautions, *warnings)))
        return found

    def _cautions(self, column: int, method: Method, given: bool) -> list[Caution]:
        n = int(self.prompts[column])
        if n < 2:
            return [caution("one_prompt")]
        if not given:
            return [caution("unstable")]
        few = FEW_PROMPTS_T if method is Method.T else FEW_PROMPTS_BOOTSTRAP
        found = [caution("few_prompts", f"{n} prompts")] if n < few else []
        influence = self._influence()[:, column]
        squares = influence**2
        scale = max(1.0, abs(float(self.point[0, column])))
        if np.nansum(squares) <= (_FLAT * scale) ** 2:
            found.append(caution("constant", f"no spread among {n} prompts, so no width"))
        elif abs(skew(influence)) > SKEWED:
            share = np.nanmax(squares) / np.nansum(squares)
            found.append(
                caution("heavy_tail", f"one prompt of {n} makes {share:.0%} of the variance")
            )
        return found

    def _influence(self) -> Floats:
        """Return how far each leave-one-out value lies below their mean, shape ``(P, k)``."""
        return np.asarray(_mean(self.left_out) - self.left_out)

    def _t(self) -> tuple[Floats, Floats]:
        quantile = special.stdtrit(np.maximum(self.prompts - 1, 1), (1 + self.level) / 2)
        half = quantile * self.standard_error()
        return self.point[0] - half, self.point[0] + half

    def _bca(self, tails: Floats) -> Floats:
        """Return the tail probabilities of BCa (Efron 1987; Efron and Tibshirani, eq. 14.10)."""
        defined = np.maximum(np.isfinite(self.resampled).sum(axis=0), 1)
        below = (self.resampled < self.point).sum(axis=0) / defined
        equal = (self.resampled == self.point).sum(axis=0) / defined
        bias = special.ndtri(np.clip(below + equal / 2, 1e-6, 1 - 1e-6))
        acceleration = np.array([skew(column) / 6 for column in self._influence().T])
        z = bias + special.ndtri(tails)
        return np.asarray(special.ndtr(bias + z / np.maximum(1 - acceleration * z, _FLAT)))


def skew(influence: Floats) -> float:
    """Return the sum of cubes over the sum of squares to the power 1.5; 0 where none varies.

    Of n values about their mean it is their skewness over √n.
    """
    known = influence[np.isfinite(influence)]
    largest = float(np.abs(known).max(initial=0.0))
    if largest <= _FLAT**2:
        return 0.0
    known = known / largest
    return float((known**3).sum() / (known**2).sum() ** 1.5)


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
        if len(defined) and len(defined) >= DEFINED * len(column) and np.isfinite(tail):
            found[i] = np.quantile(defined, tail)
    return found
