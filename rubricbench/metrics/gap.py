"""The gap between proxy and gold: z̄_proxy(t) − z̄_gold(t), in spreads of the initial policy.

z = (value − mean) / standard deviation over the samples of the initial policy, so that both rewards
start at 0 and a unit means the same for both. A gap that widens means that the proxy reports
progress which gold does not confirm. Means are taken of the same resample of prompts as the
checkpoint's; the standard deviations are taken as known, since they only set the unit.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result, not_computable
from rubricbench.metrics.runs import check, not_logged, starts_at_base
from rubricbench.metrics.trajectory import Trajectory

Floats = NDArray[np.float64]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Proxy and gold of a run on one scale, one result a checkpoint in each tuple.

    Args:
        steps: of the checkpoints.
        gap: z̄_proxy − z̄_gold.
        proxy: z̄_proxy.
        gold: z̄_gold.
    """

    steps: tuple[int, ...]
    gap: tuple[Result, ...]
    proxy: tuple[Result, ...]
    gold: tuple[Result, ...]


def gap(run: Trajectory, boot: Bootstrap | None = None) -> Gap:
    """Return the proxy-gold gap at every checkpoint.

    Args:
        run: one run, or the mean of several (`runs.mean_run`).
        boot: over ``run.prompts``; None for the default.

    Raises:
        InputError: a value that is not finite.
    """
    check(run)
    scaled = {"proxy": _z(run, "proxy"), "gold": _z(run, "gold")}
    proxy, gold = scaled["proxy"], scaled["gold"]
    scaled["gap"] = proxy if isinstance(proxy, str) else gold
    if not isinstance(proxy, str) and not isinstance(gold, str):
        scaled["gap"] = proxy - gold
    draws = boot or Bootstrap(run.prompts, resamples=0)
    found = {name: _results(name, values, run, draws) for name, values in scaled.items()}
    return Gap(
        steps=tuple(run.steps.tolist()),
        gap=found["gap"],
        proxy=found["proxy"],
        gold=found["gold"],
    )


def _z(run: Trajectory, name: str) -> Floats | str:
    """Return z of a column, ``(T, P)``, or why there is none."""
    values = run.columns.get(name)
    if values is None:
        return not_logged(run, name, name)
    if not starts_at_base(run):
        return "no step 0: the initial policy, which sets the scale, was not evaluated"
    if name not in run.base:
        return f"the spread of {name} over the samples of the initial policy is not known"
    spread = run.base[name][1]
    if not np.isfinite(spread) or spread <= 1e-12 * max(1.0, abs(run.base[name][0])):
        return f"{name} is the same for all samples of the initial policy: it has no scale"
    return np.asarray((values - values[0]) / spread)


def _results(
    name: str, values: Floats | str, run: Trajectory, draws: Bootstrap
) -> tuple[Result, ...]:
    label = "proxy_gold_gap" if name == "gap" else f"{name}_z"
    names = [f"{label}, step {step}" for step in run.steps]
    items = run.samples.sum(axis=1)
    if isinstance(values, str):
        return tuple(not_computable(n, values, n=len(run.prompts)) for n in names)
    found = draws.means(values.T).results(names, warnings=run.cautions)
    return tuple(
        msgspec.structs.replace(r, items=int(i)) for r, i in zip(found, items, strict=True)
    )
