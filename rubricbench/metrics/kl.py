"""KL of a trained policy from its initial policy, in nats per sequence.

The axis of over-optimization is KL(π‖π0) of whole sequences, y ~ π sampled plainly: temperature 1,
top_p 1, top_k 0. Two unbiased estimates of it per sequence (Schulman 2020; Amini et al. 2025):

* `rao_blackwell` sums, over the tokens of a sample, the KL between the two full next-token
  distributions. Never negative, and of lower variance: report this.
* `k1` sums log π(y_t) − log π0(y_t) over the sampled tokens. Needs log-probabilities only; a
  sequence can be negative. Report it as a cross-check: the two agree in expectation, so a
  difference beyond noise means the samples do not come from π as evaluated (another temperature,
  truncation, a different precision or template).

The third, k3 = r − 1 − log r with r = π0/π, is a *loss*, not a report: it is made for its behaviour
in training, its mean per token is not on this axis, and over whole sequences r has a variance that
swamps it. What trainers log as ``kl`` is usually that, per token, on training prompts.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Result, not_computable

Floats = NDArray[np.float64]

_ROUNDING = 1e-6
_PLAIN = "sample at temperature 1, top_p 1, top_k 0"


class PolicyKl(msgspec.Struct, frozen=True, kw_only=True):
    """KL of a policy, in nats per sequence. ``draws`` is for computing.

    Args:
        rao_blackwell: from full next-token distributions.
        k1: from the sampled tokens alone.
        difference: k1 − Rao-Blackwell, paired; an interval without 0 is a fault in the data.
        draws: of the means over prompts of those measured, columns in this order.
    """

    rao_blackwell: Result
    k1: Result
    difference: Result
    draws: Replicates


def rao_blackwell(
    policy: Any, initial: Any, mask: Any | None = None, *, form: str = "logits"
) -> Floats:
    """Return Σ_t KL(π(·|h_t) ‖ π0(·|h_t)) along each sampled sequence, in nats.

    Args:
        policy: next-token logits of π at every position of the sample, shape ``(..., T, V)``.
        initial: the same of π0, on the same tokens.
        mask: 1 for the positions that generate a response token (the end of sequence included), 0
            for padding, shape ``(..., T)``; None for all.
        form: ``logits`` (log-probabilities are logits, too) or ``probabilities``.

    Returns:
        One number a sequence, shape ``(...,)``.

    Raises:
        InputError: shapes that differ; at a position that counts NaN, no possible token,
            probabilities that do not sum to 1, or a token that π can emit and π0 cannot (its KL is
            infinite).
    """
    given = [np.asarray(x, dtype=np.float64) for x in (policy, initial)]
    shapes = [x.shape for x in given]
    if shapes[0] != shapes[1] or len(shapes[0]) < 2:
        raise InputError(f"policy {shapes[0]} and initial policy {shapes[1]} differ in shape")
    used = np.ones(shapes[0][:-1], dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if used.shape != shapes[0][:-1]:
        raise InputError(f"a mask of {used.shape} for tokens of {shapes[0][:-1]}")
    ours, theirs = (_log_probabilities(x, form, used) for x in given)
    possible = np.isfinite(ours)
    if (possible & np.isneginf(theirs))[used].any():
        raise InputError("the policy can emit a token that the initial policy cannot", hint=_PLAIN)
    terms = np.zeros(ours.shape)
    np.subtract(ours, theirs, out=terms, where=possible & np.isfinite(theirs))
    tokens = (np.exp(ours) * terms).sum(axis=-1)
    return np.asarray(np.where(used, np.maximum(tokens, 0), 0).sum(axis=-1))


def k1(policy: Any, initial: Any, mask: Any | None = None) -> Floats:
    """Return Σ_t log π(y_t|h_t) − log π0(y_t|h_t) of each sampled sequence, in nats.

    Args:
        policy: log-probabilities of the sampled tokens under π, shape ``(..., T)``.
        initial: the same under π0.
        mask: 1 for response tokens (the end of sequence included), shape ``(..., T)``.

    Raises:
        InputError: shapes that differ, or a log-probability that is NaN, infinite or positive.
    """
    ours, theirs = np.asarray(policy, dtype=np.float64), np.asarray(initial, dtype=np.float64)
    used = np.ones(ours.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if not ours.shape == theirs.shape == used.shape:
        raise InputError(f"shapes differ: {ours.shape}, {theirs.shape}, mask {used.shape}")
    for values in (ours[used], theirs[used]):
        if not np.isfinite(values).all() or (values > _ROUNDING).any():
            raise InputError(
                "a log-probability of a sampled token is not a finite number of at most 0"
            )
    return np.asarray(np.where(used, ours - theirs, 0).sum(axis=-1))


def policy_kl(
    prompt_ids: Any,
    *,
    rao_blackwell: Any | None = None,
    k1: Any | None = None,
    boot: Bootstrap | None = None,
) -> PolicyKl:
    """Return the mean KL over prompts, with intervals that resample prompts.

    Args:
        prompt_ids: one a sequence, shape ``(N,)``.
        rao_blackwell: of each sequence, in nats, where measured.
        k1: of each sequence, in nats, where measured.
        boot: over the sorted prompt ids; None for the default.

    Raises:
        InputError: neither is given, lengths differ, a value is not finite, or a Rao-Blackwell KL
            is negative.
    """
    given = {"rao_blackwell": rao_blackwell, "k1": k1}
    rows = {
        name: _sequences(name, x, len(prompt_ids)) for name, x in given.items() if x is not None
    }
    if not rows or not len(prompt_ids):
        raise InputError("no KL of any sequence", hint="give rao_blackwell, k1 or both")
    prompts, at = np.unique(np.asarray(prompt_ids, dtype=str), return_inverse=True)
    number = np.bincount(at)
    matrix = np.column_stack([np.bincount(at, values) / number for values in rows.values()])
    draws = (boot or Bootstrap(prompts)).means(matrix)
    found = dict(zip(rows, draws.results(list(rows), items=len(at)), strict=True))
    if len(rows) == 2:
        gap = draws.map(lambda x: x[:, 1] - x[:, 0])
        difference = gap.results(["k1 - rao_blackwell"], items=len(at))[0]
    else:
        difference = not_computable("k1 - rao_blackwell", "only one of the two was measured")
    return PolicyKl(
        **{name: found.get(name, not_computable(name, "not measured")) for name in given},
        difference=difference,
        draws=draws,
    )


def _sequences(name: str, values: Any, count: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (count,):
        raise InputError(f"{name} of shape {found.shape} for {count:,} sequences")
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found))[0]) + 1
        raise InputError(f"the {name} KL of sequence {row:,} is not a finite number")
    if name == "rao_blackwell" and (found < -_ROUNDING).any():
        row = int(np.argmin(found)) + 1
        raise InputError(
            f"the Rao-Blackwell KL of sequence {row:,} is {found.min():.3g}",
            hint="it cannot be negative: is this k1?",
        )
    return found


def _log_probabilities(given: Floats, form: str, used: NDArray[np.bool_]) -> Floats:
    """Return log-probabilities; what padding holds, often nothing or NaN, does not count."""
    counted = given[used]
    if np.isnan(counted).any() or np.isposinf(counted).any():
        raise InputError(f"{form} hold NaN or infinity")
    if form == "logits":
        if np.isneginf(counted).all(axis=-1).any():
            raise InputError("no token is possible at a position that counts", hint="mask padding")
        return np.asarray(special.log_softmax(np.where(used[..., None], given, 0.0), axis=-1))
    if form != "probabilities":
        raise InputError(f"form={form!r}", hint="logits or probabilities")
    if (counted < 0).any() or (np.abs(counted.sum(axis=-1) - 1) > 1e-4).any():
        raise InputError("probabilities that do not sum to 1")
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.where(used[..., None], given, 1.0)))
