"""Rewards as quantiles within their prompt, ties at the middle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.samples import Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PAIRS = 500_000  # compared at once; few enough to stay in the cache


def quantiles(samples: Samples, values: Floats) -> Floats:
    """Return the mid-rank quantile ``(#less + ½#equal)/N`` of each value within its prompt.

    Args:
        samples: whose prompts count.
        values: one number a sample, shape ``(N,)``.

    Returns:
        Shape ``(N,)``, strictly between 0 and 1; the sample itself is among the equal ones.
    """
    below, equal, counts = _ranks(samples, values)
    return np.asarray((below + equal / 2) / counts)


def wins(samples: Samples) -> Floats:
    """Return each sample's win rate over the *other* samples of its prompt, a tie one half.

    Unbiased for ``F(R)`` of Proposition 1; its mean over a prompt is ½ exactly.

    Args:
        samples: two or more a prompt.
    """
    below, equal, counts = _ranks(samples, samples.gold)
    return np.asarray((below + (equal - 1) / 2) / (counts - 1))


def tied_pairs(samples: Samples, values: Floats) -> Floats:
    """Return the share of each prompt's pairs of samples that tie, shape ``(P,)``."""
    _, equal, _ = _ranks(samples, values)
    return samples.means(equal - 1) / (samples.counts - 1)


def below_within(values: Floats, first: Ints, last: Ints) -> Floats:
    """Count, for each value, those less among some of its neighbours in the array, ties one half.

    Args:
        values: shape ``(n,)``.
        first: for each, the place of the first neighbour that counts, shape ``(n,)``.
        last: and the place after the last.
    """
    n = len(values)
    # Small whole numbers compare many times faster than floats; this is all pairs of a prompt.
    kind = np.int16 if n < np.iinfo(np.int16).max else np.int32
    codes: Any = np.unique(values, return_inverse=True)[1].astype(kind)
    place: Any = np.arange(n, dtype=kind)
    begin: Any = first.astype(kind)
    end: Any = last.astype(kind)
    ties = int(codes.max(initial=0)) + 1 < n
    found = np.empty(n)
    step = max(1, _PAIRS // n)
    for a in range(0, n, step):
        rows = slice(a, a + step)
        inside = (place >= begin[rows, None]) & (place < end[rows, None])
        found[rows] = (inside & (codes < codes[rows, None])).sum(axis=1, dtype=np.int32)
        if ties:
            found[rows] += (inside & (codes == codes[rows, None])).sum(axis=1, dtype=np.int32) / 2
    return found


def _ranks(samples: Samples, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return how many of the same prompt are less, how many equal, and how many there are."""
    prompt = samples.of_prompt
    order = np.lexsort((values, prompt))
    ordered = values[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]) | (prompt[1:] != prompt[:-1])
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(values)))
    below, equal = np.empty(len(values)), np.empty(len(values))
    below[order] = np.repeat(starts - samples.starts[prompt[starts]], sizes)
    equal[order] = np.repeat(sizes, sizes)
    return below, equal, samples.counts[prompt].astype(np.float64)
