"""Best-of-n without bias: what the proxy's favourite of n responses is worth in gold, for every n.

From N samples of a prompt, sorted by proxy, the mean gold over all subsets of size n of the sample
that the proxy picks is Σ_i C(i−1, n−1) / C(N, n) · g_(i) (Nakano et al. 2021, appendix I; the
estimator for the maximum of Chen et al. 2021's pass@k family). Where proxies tie the pick is random
among them, so gold is averaged within the tie. Beyond n = N/2 the estimate rests on a handful of
the top samples, and n is not shown.

    curve = best_of_n(samples)
    for point in curve.points:
        print(point.n, point.kl, point.proxy, point.gold)
    peak = curve.curves.replicates["gold"].map(lambda gold: gold.max(axis=1))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.errors import InputError
from rubricbench.metrics.blocks import Blocks
from rubricbench.metrics.curves import SUPPORT, PromptCurves, enough, exactly
from rubricbench.metrics.divergence import best_of_n_bound, kl_of_blocks
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Caution, Method, Result, caution, not_computable
from rubricbench.metrics.samples import Samples

TIES = 0.05  # of the KL lost to ties, from which they are worth a caution

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class BestOfNPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Best-of-n at one n.

    Args:
        n: responses to choose from.
        kl: KL to the policy in nats, ties broken at random (see `divergence`).
        kl_bound: log n − (n−1)/n: the KL without ties, or with strict tie-breaking.
        proxy: proxy reward of the choice.
        gold: gold reward of the choice.
        gain: gold reward above that of one response (n = 1), paired.
    """

    n: int
    kl: Result
    kl_bound: Result
    proxy: Result
    gold: Result
    gain: Result


class BestOfNCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Best-of-n over a grid of n. To write it out take ``points``; ``curves`` is for computing.

    Args:
        points: by increasing n, from 1. Those that too few prompts support say so.
        cautions: what holds for the whole curve.
        curves: columns ``gold``, ``proxy`` and ``kl`` of every prompt at the n that are shown.
    """

    points: tuple[BestOfNPoint, ...]
    cautions: tuple[Caution, ...]
    curves: PromptCurves

    def shown(self) -> tuple[BestOfNPoint, ...]:
        """Return the points that have values."""
        return tuple(p for p in self.points if p.gold.estimate is not None)


def default_n(counts: Ints) -> Ints:
    """Return 1, 2, 3, 4, 6, 8, 11, 16, … (powers of √2), up to what most prompts support.

    Args:
        counts: samples of each prompt, shape ``(P,)``.
    """
    limits = np.sort(np.maximum(counts // 2, 1))[::-1]
    limit = int(limits[int(np.ceil(SUPPORT * len(limits) - 1e-9)) - 1])
    grid = np.unique(np.rint(2 ** (np.arange(2 * int(limit).bit_length() + 1) / 2)))
    return np.asarray(grid[grid <= limit].astype(np.int64))


def best_of_n(
    samples: Samples, n_grid: Sequence[int] | None = None, boot: Bootstrap | None = None
) -> BestOfNCurve:
    """Return gold, proxy and KL of best-of-n by the proxy, for every n.

    Args:
        samples: of one policy. Prompts may differ in their number of samples.
        n_grid: increasing; n = 1 is always added. None for `default_n`.
        boot: over ``samples.prompts``; None for the default.

    Raises:
        InputError: an n that is not a positive integer.
    """
    grid = default_n(samples.counts) if n_grid is None else _checked(n_grid)
    can = np.maximum(samples.counts // 2, 1)[:, None] >= grid
    shown = enough(can)
    kept = np.asarray(can[:, shown].all(axis=1))
    blocks = Blocks.of(samples)
    n = grid[shown]
    columns = {
        "gold": of_each_prompt(samples, blocks, blocks.averaged(blocks.gold), n),
        "proxy": of_each_prompt(samples, blocks, blocks.proxy, n),
        "kl": kl_of_blocks(blocks, n),
    }
    curves = PromptCurves.of(samples.prompts, n.astype(float), columns, kept, boot)
    cautions = [
        *curves.left_out(f"have fewer than {2 * n[-1]:,} samples"),
        *_of_samples(samples, blocks, kept),
    ]
    return BestOfNCurve(
        points=tuple(_points(grid, shown, curves, int(samples.counts[kept].sum()), cautions)),
        cautions=tuple(cautions),
        curves=curves,
    )


def of_each_prompt(samples: Samples, blocks: Blocks, values: Floats, n: Ints) -> Floats:
    """Return the expected value of the choice for each prompt, NaN where N < n: ``(P, K)``.

    Args:
        samples: of which ``blocks`` are.
        blocks: the samples sorted by proxy.
        values: in that order, averaged within ties, shape ``(N,)``.
        n: shape ``(K,)``.
    """
    found = np.full((len(samples.counts), len(n)), np.nan)
    for count in np.unique(samples.counts):
        rows = np.flatnonzero(samples.counts == count)
        possible = n <= count
        if len(rows) == len(samples.counts):
            matrix = values.reshape(len(rows), count)  # no copy
        else:
            matrix = values[samples.starts[rows][:, None] + np.arange(count)]
        found[np.ix_(rows, possible)] = matrix @ weights(int(count), n[possible])
    return found


def weights(count: int, n: Ints) -> Floats:
    """Return C(i−1, n−1) / C(N, n) for ranks i = 1…N and every n ≤ N: shape ``(N, K)``.

    By lgamma: the binomials themselves overflow from N of about 1,000. Columns sum to 1.
    """
    rank, size = np.arange(1, count + 1)[:, None], np.asarray(n)[None, :]
    with np.errstate(invalid="ignore"):
        log = _log_choose(rank - 1, size - 1) - _log_choose(np.array(count), size)
    found = np.where(rank >= size, np.exp(np.where(rank >= size, log, -np.inf)), 0.0)
    return np.asarray(found / found.sum(axis=0))


def _log_choose(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    return np.asarray(
        special.gammaln(a + 1) - special.gammaln(b + 1) - special.gammaln(np.maximum(a - b, 0) + 1)
    )


def _checked(n_grid: Sequence[int]) -> Ints:
    given = np.asarray(n_grid)
    if given.ndim != 1 or not len(given) or (given != np.rint(given)).any() or (given < 1).any():
        raise InputError(f"n of best-of-n: {list(n_grid)}", hint="give positive whole numbers")
    return np.unique(np.append(given, 1)).astype(np.int64)


def _of_samples(samples: Samples, blocks: Blocks, kept: NDArray[np.bool_]) -> list[Caution]:
    found = []
    if samples.left_out:
        found.append(caution("left_out", f"{samples.left_out:,} samples without both rewards"))
    counts = samples.counts[kept]
    if len(counts) and counts.min() != counts.max():
        found.append(caution("uneven", f"{counts.min():,} to {counts.max():,} samples"))
    number = np.bincount(blocks.of_prompt, minlength=len(kept))
    constant = int(((number == 1) & (samples.counts > 1) & kept).sum())
    if constant:
        found.append(
            caution("constant", f"the proxy of {constant:,} of {int(kept.sum()):,} prompts")
        )
    return found


def _points(
    grid: Ints, shown: NDArray[np.bool_], curves: PromptCurves, items: int, more: list[Caution]
) -> list[BestOfNPoint]:
    draws = {**curves.replicates, "gain": curves.replicates["gold"].map(lambda x: x - x[:, :1])}
    bound = best_of_n_bound(grid)
    columns = {name: _results(name, d, curves, items, more) for name, d in draws.items()}
    at = np.cumsum(shown) - 1
    found = []
    for i, n in enumerate(grid.tolist()):
        exact = Result(name=f"kl_bound, best of {n}", estimate=float(bound[i]), method=Method.EXACT)
        results = {
            name: column[at[i]] if shown[i] else _too_few(name, n)
            for name, column in columns.items()
        }
        if results["kl"].estimate is not None and results["kl"].estimate < (1 - TIES) * bound[i]:
            results["kl"] = results["kl"].with_warnings([caution("ties")])
        found.append(BestOfNPoint(n=n, kl_bound=exact, **results))
    return found


def _results(
    name: str, draws: Replicates, curves: PromptCurves, items: int, more: list[Caution]
) -> list[Result]:
    names = [f"{name}, best of {int(n)}" for n in curves.grid]
    found = draws.results(names, items=items, warnings=more)
    if name == "gain":
        found[0] = exactly(found[0], more)
    if name == "kl":
        loss = best_of_n_bound(curves.grid) - curves.columns["kl"][curves.kept]
        untied = np.asarray((np.abs(loss) < 1e-12).all(axis=0))
        found = [exactly(r, more) if u else r for r, u in zip(found, untied, strict=True)]
    return found


def _too_few(name: str, n: int) -> Result:
    reason = f"fewer than {SUPPORT:.0%} of the prompts have the {2 * n:,} samples that it takes"
    return not_computable(f"{name}, best of {n}", reason)
