"""Scores corrected for a judge's errors, after Rogan and Gladen.

A judge that finds a share ``se`` of what is met and passes a share ``1 - sp`` of what is not turns
a true pass rate ``m`` into ``q = se·m + (1 - sp)(1 - m)``; so ``m = (q + sp - 1)/(se + sp - 1)``
(Rogan and Gladen, *American Journal of Epidemiology* 107, 1978). A mean score is a
weighted sum of pass rates, ``Σ_c (w_c/W) v_c`` averaged over responses, and the equation is linear,
so it holds with weights as it stands: with ``Q`` the mean weighted credit the judge gives and ``A``
the mean weight there is, ``M = (Q - (1 - sp)·A)/(se + sp - 1)``. Here ``se`` and ``1 - sp`` are the
mean credit given to what is met and to what is not, so soft verdicts need nothing else, and both
are weighted as the score weighs them: errors that fall on the heavy criteria count for more.

Merits and penalties are corrected apart (a judge errs differently on them) and added up. What is
assumed is that the judge errs on the new responses as often as on the labelled ones.

The interval is the first-order one with the variance of *both* samples (Lang and Reiczigel,
*Preventive Veterinary Medicine* 113, 2014, on why the calibration's must be in it), summed over
prompts; a prompt that is in both counts once, with both parts.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.certify.measure import (
    Floats,
    Influence,
    Measure,
    Prompts,
    mean,
    mean_influence,
    t_interval,
)
from rubricbench.errors import InputError

LEAST_POWER = 0.05  # a judge whose se + sp - 1 is not above this tells met from unmet by chance
LEAST_CLASS = 10  # labelled verdicts of either kind, in a stratum of its own


class Graded(msgspec.Struct, frozen=True):
    """Verdicts as arrays, one entry for each response and criterion.

    Args:
        prompts: the prompt of each.
        response: number of the response each belongs to, 0 to ``responses - 1``.
        share: what the criterion contributes to the score when met, ``w_c/W``; negative: penalty.
        credit: what the judge gave, 0 to 1; NaN where unknown.
        reference: the truth, 0 or 1; NaN where unknown.
        exact: verdicts of a program: nothing is learnt from them, and they are not corrected; None
            where there is none.
    """

    prompts: Prompts
    response: NDArray[np.int64]
    share: Floats
    credit: Floats
    reference: Floats
    exact: NDArray[np.bool_] | None = None

    @property
    def by_judge(self) -> NDArray[np.bool_]:
        """Which verdicts are a judge's."""
        return np.ones(len(self.share), dtype=bool) if self.exact is None else ~self.exact

    @property
    def responses(self) -> int:
        """How many responses there are."""
        return int(self.response.max()) + 1 if len(self.response) else 0


class Rates(msgspec.Struct, frozen=True):
    """A judge's error rates on one kind of criteria, with what each prompt adds to their error.

    Args:
        met: mean credit given to criteria that are met (sensitivity).
        unmet: mean credit given to those that are not (1 - specificity).
        met_influence: of ``met``.
        unmet_influence: of ``unmet``.
        pooled: whether they are those of all criteria, this kind having too few labels.
        items: labelled verdicts behind them.
    """

    met: float
    unmet: float
    met_influence: Influence
    unmet_influence: Influence
    pooled: bool
    items: int

    @property
    def power(self) -> float:
        """Youden's index ``se + sp - 1``: 1 for a perfect judge, 0 for a coin."""
        return self.met - self.unmet


class Corrected(msgspec.Struct, frozen=True):
    """A mean score before and after correction.

    Args:
        judged: mean score the judge gave, over responses without unknown verdicts.
        corrected: its correction, from the judge's error rates.
        bounds: the same with unknown verdicts turned against and for the responses; equal ends
            where none is unknown.
        unknown: share of the absolute weight whose verdict is unknown.
        pooled: kinds of criteria corrected with the rates of all, having too few labels of their
            own.
    """

    judged: Measure
    corrected: Measure
    bounds: tuple[float, float]
    unknown: float
    pooled: tuple[str, ...] = ()


KINDS = ("merits", "penalties")


def error_rates(labelled: Graded) -> dict[str, Rates]:
    """Return the judge's error rates on merits and on penalties.

    Raises:
        InputError: the labels hold too few verdicts of either kind, or the judge is no better than
            a coin: nothing can be corrected with it.
    """
    everything = np.ones(len(labelled.share), dtype=bool)
    pooled = _rates(labelled, everything, pooled=True)
    if pooled is None:
        raise InputError(
            f"fewer than {LEAST_CLASS} labelled verdicts that are met, or that are not",
            hint="label more responses, good and bad ones",
        )
    masks = (labelled.share > 0, labelled.share < 0)
    found = {}
    for kind, mask in zip(KINDS, masks, strict=True):
        own = _rates(labelled, mask, pooled=False)
        rates = own if own is not None and own.power > LEAST_POWER else pooled
        if rates.power <= LEAST_POWER:
            raise InputError(
                f"the judge tells met from unmet no better than chance (Youden's index "
                f"{rates.power:.3f})",
                hint="its scores cannot be corrected; take another judge",
            )
        found[kind] = rates
    return found


def _rates(labelled: Graded, mask: NDArray[np.bool_], *, pooled: bool) -> Rates | None:
    known = mask & ~np.isnan(labelled.credit) & labelled.by_judge
    met, unmet = known & (labelled.reference == 1), known & (labelled.reference == 0)
    if min(int(met.sum()), int(unmet.sum())) < LEAST_CLASS:
        return None
    weights = np.abs(labelled.share)
    rates = [
        mean_influence(labelled.credit, labelled.prompts, np.where(group, weights, 0.0))
        for group in (met, unmet)
    ]
    (se, se_influence, _), (fp, fp_influence, _) = rates
    items = int(met.sum() + unmet.sum())
    return Rates(se, fp, se_influence, fp_influence, pooled, items)


def corrected_mean(target: Graded, rates: dict[str, Rates]) -> Corrected:
    """Return the mean score of responses, corrected.

    Args:
        target: the verdicts to be corrected; references are not looked at.
        rates: from `error_rates` on labelled verdicts of the same judge, asked the same way.

    Raises:
        InputError: there are no responses.
    """
    if not target.responses:
        raise InputError("no responses to correct")
    known = ~np.isnan(target.credit)
    size = np.abs(target.share)
    low, parts = _corrected(target, rates, np.where(target.share < 0, 1.0, 0.0))
    high, _ = _corrected(target, rates, np.where(target.share < 0, 0.0, 1.0))
    measure = t_interval(low, parts, items=target.responses, prompts=len(target.prompts))
    if high != low:
        measure = msgspec.structs.replace(
            measure, value=None, high=None if measure.high is None else measure.high + high - low
        )
    return Corrected(
        judged=mean_of_scores(target, target.credit),
        corrected=measure,
        bounds=(low, high),
        unknown=float(size[~known].sum() / size.sum()),
        pooled=tuple(kind for kind, rate in rates.items() if rate.pooled and _has(target, kind)),
    )


def _has(target: Graded, kind: str) -> bool:
    return bool(((target.share > 0) if kind == "merits" else (target.share < 0)).any())


def _corrected(
    target: Graded, rates: dict[str, Rates], filling: Floats
) -> tuple[float, list[Influence]]:
    """Return the corrected mean with unknown *truths* filled in, and its influences."""
    known = ~np.isnan(target.credit)
    judged = known & target.by_judge
    amounts = np.where(judged, 0.0, target.share * np.where(known, target.credit, filling))
    parts: list[Influence] = []
    for kind, sign in zip(KINDS, (1, -1), strict=True):
        mask, rate = judged & (np.sign(target.share) == sign), rates[kind]
        share = np.where(mask, target.share, 0.0)
        credit = np.where(mask, target.credit, 0.0)
        own = share * (credit - rate.unmet) / rate.power
        amounts = amounts + own
        weight, score = float(share.sum()) / target.responses, float(own.sum()) / target.responses
        # The derivatives of M = (Q - fp·A)/(se - fp) by se and by fp.
        parts.append(_scaled(rate.met_influence, -score / rate.power))
        parts.append(_scaled(rate.unmet_influence, (score - weight) / rate.power))
    value = float(amounts.sum()) / target.responses
    return value, [_together(parts), _over_responses(target, amounts, value)]


def _scaled(influence: Influence, factor: float) -> Influence:
    return Influence(influence.names, influence.values * factor)


def _together(parts: Sequence[Influence]) -> Influence:
    """Add influences of one sample up, so that they count as one in the degrees of freedom."""
    names, of = np.unique(np.concatenate([p.names for p in parts]), return_inverse=True)
    values = np.bincount(of, np.concatenate([p.values for p in parts]), len(names))
    return Influence(names, values.astype(np.float64))


def _over_responses(target: Graded, amounts: Floats, value: float) -> Influence:
    """What each prompt adds to the error of a mean over responses of summed amounts."""
    counted = np.bincount(_response_prompts(target), minlength=len(target.prompts))
    added = (target.prompts.sums(amounts) - value * counted) / target.responses
    return Influence.of(target.prompts.names, added)


def _response_prompts(target: Graded) -> NDArray[np.int64]:
    of = np.zeros(target.responses, dtype=np.int64)
    of[target.response] = target.prompts.of
    return of


def mean_of_scores(target: Graded, values: Floats) -> Measure:
    """Return the mean score that values, one per verdict, make over fully known responses."""
    sums = np.bincount(target.response, target.share * values, target.responses)
    prompts = Prompts(target.prompts.names[_response_prompts(target)])
    return mean(sums.astype(np.float64), prompts)
