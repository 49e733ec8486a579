"""The runs of one arm: checked, averaged over training seeds, and figures with both intervals.

An arm's curve is the mean of its runs at the checkpoints and prompts that all of them have. An
interval over prompts says how well *these* runs are known; an interval over seeds, what another run
of the same recipe would do. `Seeded` holds both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.result import Result, caution, merged, not_computable
from rubricbench.metrics.samples import LARGEST
from rubricbench.metrics.seeds import over_seeds
from rubricbench.metrics.trajectory import Trajectory

ROUNDING = 1e-6  # nats: a Rao-Blackwell KL this far below zero is rounding, further is a fault

Floats = NDArray[np.float64]


class Seeded(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of an arm.

    Args:
        over_prompts: of the mean of its runs, with an interval for other prompts.
        over_seeds: mean of the figures of each run, with a t interval for other seeds; not
            computable from one seed.
    """

    over_prompts: Result
    over_seeds: Result


def seeded(whole: Result, each: Sequence[Result]) -> Seeded:
    """Put an arm's figure and those of its runs together.

    Args:
        whole: of the mean run.
        each: of every run; those without an estimate are left out and counted.
    """
    if len(each) == 1:
        one = not_computable(whole.name, "one seed: nothing is known of others", unit="seeds", n=1)
        return Seeded(over_prompts=whole.with_warnings([caution("one_seed")]), over_seeds=one)
    values = [np.nan if r.estimate is None else r.estimate for r in each]
    found = over_seeds(values, whole.name, items=whole.items, level=whole.level)
    return Seeded(over_prompts=whole, over_seeds=found)


def for_arm(
    runs: Sequence[Trajectory], metric: Callable[[Trajectory], Sequence[Result]]
) -> list[Seeded]:
    """Return a metric's results for the mean of the runs, each beside those of every run."""
    whole = metric(mean_run(runs))
    each = [whole] if len(runs) == 1 else [metric(run) for run in runs]
    return [seeded(result, [one[i] for one in each]) for i, result in enumerate(whole)]


def mean_run(runs: Sequence[Trajectory]) -> Trajectory:
    """Return the mean of an arm's runs, at the checkpoints and prompts that all have.

    Args:
        runs: of one arm, each of another seed.

    Raises:
        InputError: no run, runs of several arms, a seed twice, nothing in common, a value that is
            not finite, a Rao-Blackwell KL below zero.
    """
    _same_arm(runs)
    for run in runs:
        check(run)
    if len(runs) == 1:
        return runs[0]
    steps = reduce(np.intersect1d, [run.steps for run in runs])
    prompts = reduce(np.intersect1d, [run.prompts for run in runs])
    if not len(steps) or not len(prompts):
        what = "checkpoint" if not len(steps) else "prompt"
        raise InputError(
            f"the runs of arm {runs[0].arm!r} share no {what}",
            hint="evaluate all seeds on the same prompts at the same steps",
        )
    cut = [restricted(run, steps, prompts) for run in runs]
    shared = set.intersection(*(set(run.columns) for run in cut))
    return Trajectory(
        arm=runs[0].arm,
        seed=runs[0].seed,
        steps=steps,
        prompts=prompts,
        columns={
            name: np.mean([run.columns[name] for run in cut], axis=0)
            for name in runs[0].columns
            if name in shared
        },
        samples=np.sum([run.samples for run in cut], axis=0),
        base=_mean_base(cut),
        cautions=merged(c for run in cut for c in run.cautions),
        lacking=_lacking(runs),
    )


def check(run: Trajectory) -> None:
    """Refuse values no metric can use.

    Raises:
        InputError: a value that is not finite or beyond `LARGEST`, or a Rao-Blackwell KL below
            zero.
    """
    where = f"arm {run.arm!r}, seed {run.seed}"
    for name, values in run.columns.items():
        bad = ~(np.abs(values) <= LARGEST)
        if bad.any():
            t, p = np.argwhere(bad)[0]
            no = (
                f"a {name} of {values[t, p]:.3g}"
                if np.isfinite(values[t, p])
                else f"no finite {name}"
            )
            raise InputError(
                f"{no} for prompt {run.prompts[p]} at step {run.steps[t]}",
                where=where,
                hint="leave out the prompt, or the column",
            )
    kl = run.columns.get("kl")
    if kl is not None and kl.size and kl.min() < -ROUNDING:
        t, p = np.unravel_index(int(kl.argmin()), kl.shape)
        raise InputError(
            f"a KL of {kl.min():.3g} nats for prompt {run.prompts[p]} at step {run.steps[t]}",
            where=where,
            hint="a Rao-Blackwell KL is never negative; a k1 estimate goes into kl_k1",
        )


def not_logged(run: Trajectory, what: str, *columns: str) -> str:
    """Return that a run has none of these columns, and whose seeds where only some lack it.

    Args:
        run: one run, or the mean of several.
        what: for people, such as ``KL``.
        columns: any of which would do.
    """
    some = [set(run.lacking[c]) for c in columns if c in run.lacking]
    if not some:
        return f"{what} was not logged"
    seeds = sorted(set.intersection(*some))
    if not seeds:
        return f"no kind of {what} was logged by all seeds"
    several = "seeds" if len(seeds) > 1 else "seed"
    return f"{what} was not logged by {several} {', '.join(str(s) for s in seeds)}"


def _lacking(runs: Sequence[Trajectory]) -> dict[str, tuple[int, ...]]:
    every = sorted({name for run in runs for name in run.columns})
    found = {c: tuple(run.seed for run in runs if c not in run.columns) for c in every}
    return {column: seeds for column, seeds in found.items() if seeds}


def starts_at_base(run: Trajectory) -> bool:
    """Return whether the first checkpoint is the initial policy, step 0."""
    return bool(len(run.steps)) and int(run.steps[0]) == 0


def _same_arm(runs: Sequence[Trajectory]) -> None:
    if not runs:
        raise InputError("no run", hint="give the runs of one arm")
    arms = sorted({run.arm for run in runs})
    if len(arms) > 1:
        raise InputError(f"runs of {len(arms)} arms: {', '.join(arms)}", hint="one arm at a time")
    seeds = [run.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        twice = next(s for s in seeds if seeds.count(s) > 1)
        raise InputError(f"arm {arms[0]!r} has seed {twice} twice", hint="give each run once")


def restricted(run: Trajectory, steps: NDArray[Any], prompts: NDArray[Any]) -> Trajectory:
    """Return the run at some steps and prompts; a caution counts what is left out."""
    t, p = np.isin(run.steps, steps), np.isin(run.prompts, prompts)
    if t.all() and p.all():
        return run
    out = ((int((~t).sum()), "checkpoint"), (int((~p).sum()), "prompt"))
    lost = " and ".join(f"{n} {what}{'s' * (n > 1)}" for n, what in out if n)
    detail = f"{lost} of seed {run.seed} not in every run"
    at = np.ix_(t, p)
    return Trajectory(
        arm=run.arm,
        seed=run.seed,
        steps=run.steps[t],
        prompts=run.prompts[p],
        columns={name: values[at] for name, values in run.columns.items()},
        samples=run.samples[at],
        base=run.base,
        cautions=(*run.cautions, caution("left_out", detail)),
        lacking=run.lacking,
    )


def _mean_base(runs: Sequence[Trajectory]) -> dict[str, tuple[float, float]]:
    """Return mean and spread of the initial policy, each averaged over the runs."""
    shared = set.intersection(*(set(run.base) for run in runs))
    return {
        name: (
            float(np.mean([run.base[name][0] for run in runs])),
            float(np.sqrt(np.mean([run.base[name][1] ** 2 for run in runs]))),
        )
        for name in runs[0].base
        if name in shared
    }
