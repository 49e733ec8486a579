"""Intervals over training seeds, and over seeds and prompts at once.

Prompts tell how far a trained policy's figure can be trusted for *this* training run; whether
another run of the same recipe would give it too, only other seeds tell. Seeds are few, so a
bootstrap over them covers far too little (3 seeds: about 70%): Student's t over the seeds' means is
used, which is exact for normally distributed seed effects and wide (t with 2 degrees of freedom:
4.30 standard errors).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.metrics.resample import SKEWED, skew
from rubricbench.metrics.result import LEVEL, Caution, Method, Result, caution, not_computable

# As of prompts (`resample.FEW_PROMPTS_T`): so few do not show whether they are skewed. A warning
# where the few themselves are skewed would go to the wrong ones (docs/metrics.md, Seeds).
FEW_SEEDS = 20
Floats = NDArray[np.float64]


def seed_cautions(seeds: int) -> tuple[Caution, ...]:
    """Return what is to be said of a figure from so many seeds."""
    if seeds == 1:
        return (caution("one_seed"),)
    return (caution("few_seeds", f"{seeds} seeds"),) if seeds < FEW_SEEDS else ()


def over_seeds(
    values: Sequence[float] | Floats, name: str, *, items: int = 0, level: float = LEVEL
) -> Result:
    """Return the mean over seeds with its t interval.

    Args:
        values: the metric of each seed, shape ``(S,)``; NaN where a seed has none: it is left out,
            and said.
        name: of the metric.
        items: samples or rows behind all seeds.
        level: confidence level.
    """
    given = np.asarray(values, dtype=np.float64)
    known = given[np.isfinite(given)]
    n = len(known)
    if not n:
        return not_computable(name, "no seed has a value", items=items, unit="seeds")
    mean = float(known.mean())
    warnings = [*seed_cautions(n), *_skewed(known - mean)]
    if n < len(given):
        warnings.append(caution("left_out", f"{len(given) - n} of {len(given)} seeds"))
    half = _half(float(known.std(ddof=1)) / math.sqrt(n), n - 1, level) if n > 1 else None
    return Result(
        name=name,
        estimate=mean,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
        level=level,
        method=Method.NONE if half is None else Method.SEEDS,
        n=n,
        unit="seeds",
        items=items,
        warnings=tuple(warnings),
    )


def _skewed(spread: Floats) -> tuple[Caution, ...]:
    """Say so where enough seeds show that they are skewed; fewer are cautioned for being few."""
    if len(spread) < FEW_SEEDS or abs(skew(spread)) <= SKEWED:
        return ()
    share = (spread**2).max() / (spread**2).sum()
    text = f"one seed of {len(spread)} makes {share:.0%} of the variance, and seeds are skewed"
    return (Caution("heavy_tail", f"{text}: the interval may cover too little"),)


def seed_difference(
    first: Mapping[int, float],
    second: Mapping[int, float],
    name: str,
    *,
    items: int = 0,
    level: float = LEVEL,
) -> Result:
    """Return the mean of ``second - first`` over the seeds that both arms have.

    The same seed gives both arms the same data order and initial weights, so their difference
    varies less than either. Seeds of one arm alone are left out, and said.

    Args:
        first: metric of each seed of the one arm.
        second: of the other.
        name: of the difference.
        items: samples or rows behind both.
        level: confidence level.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return not_computable(name, "the arms share no seed", items=items, unit="seeds")
    result = over_seeds([second[s] - first[s] for s in shared], name, items=items, level=level)
    alone = len(first.keys() ^ second.keys())
    more = [caution("left_out", f"{alone} seeds of one arm only")] if alone else []
    return result.with_warnings(more)


def over_seeds_and_prompts(
    values: Floats, name: str, *, items: int = 0, level: float = LEVEL
) -> Result:
    """Return the grand mean with an interval for new seeds *and* new prompts.

    The table seeds x prompts is crossed: ``y_sp = mu + a_s + b_p + e_sp``. The variance of the mean
    is ``(MS_seeds + MS_prompts - MS_rest) / SP``, from the mean squares of the two-way table, and
    its degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin 2; the sum is that of
    two-way clusters in Cameron, Gelbach and Miller 2011). With 3 seeds that covers too little
    where they are most of the variance, so the interval is never narrower than the t interval over
    the seeds' means or that over the prompts' (docs/metrics.md has the coverage of both).

    Args:
        values: shape ``(S, P)``, one mean of every prompt for every seed, none missing.
        name: of the metric.
        items: samples or rows behind all.
        level: confidence level.

    Raises:
        ValueError: not a table, or a missing cell.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ValueError("seeds x prompts, every cell a number")
    seeds, prompts = table.shape
    mean = float(table.mean())
    warnings = seed_cautions(seeds)
    if min(seeds, prompts) < 2:
        more = (caution("one_prompt"),) if prompts < 2 else ()
        return Result(
            name=name,
            estimate=mean,
            n=seeds,
            unit="seeds",
            items=items,
            level=level,
            warnings=(*warnings, *more),
        )
    half = max(_half(error, df, level) for error, df in _crossed(table))
    return Result(
        name=name,
        estimate=mean,
        low=mean - half,
        high=mean + half,
        level=level,
        method=Method.SEEDS,
        n=seeds,
        unit="seeds",
        items=items,
        warnings=warnings,
    )


def _crossed(table: Floats) -> list[tuple[float, float]]:
    """Return standard errors and degrees of freedom: of seeds, of prompts, and of both."""
    seeds, prompts = table.shape
    by_seed, by_prompt = table.mean(axis=1), table.mean(axis=0)
    rest = table - by_seed[:, None] - by_prompt[None, :] + table.mean()
    freedom = np.array([seeds - 1, prompts - 1, (seeds - 1) * (prompts - 1)], dtype=np.float64)
    squares = np.array(
        [
            prompts * by_seed.var(ddof=1),
            seeds * by_prompt.var(ddof=1),
            (rest**2).sum() / freedom[2],
        ]
    )
    found = [(float(s), float(df)) for s, df in zip(squares[:2], freedom[:2], strict=True)]
    both = squares[0] + squares[1] - squares[2]
    if both > 0:
        found.append((float(both), float(both**2 / (squares**2 / freedom).sum())))
    return [(math.sqrt(square / table.size), df) for square, df in found]


def _half(error: float, df: float, level: float) -> float:
    return float(special.stdtrit(df, (1 + level) / 2)) * error
