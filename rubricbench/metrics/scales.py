"""The two scales on which rewards are compared: z-scores, and quantiles among the base policy's.

Rewards have no unit. ``z`` counts in standard deviations of the initial policy's samples; the base
quantile ``U`` of a response is its mid-rank among the base policy's samples of the same prompt:
the probability that it beats one of them, ties one half. ``U`` does not change under increasing
maps of the reward, but it ends at 1, where it no longer tells good from better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.samples import Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of a reward over the initial policy's samples."""

    mean: float
    sd: float

    def z(self, values: Any) -> Floats:
        """Return ``(values - mean) / sd``, any shape."""
        return np.asarray((np.asarray(values, dtype=np.float64) - self.mean) / self.sd)


def scale_of(base: Any, what: str = "reward") -> Scale:
    """Return the scale of a reward.

    Args:
        base: the reward of the initial policy's samples, any shape, all prompts together.
        what: its name, for messages.

    Raises:
        InputError: fewer than two samples, an unknown reward, or one that does not vary.
    """
    values = np.sort(_finite(base, what), axis=None)  # no trace of the order of rows in the sums
    sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if values.min(initial=np.inf) == values.max(initial=-np.inf) or not sd > 0:  # it may underflow
        raise InputError(
            f"the {what} does not vary over {len(values):,} samples of the initial policy",
            hint="a z-score needs a spread to be measured in",
        )
    return Scale(float(values.mean()), sd)


def base_quantile(gold: Any, base_gold: Any, *, leave_one_out: bool = False) -> Floats:
    """Return the base quantile U of one prompt's responses.

    Args:
        gold: rewards, shape ``(n,)``.
        base_gold: rewards of the base policy's samples of the same prompt, shape ``(m,)``.
        leave_one_out: every response is itself one of the base's samples: compare it with the
            others alone.

    Returns:
        ``(below + equal / 2) / m``, shape ``(n,)``.

    Raises:
        InputError: an unknown reward, no base sample, or a response that is none of them though
            ``leave_one_out`` says so.
    """
    values, base = _finite(gold, "gold").ravel(), _finite(base_gold, "base gold").ravel()
    counts = Counts.of(np.zeros(len(values), np.int64), values, np.zeros(len(base), np.int64), base)
    return _mid_rank(counts, leave_one_out)


def base_quantiles(
    samples: Samples, base: Samples | None = None, *, leave_one_out: bool = False
) -> Floats:
    """Return the base quantile U of every sample's gold reward, within its prompt.

    Args:
        samples: of any policy.
        base: samples of the base policy for the same prompts; None: ``samples`` are its own.
        leave_one_out: the samples are among the base's: compare each with the others alone.

    Returns:
        Shape ``(samples.size,)``.

    Raises:
        InputError: a prompt without base samples (or with one alone, where it is left out).
    """
    own = samples if base is None else base
    groups = samples.of_prompt if base is None else _aligned(samples, own)
    alone = own.prompts[own.counts < 2]
    if leave_one_out and len(alone):
        raise InputError(
            f"{len(alone):,} of {len(own.prompts):,} prompts have one sample, "
            f"{str(alone[0])!r} first: none to compare it with",
            hint="sample more, or use leave_one_out=False",
        )
    return _mid_rank(Counts.of(groups, samples.gold, own.of_prompt, own.gold), leave_one_out)


@dataclass(frozen=True)
class Counts:
    """How each value stands among the base values of its own group.

    Args:
        below: base values that are lower, shape ``(n,)``.
        equal: that are equal.
        number: base values of the group.
    """

    below: Ints
    equal: Ints
    number: Ints

    @classmethod
    def of(cls, groups: Ints, values: Floats, base_groups: Ints, base_values: Floats) -> Counts:
        """Count by two binary searches, in O((n + m) log m) for all groups together."""
        levels, codes = np.unique(np.concatenate([values, base_values]), return_inverse=True)
        span = len(levels) + 1
        keys = groups * span + codes[: len(values)]
        base = np.sort(base_groups * span + codes[len(values) :])
        low = np.searchsorted(base, keys, side="left")
        high = np.searchsorted(base, keys, side="right")
        first = np.searchsorted(base, groups * span, side="left")
        last = np.searchsorted(base, (groups + 1) * span, side="left")
        return cls(low - first, high - low, last - first)


def _mid_rank(counts: Counts, leave_one_out: bool) -> Floats:
    own = int(leave_one_out)
    if (counts.number <= own).any():
        raise InputError(
            "a prompt has no base sample to compare with",
            hint="two samples a prompt at least" if own else "sample the base policy",
        )
    if (counts.equal < own).any():
        raise InputError("a response is not among the base samples", hint="use leave_one_out=False")
    return np.asarray((counts.below + (counts.equal - own) / 2) / (counts.number - own))


def _aligned(samples: Samples, base: Samples) -> Ints:
    """Return, for every sample, the index of its prompt among the base's prompts."""
    at = np.minimum(np.searchsorted(base.prompts, samples.prompts), len(base.prompts) - 1)
    missing = samples.prompts[base.prompts[at] != samples.prompts]
    if len(missing):
        raise InputError(
            f"{len(missing):,} of {len(samples.prompts):,} prompts have no base sample, "
            f"{str(missing[0])!r} first",
            hint="sample the base policy on the same prompts",
        )
    return np.asarray(np.repeat(at, samples.counts), dtype=np.int64)


def _finite(values: Any, what: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if not np.isfinite(found).all():
        raise InputError(f"an unknown or infinite {what}", hint="leave out what was not scored")
    return found
