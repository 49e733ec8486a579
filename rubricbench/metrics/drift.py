"""Drift: how a policy's responses change in what no reward names.

Length, the share of responses that end by themselves, repetition, and the share of prompts on which
all samples get the same proxy reward (groups without a gradient in GRPO), at every checkpoint and
against step 0. They move before gold does where a policy finds a loophole.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import LEVEL, Result, not_computable
from rubricbench.metrics.runs import Seeded, for_arm, mean_run, not_logged, starts_at_base
from rubricbench.metrics.trajectory import Trajectory

# column of a trajectory -> name of the figure
DRIFTS = {
    "length": "length",
    "ended": "eos_rate",
    "repetition": "repetition",
    "no_spread": "zero_spread_share",
}


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of drift.

    Args:
        name: ``length``, ``eos_rate``, ``repetition`` or ``zero_spread_share``.
        steps: of the checkpoints.
        level: its mean at every checkpoint.
        change: less that at step 0, paired by prompt.
        last: change at the last checkpoint.
    """

    name: str
    steps: tuple[int, ...]
    level: tuple[Result, ...]
    change: tuple[Result, ...]
    last: Seeded


def drift(runs: Sequence[Trajectory], *, level: float = LEVEL) -> tuple[Drift, ...]:
    """Return every figure of drift of an arm; those not logged say so.

    Args:
        runs: of one arm, each of another seed. ``no_spread`` is the column of whether all samples
            of a prompt (two or more) have the same proxy reward.
        level: confidence level.

    Raises:
        InputError: as `runs.mean_run`.
    """
    whole = mean_run(runs)
    return tuple(_drift(runs, whole, column, name, level) for column, name in DRIFTS.items())


def _drift(
    runs: Sequence[Trajectory], whole: Trajectory, column: str, name: str, level: float
) -> Drift:
    (last,) = for_arm(runs, lambda run: _changes(run, column, name, level)[-1:])
    return Drift(
        name=name,
        steps=tuple(whole.steps.tolist()),
        level=tuple(_levels(whole, column, name, level)),
        change=tuple(_changes(whole, column, name, level)),
        last=last,
    )


def _levels(run: Trajectory, column: str, name: str, level: float) -> list[Result]:
    names = [f"{name}, step {step}" for step in run.steps]
    values = run.columns.get(column)
    if values is None:
        return [not_computable(n, not_logged(run, column, column)) for n in names]
    return _means(run, values, names, level)


def _changes(run: Trajectory, column: str, name: str, level: float) -> list[Result]:
    names = [f"{name}_change, step {step}" for step in run.steps]
    values = run.columns.get(column)
    if values is None:
        return [not_computable(n, not_logged(run, column, column)) for n in names]
    if not starts_at_base(run):
        return [not_computable(n, "no step 0 to compare with") for n in names]
    return _means(run, values - values[0], names, level)


def _means(run: Trajectory, values: np.ndarray, names: list[str], level: float) -> list[Result]:
    draws = Bootstrap(run.prompts, resamples=0, level=level).means(np.ascontiguousarray(values.T))
    return draws.results(names, warnings=run.cautions)
