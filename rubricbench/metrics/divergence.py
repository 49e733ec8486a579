"""KL divergence of best-of-n from the policy it draws on, in nats.

Best-of-n by a reward without ties has density n·u^(n−1) in the reward's quantile u, hence KL
log n − (n−1)/n (Stiennon et al. 2020, appendix G.3; Gao et al. 2022, §2). Where rewards tie and a
best response is drawn at *random* among those that tie, the choice says less, and that figure is
only a bound: with levels of probability p_k and distribution function F_k, the best lies on level
k with probability m_k = F_kⁿ − F_{k−1}ⁿ and KL = Σ m_k log(m_k / p_k) (Beirami et al. 2024 bound
the gap). Five equal levels and n = 64 give 1.61 nats, not 3.17. Breaking ties strictly, by a hash
of the text, is another policy: it has the full 3.17, and tells its responses apart by noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.blocks import Blocks
from rubricbench.metrics.samples import Samples

Floats = NDArray[np.float64]


def best_of_n_bound(n: Sequence[int] | NDArray[Any]) -> Floats:
    """Return log n − (n−1)/n for every n: the KL without ties, or with strict tie-breaking.

    Args:
        n: at least 1, shape ``(K,)``.
    """
    number = np.asarray(n, dtype=np.float64)
    return np.asarray(np.log(number) - (number - 1) / number)


def best_of_n_kl_of_levels(
    probabilities: Sequence[float] | Floats, n: Sequence[int] | NDArray[np.int64]
) -> Floats:
    """Return the KL of best-of-n over a discrete reward with random ties, for every n: ``(K,)``.

    Args:
        probabilities: of each level under the policy, lowest reward first; they sum to 1.
        n: at least 1, shape ``(K,)``.

    Raises:
        InputError: probabilities that are negative or do not sum to 1.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 1 or not (p >= 0).all() or abs(p.sum() - 1) > 1e-9:
        raise InputError("probabilities of levels are not negative and sum to 1")
    p = p[p > 0]
    above = np.minimum(np.cumsum(p), 1.0)
    above[-1] = 1.0
    below = np.concatenate([[0.0], above[:-1]])
    return np.array([_terms(below, above, p, k).sum() for k in np.asarray(n, dtype=float)])


def best_of_n_kl(samples: Samples, n: Sequence[int] | NDArray[np.int64]) -> Floats:
    """Estimate the KL of best-of-n for each prompt, ties broken at random: shape ``(P, K)``.

    Rewards that tie in the samples are levels, with their share for a probability; one that stands
    alone is taken as a piece of a continuous reward, as wide as its share. So the estimate is the
    bound exactly where nothing ties and Σ m_k log(m_k / p_k) where everything does. (Taking every
    value for a level instead would lose up to a fifth of a nat at n = N/2 on a continuous reward.)
    It never exceeds the bound. Estimating p_k from N samples costs it at most 0.06 nats up to
    n = N/2 on 5 or 21 equal levels, from N = 16 (docs/metrics.md).

    Args:
        samples: of the policy.
        n: at least 1, shape ``(K,)``.
    """
    return kl_of_blocks(Blocks.of(samples), np.asarray(n, dtype=np.int64))


def kl_of_blocks(blocks: Blocks, n: NDArray[np.int64]) -> Floats:
    """Do as `best_of_n_kl` on samples that are sorted already."""
    tied = np.flatnonzero(blocks.sizes > 1)
    prompt, total = blocks.of_prompt[tied], blocks.counts[blocks.of_prompt[tied]]
    below, size = blocks.below[tied] / total, blocks.sizes[tied] / total
    above = (blocks.below[tied] + blocks.sizes[tied]) / total
    found = np.tile(best_of_n_bound(n), (len(blocks.counts), 1))
    if not len(tied):
        return found
    for column, k in enumerate(n.astype(float)):
        if k == 1:
            continue  # no choice, nothing lost; keeps its zero free of rounding
        # What is lost by not telling the responses of a level apart.
        lost = _continuous(below, above, k) - _terms(below, above, size, k)
        found[:, column] -= np.bincount(prompt, lost, minlength=len(found))
    return np.maximum(found, 0)


def _terms(below: Floats, above: Floats, p: Floats, n: float) -> Floats:
    """Return m log(m / p) of each level."""
    with np.errstate(divide="ignore"):
        mass = -np.expm1(n * np.log(below / above)) * above**n
    return np.asarray(np.where(mass > 0, mass * np.log(np.where(mass > 0, mass / p, 1)), 0))


def _continuous(below: Floats, above: Floats, n: float) -> Floats:
    """Return ∫ n u^(n−1) log(n u^(n−1)) du over each piece of the quantile scale."""

    def integral(u: Floats) -> Floats:
        power = u**n
        logs = np.log(np.where(u > 0, u, 1))
        return np.asarray(np.log(n) * power + (n - 1) * (power * logs - power / n))

    return integral(above) - integral(below)
