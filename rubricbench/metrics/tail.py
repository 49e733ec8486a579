"""Tail accuracy: does the proxy tell excellent responses from merely great ones?

The optimum of a reward tilts the base policy exponentially, so errors where the gold reward is high
cost most (Chasing the Tail, arXiv 2509.21500, section 3). Within each prompt, responses are placed
by their base quantile U: *excellent* from 0.9 up, *great* from 0.75 to 0.9. Tail accuracy is the
probability that the proxy ranks an excellent response above a great one, ties one half; then the
mean over prompts. Beside it stand the same with ties as wrong, and the tie rate, because a rubric
whose points all good responses reach ties rather than errs.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.proportion import proportions
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Caution, Result, caution
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.scales import Counts, base_quantiles

EXCELLENT = 0.9
GREAT = 0.75
MANY_TIES = 0.1  # a tie rate from which the figure depends on how ties count
SATURATED = 0.5  # share of samples above ``EXCELLENT`` from which U says little about them

Floats = NDArray[np.float64]


class Saturation(msgspec.Struct, frozen=True, kw_only=True):
    """How far the base quantiles have run out of scale.

    Args:
        excellent: share of samples with U at or above the excellent threshold; by definition about
            a tenth for the base policy itself, nearly all for a much stronger one.
        beyond: share of samples above every base sample of their prompt (without
            ``leave_one_out``: of an external base only).
        prompts: share of prompts all of whose samples are excellent, so that none is great.
    """

    excellent: Result
    beyond: Result
    prompts: Result


class TailAccuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Tail accuracy and what it rests on.

    Args:
        accuracy: ties one half.
        ties_as_wrong: ties count as wrong.
        tie_rate: share of excellent-great pairs that the proxy ties.
        prompts_used: share of prompts that have both an excellent and a great response.
        saturation: of the base quantiles.
    """

    accuracy: Result
    ties_as_wrong: Result
    tie_rate: Result
    prompts_used: Result
    saturation: Saturation


def tail_accuracy(
    samples: Samples,
    boot: Bootstrap | None = None,
    *,
    base: Samples | None = None,
    excellent: float = EXCELLENT,
    great: float = GREAT,
    leave_one_out: bool = False,
) -> TailAccuracy:
    """Return how often the proxy ranks excellent responses above great ones.

    Args:
        samples: responses with proxy and gold.
        boot: over ``samples.prompts``.
        base: samples of the base policy for the same prompts; None: ``samples`` are its own.
        excellent: base quantile from which a response is excellent.
        great: from which it is great, up to ``excellent``.
        leave_one_out: the samples are among the base's: rank each among the others alone.

    Raises:
        InputError: thresholds out of order, or a prompt without base samples.
    """
    if not 0 <= great < excellent <= 1:
        raise InputError(f"thresholds {great} and {excellent}", hint="0 <= great < excellent <= 1")
    quantile = base_quantiles(samples, base, leave_one_out=leave_one_out)
    top, next_ = quantile >= excellent, (quantile >= great) & (quantile < excellent)
    shares, pairs = _shares(samples, top, next_)
    boot = boot or Bootstrap(samples.prompts, resamples=0)
    saturation = _saturation(samples, boot, quantile, excellent)
    warnings = _warnings(samples, shares, saturation)
    why = f"no prompt has both a response with U >= {excellent:g} and one from {great:g} to it"
    names = ["tail_accuracy", "tail_accuracy_ties_as_wrong", "tail_tie_rate"]
    found = proportions(boot.means(shares), names, items=pairs, why=why, warnings=warnings)
    used = proportions(
        boot.means((~np.isnan(shares[:, 0])).astype(float)), ["tail_prompts"], items=samples.size
    )
    return TailAccuracy(
        accuracy=found[0],
        ties_as_wrong=found[1],
        tie_rate=found[2],
        prompts_used=used[0],
        saturation=saturation,
    )


def tail_shares(
    samples: Samples,
    base: Samples | None = None,
    *,
    excellent: float = EXCELLENT,
    great: float = GREAT,
    leave_one_out: bool = False,
) -> Floats:
    """Return the three shares of each prompt: accuracy, ties as wrong, tie rate; ``(P, 3)``.

    NaN where a prompt has no pair. Put the matrices of several proxies side by side and pass them
    to `Bootstrap.means` to compare them on the same prompts.
    """
    quantile = base_quantiles(samples, base, leave_one_out=leave_one_out)
    between = (quantile >= great) & (quantile < excellent)
    return _shares(samples, quantile >= excellent, between)[0]


def _shares(
    samples: Samples, top: NDArray[np.bool_], next_: NDArray[np.bool_]
) -> tuple[Floats, int]:
    """Return the shares of each prompt, and how many pairs there are."""
    of, prompts = samples.of_prompt, len(samples.prompts)
    counts = Counts.of(of[top], samples.proxy[top], of[next_], samples.proxy[next_])
    above = np.bincount(of[top], counts.below, prompts)
    equal = np.bincount(of[top], counts.equal, prompts)
    pairs = np.bincount(of[top], counts.number, prompts)
    with np.errstate(invalid="ignore"):
        shares = np.stack([above + equal / 2, above, equal], axis=1) / pairs[:, None]
    return shares, int(pairs.sum())


def _saturation(
    samples: Samples, boot: Bootstrap, quantile: Floats, excellent: float
) -> Saturation:
    top = samples.means((quantile >= excellent).astype(float))
    beyond = samples.means((quantile >= 1).astype(float))
    whole = (top == 1).astype(float)
    found = proportions(
        boot.means(np.stack([top, beyond, whole], axis=1)),
        ["saturation_excellent", "saturation_beyond", "saturated_prompts"],
        items=samples.size,
    )
    return Saturation(excellent=found[0], beyond=found[1], prompts=found[2])


def _warnings(samples: Samples, shares: Floats, saturation: Saturation) -> list[Caution]:
    found = []
    without, share = int(np.isnan(shares[:, 0]).sum()), saturation.excellent.estimate or 0.0
    if without:
        detail = f"{without:,} of {len(shares):,} prompts have no pair of the tail"
        found.append(caution("left_out", detail))
    if samples.left_out:
        found.append(caution("left_out", f"{samples.left_out:,} samples without a reward"))
    ties = np.nanmean(shares[:, 2]) if without < len(shares) else 0.0
    if ties >= MANY_TIES:
        found.append(caution("ties", f"{ties:.0%} of the pairs"))
    if share >= SATURATED:
        found.append(caution("saturated", f"{share:.0%} of the samples are excellent"))
    return found
