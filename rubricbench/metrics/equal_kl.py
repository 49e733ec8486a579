"""Proxies compared at equal KL: each prompt tilted as far by one reward as by the other.

β has the units of its reward, so equal β means nothing across rewards. Here every prompt gets the β
at which its own KL is the one asked for. Gold at that KL is what a reward buys for a given distance
from the policy, and arms are paired on their prompts.

    found = compare_at_equal_kl({"rubric": by_rubric, "bradley_terry": by_model}, [0.5, 1, 2])
    found.differences["rubric - bradley_terry"][1]      # at 1 nat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.curves import PromptCurves, enough, minus
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Caution, Result, caution
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tilt import (
    MIN_ESS,
    Tilted,
    biased_results,
    results_of,
    supports,
    withheld,
)

KL_GRID = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
_STRENGTHS = np.concatenate([[0.0], 0.05 * 2 ** (np.arange(46) / 3)])  # 1/β times the spread
_NEWTON = 4
_COMPARED = ("gold", "bias of gold")
_SHORT = "do not reach every KL shown"
_IN_EVERY_ARM = "there in every arm"

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class EqualKlPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The tilt at one KL.

    Args:
        kl: of every prompt, in nats.
        proxy: proxy reward there.
        gold: gold reward there.
        gain: gold reward above that of the policy as it is, paired.
        ess: effective samples a prompt, mean over prompts.
    """

    kl: float
    proxy: Result
    gold: Result
    gain: Result
    ess: Result


class EqualKlCurve(msgspec.Struct, frozen=True, kw_only=True):
    """The tilt over a grid of KL. To write it out take ``points``; ``curves`` is for computing.

    Args:
        points: by increasing KL. Those that too few prompts support say so.
        cautions: what holds for the whole curve.
        curves: columns ``gold``, ``proxy`` and ``ess`` of every prompt at the KLs that are shown.
    """

    points: tuple[EqualKlPoint, ...]
    cautions: tuple[Caution, ...]
    curves: PromptCurves


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Several proxies on the same prompts at equal KL.

    Args:
        kl: the grid, in nats.
        gold: of each arm, a result a KL.
        differences: ``"a - b"`` of each pair of arms, paired on prompts, a result a KL.
        cautions: what holds for all.
    """

    kl: tuple[float, ...]
    gold: dict[str, tuple[Result, ...]]
    differences: dict[str, tuple[Result, ...]]
    cautions: tuple[Caution, ...]


def tilt_at_kl(
    samples: Samples, kl_grid: Sequence[float] = KL_GRID, boot: Bootstrap | None = None
) -> EqualKlCurve:
    """Return gold and proxy where every prompt is tilted by the proxy to the same KL.

    A KL is shown where nine prompts in ten reach it with an effective sample size of 20; the
    prompts of at least 20 samples that reach every KL shown make the curve. (A prompt whose k best
    samples of N tie cannot go beyond log N/k.)

    Args:
        samples: of one policy.
        kl_grid: in nats, not negative; 0 is always added.
        boot: over ``samples.prompts``; None for the default.

    Raises:
        InputError: a KL that is negative or not a number.
    """
    grid = _checked(kl_grid)
    tilted = Tilted.of(samples)
    table = _at(tilted, grid)
    shown, kept = _shown([table], grid)
    columns = {name: values[:, shown] for name, values in table.items()}
    curves = PromptCurves.of(samples.prompts, grid[shown], columns, kept, boot)
    cautions = curves.left_out(_SHORT)
    names = [f"tilt at {k:g} nats" for k in grid]
    found = results_of(curves, [names[i] for i in np.flatnonzero(shown)], samples, cautions)
    at = np.cumsum(shown) - 1
    points = tuple(
        EqualKlPoint(
            kl=float(k),
            **{
                name: found[name][at[i]] if shown[i] else withheld(f"{name}, {names[i]}")
                for name in ("proxy", "gold", "gain", "ess")
            },
        )
        for i, k in enumerate(grid)
    )
    return EqualKlCurve(points=points, cautions=tuple(cautions), curves=curves)


def compare_at_equal_kl(
    samples_by_arm: Mapping[str, Samples],
    kl_grid: Sequence[float] = KL_GRID,
    boot: Bootstrap | None = None,
) -> Comparison:
    """Compare proxies at equal KL, on the prompts that they share and can all be tilted so far.

    A KL is shown where nine in ten of the prompts that the arms share support it in every arm.

    Args:
        samples_by_arm: arms by name, such as one pool scored by several rewards.
        kl_grid: in nats; 0 is always added.
        boot: over the prompts that all arms share, sorted; None for the default.

    Raises:
        InputError: no arm, no prompt in common, a KL that is negative or not a number.
    """
    grid = _checked(kl_grid)
    common, dropped = _common(samples_by_arm)
    tables = {
        arm: {k: v[np.isin(s.prompts, common)] for k, v in _at(Tilted.of(s), grid).items()}
        for arm, s in samples_by_arm.items()
    }
    shown, kept = _shown(list(tables.values()), grid)
    columns = {
        f"{name}, {arm}": table[name][:, shown]
        for arm, table in tables.items()
        for name in _COMPARED
    }
    curves = PromptCurves.of(common, grid[shown], columns, kept, boot)
    cautions = [*dropped, *curves.left_out(f"{_SHORT} in every arm")]
    items = sum(int(s.counts[np.isin(s.prompts, common)].sum()) for s in samples_by_arm.values())

    def results(name: str, draws: Replicates, bias: Replicates) -> tuple[Result, ...]:
        labels = [f"{name}, tilt at {k:g} nats" for k in grid]
        there = [label for label, yes in zip(labels, shown, strict=True) if yes]
        found = iter(biased_results(draws, bias, there, items, cautions))
        return tuple(
            next(found) if yes else withheld(label, _IN_EVERY_ARM)
            for label, yes in zip(labels, shown, strict=True)
        )

    drawn = curves.replicates
    each = {arm: [drawn[f"{name}, {arm}"] for name in _COMPARED] for arm in tables}
    pairs = {
        f"{a} - {b}": [minus(x, y) for x, y in zip(each[a], each[b], strict=True)]
        for a, b in combinations(each, 2)
    }
    return Comparison(
        kl=tuple(grid.tolist()),
        gold={arm: results(f"gold, {arm}", *x) for arm, x in each.items()},
        differences={pair: results(f"gold, {pair}", *x) for pair, x in pairs.items()},
        cautions=tuple(cautions),
    )


def inverse_beta_at(tilted: Tilted, kl: Floats) -> Floats:
    """Return 1/β at which each prompt has each KL, NaN where it never does: shape ``(P, K)``.

    KL increases with 1/β, by Var(p)/β; bracketed on a grid, then Newton's method in √KL, in which
    the relation is nearly straight.

    Args:
        tilted: the samples.
        kl: in nats, shape ``(K,)``.
    """
    spread = tilted.spread()
    scale = np.where(spread > 0, spread, np.inf)
    strengths = _STRENGTHS[:, None] / scale
    distance = np.sqrt(np.stack([tilted.at(a)["kl"] for a in strengths]))
    distance = np.maximum.accumulate(distance, axis=0)
    found = np.full((len(scale), len(kl)), np.nan)
    for column, target in enumerate(np.sqrt(kl)):
        found[:, column] = _solve(tilted, strengths, distance, float(target))
    return found


def _solve(tilted: Tilted, strengths: Floats, distance: Floats, target: float) -> Floats:
    if target == 0:
        return np.zeros(distance.shape[1])
    each = np.arange(distance.shape[1])
    above = np.argmax(distance >= target, axis=0)  # 0 where no strength reaches it
    below = np.maximum(above - 1, 0)
    low, high = strengths[below, each], strengths[above, each]
    step = distance[above, each] - distance[below, each]
    share = (target - distance[below, each]) / np.where(step > 0, step, 1)
    at = low + np.clip(share, 0, 1) * (high - low)
    for _ in range(_NEWTON):
        here = np.sqrt(tilted.at(at)["kl"])
        slope = at * tilted.covariances(at)[0] / np.maximum(2 * here, 1e-12)
        move = np.where(slope > 0, (target - here) / np.where(slope > 0, slope, 1), 0)
        at = np.clip(at + move, low, high)
    return np.where(above > 0, at, np.nan)


def _at(tilted: Tilted, grid: Floats) -> dict[str, Floats]:
    inverse = inverse_beta_at(tilted, grid)
    moments = [_moments(tilted, np.nan_to_num(column)) for column in inverse.T]
    unreached = np.isnan(inverse)
    table = {name: np.column_stack([m[name] for m in moments]) for name in moments[0]}
    return {name: np.where(unreached, np.nan, values) for name, values in table.items()}


def _moments(tilted: Tilted, inverse: Floats) -> dict[str, Floats]:
    """Return the moments, their biases those at a given KL: its own bias moves β the other way."""
    found = tilted.at(inverse)
    variance, covariance = tilted.covariances(inverse)
    usable = (inverse > 0) & (variance > 0)
    for name, slope in (("gold", covariance), ("proxy", variance)):
        by_kl = np.where(usable, slope, 0) / np.where(usable, inverse * variance, 1)
        found[f"bias of {name}"] = found[f"bias of {name}"] - by_kl * found["bias of kl"]
    return found


def _shown(tables: Sequence[Mapping[str, Floats]], grid: Floats) -> tuple[Bools, Bools]:
    """Return the KLs that are shown, and the prompts that reach all of them in every table.

    A prompt counts only where every arm can be tilted so far: arms that each lack another tenth of
    the prompts would otherwise be compared on the few that are left.
    """
    shown = enough(np.all([supports(t["ess"], grid) for t in tables], axis=0))
    # Without a tilt a prompt's effective samples are its samples. Prompts are left out for having
    # few, not for weights that happen to be uneven, as in `tilt`.
    least = MIN_ESS if shown.sum() > 1 else 0.0
    kept = [
        ~np.isnan(t["ess"][:, shown]).any(axis=1) & (t["ess"][:, 0] >= least - 1e-9) for t in tables
    ]
    return shown, np.asarray(np.all(kept, axis=0))


def _common(arms: Mapping[str, Samples]) -> tuple[NDArray[np.str_], list[Caution]]:
    if not arms:
        raise InputError("no arm to compare")
    sets = [set(s.prompts.tolist()) for s in arms.values()]
    common = sorted(set.intersection(*sets))
    if not common:
        raise InputError("the arms share no prompt", hint="score the same pool by every reward")
    most = len(set.union(*sets))
    if len(common) == most:
        return np.array(common), []
    detail = f"{most - len(common):,} of {most:,} prompts are not in every arm"
    return np.array(common), [caution("left_out", detail)]


def _checked(kl_grid: Sequence[float]) -> Floats:
    given = np.asarray(kl_grid, dtype=np.float64)
    if given.ndim != 1 or not len(given) or not ((given >= 0) & np.isfinite(given)).all():
        raise InputError(f"KLs to compare at: {list(kl_grid)}", hint="give nats, none negative")
    return np.unique(np.append(given, 0.0))
