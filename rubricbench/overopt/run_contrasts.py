"""Training arms compared in pairs: gold at the end, peak, drop, area, and the win rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rubricbench.metrics.compare import compare_arms
from rubricbench.metrics.runs import mean_run
from rubricbench.metrics.trajectory import Trajectory
from rubricbench.overopt.contrasts import PerPrompt, contrasts
from rubricbench.overopt.document import Contrast
from rubricbench.overopt.settings import Settings

NAMES = {
    "final_gold": "final gold",
    "gold_peak": "gold peak",
    "gold_drop": "gold drop",
    "gold_auc": "area over √KL",
}


def run_contrasts(
    arms: Mapping[str, Sequence[Trajectory]], settings: Settings
) -> tuple[Contrast, ...]:
    """Return every pair of arms, with the p-values of each figure and not yet those of Holm.

    Args:
        arms: runs by arm, two or more.
        settings: of the resampling.
    """
    found = [
        Contrast(
            metric=NAMES[c.figure],
            a=c.first,
            b=c.second,
            difference=c.difference.over_prompts,
            over_seeds=c.difference.over_seeds,
            p=c.p,
        )
        for c in compare_arms(
            arms, seed=settings.seed, resamples=settings.resamples, level=settings.level
        )
    ]
    return (*found, *_win_rates(arms, settings))


def _win_rates(
    arms: Mapping[str, Sequence[Trajectory]], settings: Settings
) -> tuple[Contrast, ...]:
    """Return the win rate at the last checkpoint, where all arms have one."""
    whole = {arm: mean_run(runs) for arm, runs in arms.items()}
    if not all("win" in run.columns for run in whole.values()):
        return ()
    figures = {
        arm: PerPrompt(
            prompts=run.prompts,
            values={"final win rate": run.columns["win"][-1]},
            items=int(run.samples[-1].sum()),
            seeds={r.seed: {"final win rate": _last_win(r)} for r in arms[arm]},
        )
        for arm, run in whole.items()
    }
    return contrasts(figures, settings)


def _last_win(run: Trajectory) -> float:
    return float(run.columns["win"][-1].mean())
