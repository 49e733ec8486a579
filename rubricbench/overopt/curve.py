"""What can be said of a training arm from its runs at checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from rubricbench.metrics.auc import auc
from rubricbench.metrics.drift import drift
from rubricbench.metrics.gap import gap
from rubricbench.metrics.onset import onset
from rubricbench.metrics.peak import peak_and_drop
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result, not_computable
from rubricbench.metrics.runs import Seeded, for_arm, mean_run, seeded
from rubricbench.metrics.trajectory import Trajectory
from rubricbench.overopt.document import ArmCurve, Checkpoint
from rubricbench.overopt.fitted import of_runs
from rubricbench.overopt.settings import Say, Settings
from rubricbench.overopt.verdict_curves import verdict

APART = "the arms share no prompt"
MEASURES = ("gold", "proxy", "kl", "win", "length", "ended", "repetition")


def by_arm(runs: Sequence[Trajectory]) -> dict[str, list[Trajectory]]:
    """Return the runs of every arm, in the order in which arms come."""
    found: dict[str, list[Trajectory]] = {}
    for run in runs:
        found.setdefault(run.arm, []).append(run)
    return found


def curves(
    runs: Sequence[Trajectory], settings: Settings, *, say: Say = lambda text: None
) -> tuple[ArmCurve, ...]:
    """Return the curve of every arm, with all that is computed from it.

    Args:
        runs: of any number of arms and seeds.
        settings: of the resampling.
        say: is told of every arm.
    """
    arms = by_arm(runs)
    if not arms:
        return ()
    areas = _areas(arms, settings.level)
    found = []
    for arm, own in arms.items():
        say(f"measuring {arm}: {len(own)} seeds, {len(own[0].steps)} checkpoints")
        found.append(_curve(arm, own, areas[arm], settings))
    return tuple(found)


def _areas(arms: Mapping[str, Sequence[Trajectory]], level: float) -> dict[str, Seeded]:
    """Return the area of every arm over the range that all share, or why there is none."""
    if not share_prompts(arms):
        none = not_computable("gold_auc", f"{APART}: no range of √KL is common to them")
        return {arm: seeded(none, [none] * len(runs)) for arm, runs in arms.items()}
    return {arm: found.area for arm, found in auc(arms, level=level).items()}


def share_prompts(arms: Mapping[str, Sequence[Trajectory]]) -> bool:
    """Return whether any prompt is there at every checkpoint of every arm."""
    prompts = [mean_run(runs).prompts for runs in arms.values()]
    return bool(len(reduce(np.intersect1d, prompts)))


def _curve(arm: str, runs: Sequence[Trajectory], area: Seeded, settings: Settings) -> ArmCurve:
    whole = mean_run(runs)
    boot = settings.boot(whole.prompts)
    high = peak_and_drop(runs, seed=settings.seed, level=settings.level)
    began = onset(runs, seed=settings.seed, error=1 - settings.level)
    (last_gap,) = for_arm(runs, lambda run: gap(run, settings.boot(run.prompts)).gap[-1:])
    return ArmCurve(
        arm=arm,
        seeds=tuple(run.seed for run in runs),
        prompts=len(whole.prompts),
        checkpoints=_checkpoints(whole, boot),
        peak=high.peak,
        drop=high.drop,
        peak_step=high.step,
        final=high.final,
        gap=last_gap,
        onset=began.step,
        onset_distance=began.root_kl,
        fall=began.fall,
        detectable=began.detectable,
        auc=area,
        fit=of_runs(list(runs), whole, settings),
        drift=tuple(d.last.over_prompts for d in drift(runs, level=settings.level)),
        cautions=tuple({c.text: c for run in runs for c in run.cautions}.values()),
        verdict=verdict(whole, high, began, last_gap),
    )


def _checkpoints(run: Trajectory, boot: Bootstrap) -> tuple[Checkpoint, ...]:
    """Return every checkpoint, means over prompts with t intervals."""
    measured = {name: _means(run, name, boot) for name in MEASURES}
    scaled = gap(run, boot)
    both = {"gap": scaled.gap, "gold_z": scaled.gold, "proxy_z": scaled.proxy}
    distance = run.distance()
    return tuple(
        Checkpoint(
            step=int(step),
            distance=None if distance is None else float(distance[i]),
            **{name: results[i] for name, results in measured.items() if results},
            **{
                name: results[i]
                for name, results in both.items()
                if results[i].estimate is not None
            },
        )
        for i, step in enumerate(run.steps)
    )


def _means(run: Trajectory, name: str, boot: Bootstrap) -> list[Result]:
    values = run.kl if name == "kl" else run.columns.get(name)
    if values is None:
        return []
    names = [f"{name}, step {step}" for step in run.steps]
    items = int(run.samples.sum(axis=1).max())
    return boot.means(np.ascontiguousarray(values.T)).results(
        names, items=items, warnings=run.cautions
    )
