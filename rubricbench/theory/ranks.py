"""Rewards as quantiles within their prompt, ties at the middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.samples import Samples

Floats = NDArray[np.float64]


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
