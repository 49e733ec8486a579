"""Samples of every prompt in ascending order of proxy, and the blocks of them that tie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.samples import Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Blocks:
    """Sorted samples; build with `Blocks.of`. Prompts and ``starts`` are those of the samples.

    Args:
        proxy: ascending within each prompt, shape ``(N,)``.
        gold: of the same samples, ascending where the proxy ties, shape ``(N,)``: the order of the
            rows leaves no trace, not even in the last digit.
        starts: where each block begins, shape ``(B,)``.
        sizes: samples in each block, shape ``(B,)``.
        of_prompt: index of each block's prompt, shape ``(B,)``.
        below: samples of the same prompt with a lower proxy, shape ``(B,)``.
        counts: samples of each prompt, shape ``(P,)``.
    """

    proxy: Floats
    gold: Floats
    starts: Ints
    sizes: Ints
    of_prompt: Ints
    below: Ints
    counts: Ints

    @classmethod
    def of(cls, samples: Samples) -> Blocks:
        """Sort samples, prompt by prompt."""
        order = _order(samples)
        proxy, gold, prompt = samples.proxy[order], samples.gold[order], samples.of_prompt
        first = np.ones(samples.size, dtype=bool)
        first[1:] = (proxy[1:] != proxy[:-1]) | (prompt[1:] != prompt[:-1])
        starts = np.flatnonzero(first)
        of_prompt = prompt[starts]
        return cls(
            proxy=proxy,
            gold=gold,
            starts=starts,
            sizes=np.diff(np.append(starts, samples.size)),
            of_prompt=of_prompt,
            below=starts - samples.starts[of_prompt],
            counts=samples.counts,
        )

    def averaged(self, values: Floats) -> Floats:
        """Return values with those of each block replaced by their mean, shape ``(N,)``."""
        if len(self.starts) == len(values):
            return values
        return np.repeat(np.add.reduceat(values, self.starts) / self.sizes, self.sizes)


def _order(samples: Samples) -> Ints:
    counts = samples.counts
    if (counts == counts[0]).all():  # the same number a prompt: rows of a matrix, each sorted
        shape = (len(counts), int(counts[0]))
        keys = (samples.gold.reshape(shape), samples.proxy.reshape(shape))
        return np.asarray((np.lexsort(keys, axis=-1) + samples.starts[:-1, None]).ravel())
    return np.asarray(np.lexsort((samples.gold, samples.proxy, samples.of_prompt)))
