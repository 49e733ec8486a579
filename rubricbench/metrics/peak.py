"""The peak of the gold reward in a training run, and how far it has fallen by the end.

The highest of noisy checkpoints is high by luck too (the winner's curse), so the checkpoint t* is
chosen on one half of the prompts and measured on the other, then the other way round, averaged over
several splits: what a checkpoint chosen on held-out prompts is worth. That is G(t*) where a
checkpoint stands out, and a little less where several are hard to tell apart. The interval is for
the true peak, the greatest true mean of all checkpoints (`Means.greatest`); for the drop it ends at
0 or above, since a drop cannot be negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.draws import generator
from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import LEVEL, Method, Result, caution, not_computable
from rubricbench.metrics.runs import Seeded, for_arm
from rubricbench.metrics.simultaneous import Means
from rubricbench.metrics.trajectory import Trajectory

SPLITS = 20
ROUNDING = 1e-12  # of the largest value

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """Peak and drop of an arm.

    Args:
        peak: gold reward at the peak, G(t*).
        drop: G(t*) − G(T): what has been lost since. Below zero by noise only.
        step: of the highest checkpoint; its interval spans those that may be the peak.
        final: gold reward at the last checkpoint, G(T).
    """

    peak: Seeded
    drop: Seeded
    step: Seeded
    final: Seeded


class PointPeak(msgspec.Struct, frozen=True, kw_only=True):
    """Peak and drop of a published curve, without prompts: no interval, and biased upwards.

    Args:
        point_peak: highest value.
        point_drop: highest less last value.
        point_step: where it is highest (the first, of equals).
        final: last value.
    """

    point_peak: Result
    point_drop: Result
    point_step: Result
    final: Result


def peak_and_drop(runs: Sequence[Trajectory], *, seed: int = 0, level: float = LEVEL) -> Peak:
    """Return peak, drop, step of the peak and final gold reward of an arm.

    Args:
        runs: of one arm, each of another seed. The figures over prompts are of their mean curve;
            those over seeds, of each run's own peak.
        seed: of the splits and draws.
        level: confidence level.

    Raises:
        InputError: as `runs.mean_run`.
    """
    peak, drop, step, final = for_arm(runs, lambda run: _of_run(run, seed, level))
    return Peak(peak=peak, drop=drop, step=step, final=final)


def crossfit(values: Floats, prompts: NDArray[np.str_], seed: int = 0) -> Floats:
    """Return, for every prompt, its gold reward at checkpoints chosen without it.

    The mean over prompts is the cross-fitted peak. Shape ``(P,)``: averages over `SPLITS` splits.

    Args:
        values: gold reward, shape ``(P, T)``, with P of at least 2.
        prompts: their ids, sorted.
        seed: of the splits.
    """
    first = halves(prompts, seed)
    found = np.zeros(len(values))
    rows = np.arange(len(values))
    best = [_best(half, values) for half in (first, ~first)]
    for half, of_first, of_second in zip(first, *best, strict=True):
        found += values[rows, np.where(half, of_second, of_first)]
    return found / len(first)


def crossfit_of(counts: Floats, values: Floats, first: Bools) -> Floats:
    """Return the cross-fitted peak of resamples, the checkpoints chosen anew in each: ``(R,)``.

    Args:
        counts: how often each prompt is drawn, shape ``(R, P)``; a prompt stays in its half.
        values: gold reward, shape ``(P, T)``.
        first: of `halves`, shape ``(splits, P)``.
    """
    total, drawn = counts @ values, counts.sum(axis=1)
    found = np.zeros(len(counts))
    rows = np.arange(len(counts))
    for half in first.astype(np.float64):
        one, size = (counts * half) @ values, counts @ half
        other = total - one
        # A resample of few prompts may miss a half: there all that was drawn has to choose.
        best_of_one = np.where(size > 0, one.T, total.T).argmax(axis=0)
        best_of_other = np.where(size < drawn, other.T, total.T).argmax(axis=0)
        found += one[rows, best_of_other] + other[rows, best_of_one]
    return np.asarray(found / (len(first) * drawn))


def halves(prompts: NDArray[np.str_], seed: int = 0, splits: int = SPLITS) -> Bools:
    """Return random halves of the prompts, shape ``(splits, P)``, True in the first half."""
    n = len(prompts)
    rng = generator(seed, "halves of the prompts", [str(p) for p in prompts])
    return np.asarray(rng.permuted(np.tile(np.arange(n) < n // 2, (splits, 1)), axis=1))


def point_peak(steps: Sequence[float], gold: Sequence[float], *, arm: str = "") -> PointPeak:
    """Return peak and drop of a curve that is known as points only.

    Args:
        steps: of the checkpoints, increasing, shape ``(T,)``.
        gold: reward there, shape ``(T,)``.
        arm: for the message of an error.

    Raises:
        InputError: no point, unequal lengths, steps that do not increase, a value not finite.
    """
    at, values = np.asarray(steps, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    _check_points(at, values, arm)
    names = ("point_peak", "point_drop", "point_step", "final_gold")
    if len(values) < 2:
        none = [not_computable(name, "one checkpoint", unit="points") for name in names[:3]]
        return PointPeak(
            point_peak=none[0],
            point_drop=none[1],
            point_step=none[2],
            final=_point(names[3], values[-1], 1),
        )
    top = int(values.argmax())
    biased = caution("winners_curse", f"the highest of {len(values)} points")
    found = [
        _point(name, value, len(values)).with_warnings([biased])
        for name, value in zip(
            names, (values[top], values[top] - values[-1], at[top]), strict=False
        )
    ]
    return PointPeak(
        point_peak=found[0],
        point_drop=found[1],
        point_step=found[2],
        final=_point(names[3], values[-1], len(values)),
    )


def _of_run(run: Trajectory, seed: int, level: float) -> list[Result]:
    values = np.ascontiguousarray(run.gold.T)
    n, width = values.shape
    items = int(run.samples.sum())
    names = ("gold_peak", "gold_drop", "peak_step")
    if width < 2 or n < 2:
        why = "one checkpoint" if width < 2 else "one prompt: none is left to measure the peak on"
        none = [not_computable(name, why, n=n, items=items) for name in names]
        return [*none, _final(run, level)]
    chosen = crossfit(values, run.prompts, seed)
    means = Means.of(values, run.prompts, seed=seed)
    may = means.p_greatest()
    falls = means.less_last().greatest(level, may)
    lost = chosen - values[:, -1]
    lost[np.abs(lost) <= ROUNDING * np.abs(values).max()] = 0.0  # of averages over the splits
    figures = (
        (float(chosen.mean()), means.greatest(level, may)),
        (float(lost.mean()), (max(falls[0], 0.0), max(falls[1], 0.0))),
        (float(run.steps[means.mean.argmax()]), _span(run.steps[may > 1 - level])),
    )
    made = [
        Result(
            name=name,
            estimate=estimate,
            low=min(low, estimate),
            high=max(high, estimate),
            level=level,
            method=Method.MAX_T,
            n=n,
            items=items,
            warnings=(*run.cautions, *means.cautions()),
        )
        for name, (estimate, (low, high)) in zip(names, figures, strict=True)
    ]
    return [*made, _final(run, level)]


def _span(steps: NDArray[np.int64]) -> tuple[float, float]:
    return float(steps.min()), float(steps.max())


def _final(run: Trajectory, level: float) -> Result:
    draws = Bootstrap(run.prompts, resamples=0, level=level).means(run.gold[-1])
    return draws.results(["final_gold"], items=int(run.samples[-1].sum()), warnings=run.cautions)[0]


def _best(halves: Bools, values: Floats) -> NDArray[np.int64]:
    """Return the best checkpoint of each half, shape ``(splits,)``; the earliest of equals."""
    return np.asarray((halves.astype(np.float64) @ values).argmax(axis=1))


def _point(name: str, value: float, n: int) -> Result:
    return Result(name=name, estimate=float(value), n=n, unit="points", items=n)


def _check_points(steps: Floats, gold: Floats, arm: str) -> None:
    where = f"arm {arm!r}" if arm else None
    if steps.shape != gold.shape or steps.ndim != 1 or not len(steps):
        raise InputError(f"{steps.size} steps for {gold.size} gold rewards", where=where)
    if not (np.isfinite(steps).all() and np.isfinite(gold).all()):
        raise InputError("a step or a gold reward is not a finite number", where=where)
    if (np.diff(steps) <= 0).any():
        raise InputError("the steps do not increase", where=where, hint="one point a step")
