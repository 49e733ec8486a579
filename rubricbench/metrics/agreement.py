"""Agreement of a reward with preferences, pair by pair.

A reward agrees with a preference if it is higher for the preferred response. A reward that ties the
two has said nothing: counted as wrong this is the preference accuracy of reward-model benchmarks,
counted as one half it is that of a reward which breaks ties at random. Both are given, with the tie
rate, and the accuracy among the pairs that the reward decides.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.comparisons import means_of, numbers, run_starts
from rubricbench.metrics.proportion import proportions
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Caution, Result, caution
from rubricbench.metrics.samples import Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement with preferences, mean over prompts.

    Args:
        ties_half: a tie of the reward counts one half.
        ties_as_wrong: a tie counts as wrong: preference accuracy.
        tie_rate: share of the pairs that the reward ties.
        decided: share right among the pairs that it does not tie.
    """

    ties_half: Result
    ties_as_wrong: Result
    tie_rate: Result
    decided: Result


def agreement(
    prompt_ids: Any,
    reward_1: Any,
    reward_2: Any,
    preference: Any,
    boot: Bootstrap | None = None,
    *,
    unknown: str = "refuse",
) -> Agreement:
    """Return how often a reward agrees with preferences. One row is one pair of responses.

    Args:
        prompt_ids: one id a pair.
        reward_1: of the first response; NaN is unknown.
        reward_2: of the second.
        preference: 1 where the first is better, 0 where the second; of probabilities the larger
            side counts; 0.5 prefers neither: such pairs are left out, and counted. NaN is unknown.
        boot: over the sorted ids of the prompts that have a pair with a preference.
        unknown: ``refuse`` pairs with an unknown number, or ``drop`` and count them; never scored.

    Raises:
        InputError: unequal lengths, a preference outside [0, 1], an infinite reward, an unknown
            number to be refused, or no pair with a preference.
    """
    ids = np.asarray(prompt_ids, dtype=str)
    first, second = (numbers(n, r, len(ids)) for n, r in (("r1", reward_1), ("r2", reward_2)))
    label = numbers("preference", preference, len(ids))
    known = known_rows({"reward_1": first, "reward_2": second, "preference": label}, unknown)
    outside = known & ((label < 0) | (label > 1))
    if outside.any():
        raise InputError(
            f"preference {label[outside][0]:g} in row {int(np.flatnonzero(outside)[0]) + 1:,}",
            hint="1 where the first response is better, 0 where the second",
        )
    keep = known & (label != 0.5)
    if not keep.any():
        raise InputError("no pair with a preference", hint="0.5 prefers neither response")
    prompts, of = np.unique(ids[keep], return_inverse=True)
    side = np.sign(first - second)[keep] * np.sign(label - 0.5)[keep]
    shares = np.stack([means_of(of, (side == s).astype(float), len(prompts)) for s in (1, 0)], 1)
    warnings = [
        caution("left_out", f"{int(rows.sum()):,} pairs {why}")
        for rows, why in ((~known, "with an unknown number"), (known & ~keep, "without preference"))
        if rows.any()
    ]
    boot = boot or Bootstrap(prompts, resamples=0)
    return from_shares(shares, boot, items=int(keep.sum()), warnings=warnings)


def pair_agreement(samples: Samples, boot: Bootstrap | None = None) -> Agreement:
    """Return how often the proxy orders two samples of a prompt as gold does.

    Over all pairs of a prompt whose gold rewards differ; prompts without one are left out.

    Args:
        samples: responses with proxy and gold.
        boot: over ``samples.prompts``.
    """
    wrong, tied, pairs = _pairs(samples)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.stack([pairs - wrong - tied, tied], axis=1) / pairs[:, None]
    without = int((pairs == 0).sum())
    detail = f"{without:,} of {len(pairs):,} prompts have no two samples of different gold"
    warnings = [caution("left_out", detail)] if without else []
    if samples.left_out:
        lost = f"{samples.left_out:,} samples without both rewards"
        warnings.append(caution("left_out", lost))
    boot = boot or Bootstrap(samples.prompts, resamples=0)
    why = "no prompt has two samples of different gold"
    return from_shares(shares, boot, items=int(pairs.sum()), warnings=warnings, why=why)


def from_shares(
    shares: Floats,
    boot: Bootstrap,
    *,
    items: int,
    warnings: list[Caution],
    prefix: str = "",
    why: str = "no pair has a preference",
) -> Agreement:
    """Return the agreement of a matrix of each prompt's share of right and tied pairs.

    Args:
        shares: shape ``(P, 2)``, NaN where a prompt has no pair.
        boot: over the prompts.
        items: pairs behind it.
        warnings: to be added.
        prefix: of the results' names.
        why: the reason to give where no prompt has a pair.
    """
    draws = boot.means(np.column_stack([shares[:, 0] + shares[:, 1] / 2, shares]))
    names = ["agreement_ties_half", "agreement_ties_as_wrong", "tie_rate", "agreement_decided"]
    names = [prefix + name for name in names]
    found = proportions(draws, names[:3], items=items, why=why, warnings=warnings)
    decided = draws.map(lambda m: m[:, 1] / (1 - m[:, 2]))
    tied = "the reward ties every pair" if items else why
    last = proportions(decided, names[3:], items=items, why=tied, warnings=warnings)
    return Agreement(ties_half=found[0], ties_as_wrong=found[1], tie_rate=found[2], decided=last[0])


def known_rows(columns: dict[str, Floats], unknown: str) -> NDArray[np.bool_]:
    """Return which rows have all their numbers.

    Raises:
        InputError: an infinite number, or a missing one to be refused.
    """
    if unknown not in ("refuse", "drop"):
        raise InputError(f"unknown={unknown!r}", hint="refuse or drop")
    for name, values in columns.items():
        if np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0]) + 1
            raise InputError(f"the {name} of row {row:,} is infinite", hint="numbers are finite")
    missing = np.any([np.isnan(values) for values in columns.values()], axis=0)
    if missing.any() and unknown == "refuse":
        row = int(np.flatnonzero(missing)[0]) + 1
        raise InputError(
            f"{int(missing.sum()):,} of {len(missing):,} rows lack a number, row {row:,} first",
            hint="score them, or leave them out with unknown='drop'",
        )
    return np.asarray(~missing)


def _pairs(samples: Samples) -> tuple[Ints, Ints, Ints]:
    """Return, for each prompt, the wrong and the tied pairs and all pairs of different gold."""
    of, n = samples.of_prompt, samples.counts
    prompts = len(n)
    proxy = np.unique(samples.proxy, return_inverse=True)[1]
    gold = np.unique(samples.gold, return_inverse=True)[1]
    order = np.lexsort((proxy, gold, of))
    same_gold = _equal_pairs([of, gold], prompts)
    tied = _equal_pairs([of, proxy], prompts) - _equal_pairs([of, gold, proxy], prompts)
    wrong = _inversions(of, np.arange(len(of)) - samples.starts[of], proxy[order], prompts)
    return wrong, tied, n * (n - 1) // 2 - same_gold


def _equal_pairs(columns: list[Ints], prompts: int) -> Ints:
    """Return how many pairs of each prompt are equal in all columns, the first of them its own."""
    order = np.lexsort(columns[::-1])
    rows = [column[order] for column in columns]
    starts = np.flatnonzero(run_starts(*rows))
    sizes = np.diff(np.append(starts, len(order)))
    # Sums of whole numbers in floats are exact to 2**53.
    counts = np.bincount(rows[0][starts], sizes * (sizes - 1) // 2, prompts)
    return counts.astype(np.int64)


def _inversions(of: Ints, place: Ints, values: Ints, prompts: int) -> Ints:
    """Return how many pairs of each prompt stand in falling order: merge sort, all prompts at once.

    Args:
        of: prompt of each row, not decreasing.
        place: place of the row within its prompt, from 0.
        values: whole numbers, in that order.
        prompts: how many.
    """
    found = np.zeros(prompts)
    span = int(values.max()) + 2
    width, longest = 1, int(place.max()) + 1
    while width < longest:
        # Blocks of 2 * width places, each known by the row at which it starts.
        block = np.arange(len(of)) - place % (2 * width)
        left = place % (2 * width) < width
        lower = np.sort(block[left] * span + values[left])
        keys = block[~left] * span
        beyond = np.searchsorted(lower, keys + span - 1, side="right")
        higher = beyond - np.searchsorted(lower, keys + values[~left], side="right")
        found += np.bincount(of[~left], higher, prompts)
        width *= 2
    return found.astype(np.int64)
