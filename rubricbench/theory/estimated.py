"""The map of a real reward, estimated from samples, and where in the gold reward it errs.

Both look within prompts. A real proxy is no function of gold: the *estimated map* is the mean proxy
quantile at each gold quantile, which noise flattens towards one half; the *tail error curve* says
how often the proxy misorders what is left above each gold quantile.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result, caution
from rubricbench.metrics.samples import Samples
from rubricbench.theory.ranks import below_within, quantiles

Floats = NDArray[np.float64]

THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BINS = 10


class MapPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The estimated map in one bin of gold quantiles.

    Args:
        low: least gold quantile of the bin.
        high: greatest.
        proxy_quantile: mean proxy quantile there.
    """

    low: float
    high: float
    proxy_quantile: Result


class TailError(msgspec.Struct, frozen=True, kw_only=True):
    """How the proxy orders what lies above one gold quantile.

    Args:
        above: gold quantile.
        error: probability that the proxy misorders two samples of one prompt that both lie there
            and differ in gold, a proxy tie counting one half. 0 is a perfect order, ½ a coin, 1
            the reverse.
    """

    above: float
    error: Result


def estimated_map(samples: Samples, boot: Bootstrap, bins: int = BINS) -> tuple[MapPoint, ...]:
    """Return the mean proxy quantile within each bin of gold quantiles, with t intervals.

    Args:
        samples: two or more a prompt.
        boot: over ``samples.prompts``.
        bins: how many, of equal width.
    """
    bin_of = np.minimum((quantiles(samples, samples.gold) * bins).astype(int), bins - 1)
    cell = samples.of_prompt * bins + bin_of
    size = len(samples.prompts) * bins
    number = np.bincount(cell, minlength=size)
    total = np.bincount(cell, quantiles(samples, samples.proxy), minlength=size)
    with np.errstate(invalid="ignore"):
        means = np.where(number > 0, total / number, np.nan).reshape(-1, bins)
    edges = [i / bins for i in range(bins + 1)]
    names = [f"proxy quantile, gold {a:.0%} to {b:.0%}" for a, b in _pairs(edges)]
    found = boot.means(means).results(names, items=samples.size, why="no gold reward lies there")
    return tuple(
        MapPoint(low=a, high=b, proxy_quantile=r)
        for (a, b), r in zip(_pairs(edges), found, strict=True)
    )


def tail_error(samples: Samples, boot: Bootstrap) -> tuple[TailError, ...]:
    """Return the tail error curve: the mean over prompts of each prompt's error, at `THRESHOLDS`.

    For q, over pairs (i, j) of a prompt with gold mid-rank quantiles ``U_j > U_i ≥ q``: the share
    with ``proxy_j < proxy_i``, plus half the share with equal proxies. Pairs that tie in gold have
    no order to get wrong and do not count; a prompt without pairs above q does not count at that q,
    and a caution says how many those are. For the map "top c wrong" it is ``(c/(1−q))²``, and 1
    from q = 1 − c on.
    """
    errors = np.array(samples.each(lambda rows: _errors(samples, rows)))
    names = [f"misordered above gold quantile {q:g}" for q in THRESHOLDS]
    why = "no prompt has two samples there that differ in gold"
    found = boot.means(errors).results(names, items=samples.size, why=why)
    missing = np.isnan(errors).sum(axis=0)
    result = []
    for q, r, gone in zip(THRESHOLDS, found, missing.tolist(), strict=True):
        some = r.estimate is not None and gone > 0
        note = [caution("left_out", f"{gone:,} prompts without pairs to order")] if some else []
        result.append(TailError(above=q, error=r.with_warnings(note)))
    return tuple(result)


def _errors(samples: Samples, rows: slice) -> Floats:
    """Return one prompt's error above each threshold, NaN where it has no pairs."""
    order = np.argsort(samples.gold[rows], kind="stable")
    gold, proxy = samples.gold[rows][order], samples.proxy[rows][order]
    wrong, pairs = _of_each(gold, proxy)
    wrong_above, pairs_above = (np.append(np.cumsum(x[::-1])[::-1], 0.0) for x in (wrong, pairs))
    first = np.searchsorted(gold, gold, side="left")
    quantile = (first + np.searchsorted(gold, gold, side="right")) / (2 * len(gold))
    start = np.searchsorted(quantile, np.array(THRESHOLDS) - 1e-12)
    with np.errstate(invalid="ignore"):
        return np.asarray(wrong_above[start] / pairs_above[start])


def _of_each(gold: Floats, proxy: Floats) -> tuple[Floats, Floats]:
    """Return, for each sample, its misordered pairs with better samples, and all such pairs."""
    better = np.searchsorted(gold, gold, side="right")  # where the better ones begin
    pairs = (len(gold) - better).astype(np.float64)
    return below_within(proxy, better, np.full(len(gold), len(gold))), pairs


def _pairs(edges: list[float]) -> list[tuple[float, float]]:
    return list(pairwise(edges))
