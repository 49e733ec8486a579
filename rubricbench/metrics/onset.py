"""Onset of over-optimization: where gold has fallen from its peak and the proxy has not.

Over-optimization has set in at the first checkpoint t after the peak t* where the lower confidence
bound of the paired difference G(t*) − G(t) is above zero there and at the next checkpoint too, and
the proxy is not below its value at t*. That the interval of each checkpoint holds is not enough: t*
was chosen for being high, which alone makes it higher than what follows, and there are many
checkpoints to be wrong at. So all bounds use one critical value: the 95% quantile, with all true
means equal, of the greatest value that the rule can meet anywhere, which is
max over t, over any s < t, of min(z(s, t), z(s, t+1)), z the studentized paired difference. Equal
means are the worst case: for a gold reward that never falls, a chance of at most 5% remains of
finding an onset. Bounds at 95% each would find one in 22% of flat runs of eleven checkpoints, and
Holm's, which repair the number of checkpoints but not the choice of t*, in 11% of runs of forty
whose noise lasts. Choosing t* on half of the prompts and testing on the other with Holm is safe,
but sees a quarter of the small falls that this sees (docs/metrics.md has the figures).

No onset is *censored*: it did not happen before the last checkpoint, or was too small to be seen;
`Onset.detectable` says how large a fall these prompts would have shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.metrics.result import Caution, Method, Result, caution, not_computable
from rubricbench.metrics.runs import Seeded, for_arm, not_logged
from rubricbench.metrics.simultaneous import Means
from rubricbench.metrics.trajectory import KL, Trajectory

ERROR = 0.05  # chance of an onset where gold never falls
POWER = 0.8  # of the fall called detectable

Floats = NDArray[np.float64]


class Onset(msgspec.Struct, frozen=True, kw_only=True):
    """Onset of an arm. Where there is none by the last checkpoint, it is censored: ``low`` is that.

    Args:
        step: optimiser step of the onset.
        kl: KL to the initial policy there, in nats.
        root_kl: √KL there.
        fall: G(t*) − G(t) at the onset, with its lower bound (``high`` is None).
        detectable: the fall at two checkpoints running that is found with a probability of 80%.
    """

    step: Seeded
    kl: Seeded
    root_kl: Seeded
    fall: Seeded
    detectable: Seeded


def onset(runs: Sequence[Trajectory], *, seed: int = 0, error: float = ERROR) -> Onset:
    """Return the onset of over-optimization of an arm.

    Args:
        runs: of one arm, each of another seed. The figures over prompts are of their mean curve.
            Those over seeds are means of the runs with an onset; runs without are left out, and
            counted, so that such a mean is too early.
        seed: of the draws.
        error: chance of finding an onset where gold never falls.

    Raises:
        InputError: as `runs.mean_run`.
    """
    step, kl, root_kl, fall, detectable = for_arm(runs, lambda run: _of_run(run, seed, error))
    return Onset(step=step, kl=kl, root_kl=root_kl, fall=fall, detectable=detectable)


def critical_value(means: Means, error: float = ERROR) -> float:
    """Return what z(t*, t) and z(t*, t+1) must exceed for an onset at t.

    Args:
        means: of gold at T checkpoints, T of at least 3.
        error: chance of exceeding it anywhere where all true means are equal.
    """
    worst = np.full(len(means.noise), -np.inf)
    for s in range(len(means.mean) - 2):
        later = -means.noise_above(s)[:, s + 1 :]
        np.maximum(worst, np.minimum(later[:, :-1], later[:, 1:]).max(axis=1), out=worst)
    # A quantile of draws is too low half of the time: two of its standard errors are added.
    doubt = 2 * np.sqrt(error * (1 - error) / len(worst))
    return float(np.quantile(worst, min(1 - error + doubt, 1.0)))


def _of_run(run: Trajectory, seed: int, error: float) -> list[Result]:
    names = ("onset_step", "onset_kl", "onset_root_kl", "onset_fall", "detectable_fall")
    n, items = len(run.prompts), int(run.samples.sum())
    why = _impossible(run)
    if why:
        return [not_computable(name, why, n=n, items=items) for name in names]
    means = Means.of(np.ascontiguousarray(run.gold.T), run.prompts, seed=seed)
    value = critical_value(means, error)
    cautions = (*run.cautions, *means.cautions())
    top = int(means.mean.argmax())
    at = _first(run, means, top, value)
    places = _places(run)
    if at is None:
        censored = (*cautions, _censored(run, means, top, value))
        found = [_not_seen(name, places[name], run, error, censored) for name in names[:3]]
        found.append(not_computable(names[3], "no onset was seen", n=n, items=items))
    else:
        found = [_seen(name, places[name], at, run, error, cautions) for name in names[:3]]
        fall = float(means.mean[top] - means.mean[at])
        low = fall - value * float(means.pair_error[top, at])
        found.append(_result(names[3], fall, low, None, run, error, cautions))
    return [*found, _detectable(names[4], means, value, run, error, cautions)]


def _impossible(run: Trajectory) -> str:
    if run.proxy is None:
        why = not_logged(run, "the proxy", "proxy")
        return f"{why}: a fall of gold is over-optimization only where the proxy does not fall"
    if len(run.prompts) < 2:
        return "one prompt"
    if len(run.steps) < 3:
        return f"{len(run.steps)} checkpoints: a peak and two after it are the least"
    return ""


def _first(run: Trajectory, means: Means, top: int, value: float) -> int | None:
    """Return the first checkpoint of the onset, if any."""
    clear = -means.above(top) > value
    clear[: top + 1] = False
    held = clear & ~_proxy_below(run, top)
    both = np.flatnonzero(held[:-1] & held[1:])
    return int(both[0]) if len(both) else None


def _proxy_below(run: Trajectory, top: int) -> NDArray[np.bool_]:
    """Return where the proxy is below its value at the peak, tested at 5% for all together.

    A proxy that levels off is below by noise half of the time. That must not hide an onset; and it
    cannot make one, which needs gold to have fallen in any case.
    """
    assert run.proxy is not None
    difference = run.proxy - run.proxy[top]
    n = difference.shape[1]
    mean = difference.mean(axis=1)
    half = (
        special.stdtrit(n - 1, 1 - 0.05 / max(1, len(mean) - 1 - top))
        * difference.std(axis=1, ddof=1)
        / np.sqrt(n)
    )
    return np.asarray(mean + half < -1e-12)


def _places(run: Trajectory) -> dict[str, Floats | None]:
    kl = None if run.kl is None else run.kl.mean(axis=1)
    return {
        "onset_step": run.steps.astype(np.float64),
        "onset_kl": kl,
        "onset_root_kl": run.distance(),
    }


def _censored(run: Trajectory, means: Means, top: int, value: float) -> Caution:
    """Say why there is no onset: nothing fell, or only once, or the proxy fell as well."""
    clear = -means.above(top) > value
    clear[: top + 1] = False
    running = clear[:-1] & clear[1:]
    if running.any():
        step = run.steps[int(running.argmax())]
        return caution("censored", f"gold has fallen by step {step}, but so has the proxy")
    if top == len(run.steps) - 1:
        return caution("censored", "gold is highest at the last checkpoint")
    if clear.any():
        step = run.steps[int(clear.argmax())]
        text = f"gold has fallen at step {step}, but not at two checkpoints running"
        return caution("censored", text)
    return caution("censored", "no fall of gold from its peak is clear of noise")


def _not_seen(
    name: str,
    place: Floats | None,
    run: Trajectory,
    error: float,
    cautions: tuple[Caution, ...],
) -> Result:
    n, items = len(run.prompts), int(run.samples.sum())
    if place is None:
        return not_computable(name, not_logged(run, "KL", *KL), n=n, items=items)
    return Result(
        name=name,
        estimate=None,
        low=float(place[-1]),
        level=1 - error,
        n=n,
        items=items,
        warnings=cautions,
        reason=f"no onset by the last checkpoint, step {run.steps[-1]}",
    )


def _seen(
    name: str,
    place: Floats | None,
    at: int,
    run: Trajectory,
    error: float,
    cautions: tuple[Caution, ...],
) -> Result:
    if place is None:
        return _not_seen(name, None, run, error, cautions)
    # That gold has fallen by then is what was tested; the fall may have begun at any time before.
    return _result(name, float(place[at]), None, float(place[at]), run, error, cautions)


def _result(
    name: str,
    estimate: float,
    low: float | None,
    high: float | None,
    run: Trajectory,
    error: float,
    cautions: tuple[Caution, ...],
) -> Result:
    return Result(
        name=name,
        estimate=estimate,
        low=low,
        high=high,
        level=1 - error,
        method=Method.MAX_T,
        n=len(run.prompts),
        items=int(run.samples.sum()),
        warnings=cautions,
    )


def _detectable(
    name: str,
    means: Means,
    value: float,
    run: Trajectory,
    error: float,
    cautions: tuple[Caution, ...],
) -> Result:
    """Return the fall found with probability `POWER`, at the median standard error of pairs.

    z at both checkpoints must exceed the critical value. They share the peak, so that their noise
    is correlated by about a half where the checkpoints' is independent (docs/metrics.md: power).
    """
    upper = means.pair_error[np.triu_indices(len(means.mean), 1)]
    fall = (value + _margin()) * float(np.median(upper))
    return _result(name, fall, None, None, run, error, cautions)


@lru_cache(maxsize=1)
def _margin() -> float:
    """Return how far above the critical value both z must be centred to exceed it at `POWER`."""
    grid = special.ndtri((np.arange(400) + 0.5) / 400)
    x, y = np.meshgrid(grid, grid)
    return -float(np.quantile(np.minimum(x, x / 2 + np.sqrt(0.75) * y), 1 - POWER))
