"""Prediction-powered inference for a mean score: PPI++ (Angelopoulos, Duchi and Zrnic,
arXiv 2311.01453, section 3 and the power tuning of section 6).

Where some responses have reference scores, the judge's scores of all the others make their mean
more precise without being trusted: ``λ·mean(judged, unlabelled) + mean(reference - λ·judged,
labelled)``. Its error is that of two independent means, whatever the judge is worth; ``λ`` in
[0, 1] is chosen to make it smallest, so a worthless judge gets 0 and does no harm. What is assumed
is that the labelled responses were drawn at random from all of them.

With one response a prompt this is the estimate of the authors' package. The interval differs in
what matters with few labels: errors are summed over prompts, ``λ`` is counted as fitted, and the
quantile is Student's.
"""

from __future__ import annotations

import msgspec
import numpy as np

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

LEAST_LABELLED = 2


class PredictionPowered(msgspec.Struct, frozen=True):
    """A mean score from labelled and unlabelled responses.

    Args:
        mean: the prediction-powered mean.
        labelled: the mean reference score of the labelled responses alone, for comparison.
        power: the tuning ``λ``: 0 ignores the judge, 1 takes its scores as they are.
        gain: variance of ``labelled`` over that of ``mean``: how many times as many labels the
            judge is worth; None where either has no spread.
    """

    mean: Measure
    labelled: Measure
    power: float
    gain: float | None


def prediction_powered_mean(
    reference: Floats,
    judged: Floats,
    prompts: Prompts,
    unlabelled: Floats,
    unlabelled_prompts: Prompts,
    *,
    power: float | None = None,
) -> PredictionPowered:
    """Return the prediction-powered mean.

    Args:
        reference: reference scores of the labelled responses, shape ``(n,)``.
        judged: the judge's scores of the same responses.
        prompts: their prompts.
        unlabelled: the judge's scores of the other responses, shape ``(N,)``.
        unlabelled_prompts: their prompts.
        power: ``λ``, if it is not to be chosen from the data.

    Raises:
        InputError: fewer than two labelled responses, no unlabelled one, or a score is NaN.
    """
    if len(reference) < LEAST_LABELLED or not len(unlabelled):
        raise InputError(
            f"{len(reference)} labelled and {len(unlabelled)} unlabelled responses",
            hint="prediction-powered inference needs two labelled ones and one unlabelled",
        )
    if any(np.isnan(values).any() for values in (reference, judged, unlabelled)):
        raise InputError("a score is unknown", hint="leave such responses out, and count them")
    weight = power_tuning(reference, judged, unlabelled) if power is None else power
    rectified, corrections, n = mean_influence(reference - weight * judged, prompts)
    if power is None and 0 < weight < 1:
        corrections = _without_self(corrections, judged, prompts)
    imputed, predictions, m = mean_influence(weight * unlabelled, unlabelled_prompts)
    result = t_interval(rectified + imputed, [corrections, predictions], items=n + m)
    alone = mean(reference, prompts)
    return PredictionPowered(result, alone, weight, _gain(alone, result))


def power_tuning(reference: Floats, judged: Floats, unlabelled: Floats) -> float:
    """Return the ``λ`` of least variance, clipped to [0, 1].

    ``cov(reference, judged) / ((1 + n/N)·var(judged))`` with the variance over all responses.
    """
    n, m = len(reference), len(unlabelled)
    covariance = float(np.mean((reference - reference.mean()) * (judged - judged.mean())))
    variance = float(np.var(np.concatenate([judged, unlabelled]), ddof=1))
    return float(np.clip(covariance / ((1 + n / m) * variance), 0, 1)) if variance > 0 else 0.0


def _without_self(influence: Influence, judged: Floats, prompts: Prompts) -> Influence:
    """Undo that each labelled prompt pulled the fitted ``λ`` towards itself.

    Divided by one minus its leverage on a slope, a residual is what leaving the prompt out would
    show (MacKinnon and White, *Journal of Econometrics* 29, 1985); left alone, the interval covers
    93.8-94.4% with 25 to 50 labelled prompts.
    """
    deviation = prompts.sums((judged - judged.mean()) ** 2)
    leverage = deviation / deviation.sum()
    return Influence(influence.names, influence.values / (1 - np.minimum(leverage, 0.5)))


def _gain(alone: Measure, result: Measure) -> float | None:
    if alone.interval is None or result.interval is None:
        return None
    (a, b), (c, d) = alone.interval, result.interval
    return ((b - a) / (d - c)) ** 2 if d > c else None
