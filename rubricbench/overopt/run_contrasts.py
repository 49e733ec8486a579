"""Training arms compared in pairs: what each prompt adds to the figures of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.auc import area, why_not
from rubricbench.metrics.peak import crossfit
from rubricbench.metrics.runs import mean_run
from rubricbench.metrics.trajectory import Trajectory
from rubricbench.overopt.contrasts import PerPrompt
from rubricbench.overopt.settings import Settings

Floats = NDArray[np.float64]


def run_figures(
    arms: Mapping[str, Sequence[Trajectory]], settings: Settings
) -> dict[str, PerPrompt]:
    """Return final gold, cross-fitted peak and drop, and area of every prompt of every arm.

    The area is taken up to the smallest of the arms' largest √KL, at the √KL of the arm's mean
    curve, which is taken as known. Figures that an arm does not have are left out of it.

    Args:
        arms: runs by arm.
        settings: for the seed of the splits.
    """
    whole = {arm: mean_run(runs) for arm, runs in arms.items()}
    reach = min((_distances(run).max() for run in whole.values() if not why_not(run)), default=0.0)
    found = {}
    for arm, runs in arms.items():
        seeds = {run.seed: _figures(run, reach, settings.seed) for run in runs}
        found[arm] = PerPrompt(
            prompts=whole[arm].prompts,
            values=_figures(whole[arm], reach, settings.seed),
            items=int(whole[arm].samples.sum()),
            seeds={s: {m: float(v.mean()) for m, v in of.items()} for s, of in seeds.items()},
        )
    return found


def _figures(run: Trajectory, reach: float, seed: int) -> dict[str, Floats]:
    found = {"final gold": run.gold[-1]}
    if len(run.steps) > 1 and len(run.prompts) > 1:
        peak = crossfit(np.ascontiguousarray(run.gold.T), run.prompts, seed)
        found |= {"gold peak": peak, "gold drop": peak - run.gold[-1]}
    if not why_not(run):
        gain = (run.gold - run.gold[0]).T
        rows = (len(gain), 1)
        found["area over √KL"] = area(
            np.tile(_distances(run), rows), gain, np.full(len(gain), reach)
        )
    if "win" in run.columns:
        found["final win rate"] = run.columns["win"][-1]
    return found


def _distances(run: Trajectory) -> Floats:
    """Return √KL of the checkpoints, 0 at step 0, where it is by definition."""
    distance = run.distance()
    assert distance is not None
    return np.where(run.steps == 0, 0.0, distance)
