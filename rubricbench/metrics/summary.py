"""All that is to be said of a training arm, in one struct.

summary = curve_summary(runs)
print(summary.onset.step.over_prompts)
frame(summary)                              # every figure as a pandas table
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rubricbench.metrics.auc import Auc, auc
from rubricbench.metrics.drift import Drift, drift
from rubricbench.metrics.fits import Fit, fit_rl
from rubricbench.metrics.gap import Gap, gap
from rubricbench.metrics.onset import Onset, onset
from rubricbench.metrics.peak import Peak, peak_and_drop
from rubricbench.metrics.resample import RESAMPLES, Bootstrap
from rubricbench.metrics.result import LEVEL, Result
from rubricbench.metrics.runs import Seeded, for_arm, mean_run
from rubricbench.metrics.trajectory import Trajectory


class CurveSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of an arm.

    Args:
        arm: its name.
        seeds: of its runs.
        peak: peak, drop, step of the peak, final gold.
        onset: of over-optimization.
        auc: area under gold over √KL, up to this arm's own largest √KL; `auc` takes several arms.
        fit: Gao's RL form.
        gap: proxy less gold at every checkpoint of the mean run.
        last_gap: the same at the last checkpoint.
        drift: of length, ends, repetition and groups without spread.
    """

    arm: str
    seeds: tuple[int, ...]
    peak: Peak
    onset: Onset
    auc: Auc
    fit: Fit
    gap: Gap
    last_gap: Seeded
    drift: tuple[Drift, ...]


def curve_summary(
    runs: Sequence[Trajectory],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> CurveSummary:
    """Return all figures of an arm; those that its columns do not allow say why.

    Args:
        runs: of one arm, each of another seed.
        seed: of splits, draws and bootstrap.
        resamples: of the bootstrap of the fit.
        level: confidence level. The chance of a false onset is 1 − level.

    Raises:
        InputError: as `runs.mean_run`.
    """
    whole = mean_run(runs)

    def last(run: Trajectory) -> tuple[Result, ...]:
        return gap(run, Bootstrap(run.prompts, resamples=0, level=level)).gap[-1:]

    (last_gap,) = for_arm(runs, last)
    return CurveSummary(
        arm=whole.arm,
        seeds=tuple(run.seed for run in runs),
        peak=peak_and_drop(runs, seed=seed, level=level),
        onset=onset(runs, seed=seed, error=1 - level),
        auc=auc({whole.arm: runs}, level=level)[whole.arm],
        fit=fit_rl(runs, seed=seed, resamples=resamples, level=level),
        gap=gap(whole, Bootstrap(whole.prompts, resamples=0, level=level)),
        last_gap=last_gap,
        drift=drift(runs, level=level),
    )
