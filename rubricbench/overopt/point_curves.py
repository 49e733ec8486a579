"""What can be said of published curves, of which only means are known: little, and it says why."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.auc import area
from rubricbench.metrics.peak import PointPeak, point_peak
from rubricbench.metrics.points import Points
from rubricbench.metrics.result import Result, not_computable
from rubricbench.metrics.runs import Seeded
from rubricbench.overopt.document import ArmCurve, Checkpoint, Outcome, Verdict

NO_PROMPTS = "published points: there are no prompts to resample"
NO_SPREAD = "published points: the spread of the rewards over samples is not known"
Floats = NDArray[np.float64]


def point_curves(points: Sequence[Points]) -> tuple[ArmCurve, ...]:
    """Return the curve of every arm: point peak and drop, and the area where KL is given.

    Seeds of one arm are averaged at the steps that all have.

    Args:
        points: of any number of arms and seeds.

    Raises:
        InputError: seeds of an arm that share no step.
    """
    arms = {
        arm: _mean([p for p in points if p.arm == arm]) for arm in sorted({p.arm for p in points})
    }
    reach = min((_distance(p).max() for p in arms.values() if p.kl is not None), default=0.0)
    seeds = {arm: tuple(p.seed for p in points if p.arm == arm) for arm in arms}
    return tuple(_curve(p, seeds[arm], float(reach)) for arm, p in arms.items())


def _mean(seeds: Sequence[Points]) -> Points:
    if len(seeds) == 1:
        return seeds[0]
    steps = reduce(np.intersect1d, [p.steps for p in seeds])
    if not len(steps):
        raise InputError(f"the seeds of arm {seeds[0].arm!r:.60} share no step")

    def mean(columns: Sequence[Floats | None]) -> Floats | None:
        known = [
            c[np.isin(p.steps, steps)] for c, p in zip(columns, seeds, strict=True) if c is not None
        ]
        return np.mean(known, axis=0) if len(known) == len(seeds) else None

    gold = mean([p.gold for p in seeds])
    assert gold is not None
    return Points(
        arm=seeds[0].arm,
        seed=seeds[0].seed,
        steps=steps,
        gold=gold,
        proxy=mean([p.proxy for p in seeds]),
        kl=mean([p.kl for p in seeds]),
    )


def _curve(p: Points, seeds: tuple[int, ...], reach: float) -> ArmCurve:
    high = point_peak(p.steps.tolist(), p.gold.tolist(), arm=p.arm)
    return ArmCurve(
        arm=p.arm,
        seeds=seeds,
        prompts=0,
        checkpoints=_checkpoints(p),
        peak=_alone(high.point_peak),
        drop=_alone(high.point_drop),
        peak_step=_alone(high.point_step),
        final=_alone(high.final),
        gap=_none("proxy_gold_gap", NO_SPREAD),
        onset=_none("onset_step", NO_PROMPTS),
        onset_distance=_none("onset_root_kl", NO_PROMPTS),
        fall=_none("onset_fall", NO_PROMPTS),
        detectable=_none("detectable_fall", NO_PROMPTS),
        auc=_alone(_area(p, reach)),
        verdict=_verdict(p, high),
    )


def _checkpoints(p: Points) -> tuple[Checkpoint, ...]:
    distance = None if p.kl is None else np.sqrt(np.maximum(p.kl, 0))
    columns = {"proxy": p.proxy, "kl": p.kl}
    return tuple(
        Checkpoint(
            step=int(step),
            distance=None if distance is None else float(distance[i]),
            gold=_point(f"gold, step {step}", p.gold[i]),
            **{k: _point(f"{k}, step {step}", v[i]) for k, v in columns.items() if v is not None},
        )
        for i, step in enumerate(p.steps)
    )


def _area(p: Points, reach: float) -> Result:
    if p.kl is None:
        return not_computable(
            "gold_auc", "no KL: there is no distance to integrate over", unit="points"
        )
    if p.steps[0] != 0 or len(p.steps) < 2 or not reach > 0:
        why = "no step 0: the gain is counted from the initial policy"
        return not_computable("gold_auc", why, unit="points")
    gain = (p.gold - p.gold[0])[None, :]
    found = area(_distance(p)[None, :], gain, np.array([reach]))
    return Result(name="gold_auc", estimate=float(found[0]), n=len(p.steps), unit="points")


def _distance(p: Points) -> Floats:
    assert p.kl is not None
    return np.where(p.steps == 0, 0.0, np.sqrt(np.maximum(p.kl, 0)))


def _verdict(p: Points, high: PointPeak) -> Verdict:
    if high.point_drop.estimate is None or high.point_step.estimate is None:
        reason = high.point_drop.reason
        return Verdict(outcome=Outcome.NONE, headline=f"cannot be said: {reason}", text=reason)
    lost = high.point_drop.estimate
    lower = f"{lost:.3g} lower at the last" if lost > 0 else "that is the last"
    text = (
        f"Gold is highest at step {high.point_step.estimate:,.0f}, at "
        f"{high.point_peak.estimate:.3g}, and {lower}. "
        "These are points without prompts: no interval can be had, and the highest of several is "
        "too high by luck."
    )
    if lost <= 0:
        return Verdict(
            outcome=Outcome.UNCLEAR, headline="gold is highest at the last point", text=text
        )
    headline = f"gold is {high.point_drop.estimate:.3g} below its highest point, without proof"
    return Verdict(outcome=Outcome.UNCLEAR, headline=headline, text=text)


def _point(name: str, value: float) -> Result:
    return Result(name=name, estimate=float(value), n=1, unit="points")


def _none(name: str, why: str) -> Seeded:
    return _alone(not_computable(name, why, unit="points"))


def _alone(result: Result) -> Seeded:
    none = not_computable(result.name, "published points: one figure, no seeds", unit="seeds")
    return Seeded(over_prompts=result, over_seeds=none)
