"""Arms compared in pairs on the prompts they share, with Holm's correction over all claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.bestofn import best_of_n
from rubricbench.metrics.equal_kl import tilt_at_kl
from rubricbench.metrics.holm import holm
from rubricbench.metrics.rank import prompt_spearman
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result, not_computable
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.seeds import seed_difference
from rubricbench.metrics.tail import tail_shares
from rubricbench.overopt.document import Contrast
from rubricbench.overopt.settings import Settings

SHOWN_KLS = (0.5, 1.0, 2.0, 3.0)
UNPAIRED = "the arms share fewer than two prompts that have this figure"
Floats = NDArray[np.float64]


class PerPrompt(msgspec.Struct, frozen=True):
    """A figure of each prompt of an arm.

    Args:
        prompts: ids, shape ``(P,)``.
        values: metric -> shape ``(P,)``; NaN where a prompt has none.
        items: samples behind it all.
        seeds: training seed -> metric -> its value in that run; empty where nothing was trained.
    """

    prompts: NDArray[np.str_]
    values: Mapping[str, Floats]
    items: int
    seeds: Mapping[int, Mapping[str, float]] = {}


def sample_contrasts(arms: Mapping[str, Samples], settings: Settings) -> tuple[Contrast, ...]:
    """Compare arms by what their rewards do to gold, and by how they rank the tail.

    Best-of-n is taken at the largest n, the tilt at the largest of `SHOWN_KLS`, that all arms show.

    Args:
        arms: name -> samples: one pool by several rewards, or several policies on the same prompts.
        settings: of the resampling.
    """
    if len(arms) < 2:
        return ()
    figures = {name: _of_samples(s, settings) for name, s in arms.items()}
    kept = _common(list(figures.values()))
    if _one_pool(list(arms.values())):
        kept.remove("gold")  # the same responses: nothing to compare
    return contrasts({name: _only(f, kept) for name, f in figures.items()}, settings)


def contrasts(arms: Mapping[str, PerPrompt], settings: Settings) -> tuple[Contrast, ...]:
    """Return the paired difference of every figure for every pair of arms.

    Differences have a t interval over prompts. Their two-sided p-values are corrected by Holm over
    all of them together.
    """
    found = [
        _contrast(metric, (a, arms[a]), (b, arms[b]), settings)
        for metric in _metrics(list(arms.values()))
        for a, b in combinations(arms, 2)
    ]
    return with_holm(found)


def with_holm(found: Sequence[Contrast]) -> tuple[Contrast, ...]:
    """Return the contrasts with Holm's correction over those that have a p-value."""
    tested = [c for c in found if c.p is not None]
    adjusted = iter(holm([c.p for c in tested if c.p is not None]).tolist())
    return tuple(
        c if c.p is None else msgspec.structs.replace(c, p_holm=next(adjusted)) for c in found
    )


def _contrast(
    metric: str, a: tuple[str, PerPrompt], b: tuple[str, PerPrompt], settings: Settings
) -> Contrast:
    name = f"{metric}, {a[0]} - {b[0]}"
    shared, at_a, at_b = np.intersect1d(a[1].prompts, b[1].prompts, return_indices=True)
    difference = a[1].values[metric][at_a] - b[1].values[metric][at_b]
    known = ~np.isnan(difference)
    items = a[1].items + b[1].items
    seeds = _over_seeds(metric, name, a[1], b[1], settings)
    if known.sum() < 2:
        none = not_computable(name, UNPAIRED, n=int(known.sum()), items=items)
        return Contrast(metric=metric, a=a[0], b=b[0], difference=none, over_seeds=seeds)
    boot = Bootstrap(shared[known], resamples=0, level=settings.level)  # of t: no draw is used
    draws = boot.means(difference[known])
    one_sided = (draws.p_values()[0], draws.map(lambda x: -x).p_values()[0])
    return Contrast(
        metric=metric,
        a=a[0],
        b=b[0],
        difference=draws.results([name], items=items)[0],
        over_seeds=seeds,
        p=float(min(1.0, 2 * min(one_sided))),
    )


def _over_seeds(
    metric: str, name: str, a: PerPrompt, b: PerPrompt, settings: Settings
) -> Result | None:
    if not (a.seeds and b.seeds):
        return None
    of_a, of_b = ({seed: of[metric] for seed, of in arm.seeds.items()} for arm in (a, b))
    return seed_difference(of_b, of_a, name, items=a.items + b.items, level=settings.level)


def _of_samples(samples: Samples, settings: Settings) -> PerPrompt:
    boot = settings.boot(samples.prompts)
    bon = best_of_n(samples, None, boot).curves
    tilted = tilt_at_kl(samples, SHOWN_KLS, boot).curves
    spearman = prompt_spearman(samples)
    values = {"gold": samples.means(samples.gold)}
    values |= {
        f"best of {int(n)}": bon.columns["gold"][:, i] for i, n in enumerate(bon.grid) if n > 1
    }
    values |= {
        f"tilt at {k:g} nats": tilted.columns["gold"][:, i]
        for i, k in enumerate(tilted.grid)
        if k > 0
    }
    values |= {
        "tail accuracy": tail_shares(samples)[:, 0],
        "Spearman": spearman[:, 0],
        "Spearman at the top": spearman[:, 1],
    }
    return PerPrompt(samples.prompts, values, samples.size)


def _one_pool(arms: Sequence[Samples]) -> bool:
    """Return whether all arms have the same gold rewards for the same prompts."""
    means = [s.means(s.gold) for s in arms]
    return all(
        np.array_equal(arms[0].prompts, s.prompts) and np.allclose(means[0], m, rtol=1e-9, atol=0)
        for s, m in zip(arms, means, strict=True)
    )


def _common(figures: Sequence[PerPrompt]) -> list[str]:
    """Return the metrics to compare: of best-of-n and the tilt only the furthest that all have."""
    metrics = _metrics(figures)
    for prefix in ("best of ", "tilt at "):
        curve = [m for m in metrics if m.startswith(prefix)]
        metrics = [m for m in metrics if m not in curve[:-1]]
    return metrics


def _metrics(figures: Sequence[PerPrompt]) -> list[str]:
    """Return the metrics that every arm has, for half of its prompts at least."""

    def has(arm: PerPrompt, metric: str) -> bool:
        return metric in arm.values and not np.isnan(arm.values[metric]).mean() > 0.5

    return [m for m in figures[0].values if all(has(f, m) for f in figures)]


def _only(figures: PerPrompt, metrics: Sequence[str]) -> PerPrompt:
    kept = {m: figures.values[m] for m in metrics}
    return msgspec.structs.replace(figures, values=kept)
