"""Agreement of a rubric with preferences where rewards are high, and where they are low.

Table 2 of Chasing the Tail (arXiv 2509.21500): pairs of responses both sampled from a strong model
make the high-reward region, pairs both from the base policy the low one. A rubric's verdicts vary
from grading to grading, so each pair is graded five times and the majority decides whether the
rubric prefers the response that the judge prefers; a tie counts as wrong.

This is not tail accuracy (`rubricbench.metrics.tail`), which stays within one policy's samples and
places them by gold.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.agreement import Agreement, from_shares, known_rows
from rubricbench.metrics.comparisons import means_of, numbers, run_starts
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result, caution

HIGH, LOW = "high", "low"
GRADINGS = 5

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Majority(StrEnum):
    """When the gradings of a pair agree with its preference."""

    STRICT = "strict"  # more than half of all gradings, ties among them, do
    PLURALITY = "plurality"  # more gradings do than do the opposite; ties abstain


class RegionAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement in both regions. ``ties_as_wrong`` is the figure of Table 2.

    Args:
        high: both responses from the strong model.
        low: both from the base policy.
        difference: of ``ties_as_wrong``, high less low, over the prompts that have both.
    """

    high: Agreement
    low: Agreement
    difference: Result


def region_agreement(
    prompt_ids: Any,
    regions: Any,
    score_1: Any,
    score_2: Any,
    preference: Any,
    boot: Bootstrap | None = None,
    *,
    pair_ids: Any = None,
    gradings: int | None = GRADINGS,
    majority: Majority = Majority.STRICT,
    unknown: str = "refuse",
) -> RegionAgreement:
    """Return the agreement of a rubric's scores with a judge's preferences, by region.

    One row is one grading of one pair: of ``gradings`` rows, each with its own two scores.

    Args:
        prompt_ids: one id a row.
        regions: ``high`` or ``low``.
        score_1: the rubric's score of the first response in this grading; NaN is unknown.
        score_2: of the second.
        preference: the judge's: 1 where the first response is better, 0 where the second. Where
            it was judged for every grading anew, the majority of a pair's rows counts; pairs
            without one are left out, and counted.
        boot: over the sorted ids of all prompts.
        pair_ids: which pair of the prompt in this region; None: one.
        gradings: how many rows a pair must have; None: any number.
        majority: when the gradings agree with the preference.
        unknown: ``refuse`` a row with an unknown number (and a pair that lacks a grading), or
            ``drop`` the whole pair and count it.

    Raises:
        InputError: another region, unequal lengths, a preference outside [0, 1], an unknown number
            or a missing grading to be refused, too many gradings, or nothing left.
    """
    rows = _Rows.of(prompt_ids, regions, pair_ids, score_1, score_2, preference, unknown)
    complete = _complete(rows, gradings, unknown)
    judged = np.sign(np.bincount(rows.pair, np.sign(rows.preference - 0.5), len(rows.prompt)))
    keep = complete & (judged != 0)
    if not keep.any():
        raise InputError("no pair with all its gradings and a preference")
    vote = _votes(rows, judged, majority)
    boot = boot or Bootstrap(rows.prompts, resamples=0)
    left = {"lack a grading": ~complete, "have no preference": complete & (judged == 0)}
    columns, found = [], []
    for high in (True, False):
        here = rows.high == high
        of, side = rows.prompt[here & keep], vote[here & keep]
        shares = np.stack(
            [means_of(of, (side == s).astype(float), len(rows.prompts)) for s in (1, 0)], axis=1
        )
        columns.append(shares[:, 0])
        warnings = [
            caution("left_out", f"{int((out & here).sum()):,} pairs {why}")
            for why, out in left.items()
            if (out & here).any()
        ]
        prefix = f"{HIGH if high else LOW}_"
        found.append(from_shares(shares, boot, items=len(of), warnings=warnings, prefix=prefix))
    return RegionAgreement(high=found[0], low=found[1], difference=_difference(columns, boot))


@dataclass(frozen=True)
class _Rows:
    """Gradings, and the pairs they are on.

    Args:
        pair: index of the pair of each row, shape ``(R,)``.
        side: sign of the first score less the second.
        preference: the judge's.
        known: whether the row has all its numbers.
        prompts: ids, sorted, shape ``(P,)``.
        prompt: index of the prompt of each pair, shape ``(K,)``.
        high: whether the pair is of the high region.
        names: prompt, region and pair, for messages, ``(K, 3)``.
    """

    pair: Ints
    side: Floats
    preference: Floats
    known: NDArray[np.bool_]
    prompts: NDArray[np.str_]
    prompt: Ints
    high: NDArray[np.bool_]
    names: NDArray[np.str_]

    @classmethod
    def of(
        cls,
        prompt_ids: Any,
        regions: Any,
        pair_ids: Any,
        score_1: Any,
        score_2: Any,
        preference: Any,
        unknown: str,
    ) -> _Rows:
        ids, region = np.asarray(prompt_ids, dtype=str), np.asarray(regions, dtype=str)
        pairs = np.zeros(len(ids), "U1") if pair_ids is None else np.asarray(pair_ids, dtype=str)
        if not len(ids) == len(region) == len(pairs):
            raise InputError(f"{len(ids):,} prompts, {len(region):,} regions, {len(pairs):,} pairs")
        other = ~np.isin(region, (HIGH, LOW))
        if other.any():
            raise InputError(f"region {str(region[other][0])!r}", hint=f"{HIGH} or {LOW}")
        given = {"score_1": score_1, "score_2": score_2, "preference": preference}
        columns = {name: numbers(name, values, len(ids)) for name, values in given.items()}
        known = known_rows(columns, unknown)
        label = columns["preference"]
        if ((label < 0) | (label > 1)).any():
            raise InputError("a preference outside [0, 1]", hint="1: the first is better, 0: not")
        prompts, of = np.unique(ids, return_inverse=True)
        keys = [np.unique(c, return_inverse=True)[1] for c in (region, pairs)]
        order = np.lexsort((keys[1], keys[0], of))
        new = run_starts(of[order], keys[0][order], keys[1][order])
        pair = np.empty(len(ids), dtype=np.int64)
        pair[order] = np.cumsum(new) - 1
        at = order[new]
        return cls(
            pair=pair,
            side=np.nan_to_num(np.sign(columns["score_1"] - columns["score_2"])),
            preference=np.where(np.isnan(label), 0.5, label),
            known=known,
            prompts=prompts,
            prompt=of[at],
            high=region[at] == HIGH,
            names=np.stack([ids[at], region[at], pairs[at]], axis=1),
        )


def _complete(rows: _Rows, gradings: int | None, unknown: str) -> NDArray[np.bool_]:
    """Return which pairs have all their gradings, shape ``(K,)``."""
    number = np.bincount(rows.pair, minlength=len(rows.prompt))
    lacking = np.bincount(rows.pair, ~rows.known, len(rows.prompt)) > 0
    if gradings is None:
        return np.asarray(~lacking)
    many, few = number > gradings, number < gradings
    if many.any() or (few.any() and unknown == "refuse"):
        which = many if many.any() else few
        prompt, region, pair = rows.names[np.flatnonzero(which)[0]].tolist()
        raise InputError(
            f"{number[which][0]} gradings of the {region} pair {pair!r} of prompt {prompt!r} "
            f"({int(which.sum()):,} such), not {gradings}",
            hint="give pair_ids" if many.any() else "grade it again, or use unknown='drop'",
        )
    return np.asarray(~lacking & ~few)


def _votes(rows: _Rows, judged: Floats, majority: Majority) -> Floats:
    """Return, for each pair, whether its gradings agree (1), tie (0) or disagree (-1)."""
    side = rows.side * judged[rows.pair]
    right, wrong = (np.bincount(rows.pair, side == s, len(judged)) for s in (1, -1))
    if majority is Majority.PLURALITY:
        return np.asarray(np.sign(right - wrong))
    half = np.bincount(rows.pair, minlength=len(judged)) / 2
    return np.asarray((right > half).astype(float) - (wrong > half))


def _difference(columns: list[Floats], boot: Bootstrap) -> Result:
    name, difference = "agreement_high_less_low", columns[0] - columns[1]
    alone = int(np.isnan(difference).sum())
    detail = f"{alone:,} of {len(difference):,} prompts lack a pair in one region"
    warnings = [caution("left_out", detail)] if alone else []
    why = "no prompt has pairs in both regions"
    draws = boot.means(difference)
    return draws.results([name], items=boot.n - alone, why=why, warnings=warnings)[0]
