"""How far a judge's verdicts agree with the reference: from counts per prompt, all at once.

Counts stand in the order `CELLS`; "positive" is met. Sensitivity is the share of what is met that
the judge finds met, specificity the share of what is not met that it finds unmet. Cohen's kappa
(Cohen 1960) is agreement beyond chance; the Matthews correlation (Matthews 1975) is the phi
coefficient of the four counts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rubricbench.certify.measure import (
    Floats,
    Measure,
    Method,
    Prompts,
    t_quantile,
    wilson_by_prompt,
)

CELLS = ("true_positive", "false_positive", "false_negative", "true_negative")
RATES = {"sensitivity": (0, 2), "specificity": (3, 1), "precision": (0, 1)}  # hits, misses
OVERALL = ("balanced_accuracy", "kappa", "mcc")
FLAT = 1e-12


def confusion(reference: NDArray[np.bool_], judged: NDArray[np.bool_], prompts: Prompts) -> Floats:
    """Return the counts per prompt, shape ``(prompts, 4)``, in the order of `CELLS`."""
    cells = (
        reference & judged,
        ~reference & judged,
        reference & ~judged,
        ~reference & ~judged,
    )
    return np.stack([prompts.sums(cell) for cell in cells], axis=-1)


def overall(counts: Floats) -> Floats:
    """Return balanced accuracy, kappa and Matthews' correlation of counts.

    Args:
        counts: shape ``(..., 4)``.

    Returns:
        shape ``(..., 3)`` in the order of `OVERALL`; NaN where undefined: balanced accuracy without
        both kinds of reference, the other two also where judge and reference are both constant.
    """
    tp, fp, fn, tn = np.moveaxis(counts, -1, 0)
    n = tp + fp + fn + tn
    with np.errstate(divide="ignore", invalid="ignore"):
        balanced = (tp / (tp + fn) + tn / (tn + fp)) / 2
        chance = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / n**2
        kappa = ((tp + tn) / n - chance) / (1 - chance)
        scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        mcc = (tp * tn - fp * fn) / scale
    return np.stack([balanced, kappa, mcc], axis=-1)


def agreement(counts: Floats) -> dict[str, Measure]:
    """Return every measure of agreement with its interval.

    Args:
        counts: shape ``(prompts, 4)``.
    """
    counts = counts[counts.sum(axis=1) > 0]
    measures = {name: _rate(counts[:, hit], counts[:, miss]) for name, (hit, miss) in RATES.items()}
    measures["accuracy"] = _rate(counts[:, [0, 3]].sum(axis=1), counts[:, [1, 2]].sum(axis=1))
    return {**measures, **_jackknife(counts)}


def _rate(hits: Floats, misses: Floats) -> Measure:
    trials = hits + misses
    return wilson_by_prompt(hits[trials > 0], trials[trials > 0])


def _jackknife(counts: Floats) -> dict[str, Measure]:
    """Delete-one-prompt jackknife (Efron and Tibshirani 1993, chapter 11) with Student's t.

    The interval is made on Fisher's scale, artanh, where correlation-like measures are closer to
    normal, and mapped back; that keeps it inside [-1, 1].
    """
    prompts, items = len(counts), int(counts.sum())
    total = counts.sum(axis=0)
    values = overall(total)
    without = overall(total - counts)
    measures = {}
    for i, name in enumerate(OVERALL):
        value = float(values[i])
        if not math.isfinite(value):
            measures[name] = Measure(None, items=items, prompts=prompts)
            continue
        ends = _fisher(value, without[:, i])
        method = Method.JACKKNIFE if ends else Method.NONE
        low, high = ends or (None, None)
        measures[name] = Measure(value, low, high, items, prompts, method)
    return measures


def _fisher(value: float, without: Floats) -> tuple[float, float] | None:
    prompts = len(without)
    if prompts < 2 or not np.isfinite(without).all() or abs(value) >= 1:
        return None
    deviation = without - without.mean()
    error = math.sqrt((prompts - 1) / prompts * float(deviation @ deviation))
    if error < FLAT:
        return None
    centre, half = math.atanh(value), t_quantile(prompts - 1) * error / (1 - value * value)
    return math.tanh(centre - half), math.tanh(centre + half)
