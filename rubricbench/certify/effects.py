"""What a judge's errors go along with: a criterion's place in the list, a response's length.

Each effect is the slope of the judge's error, ``credit - reference`` (its leaning towards met), on
one variable, with the reference beside it in a linear fit: early criteria are often the ones that
are met, and a judge that errs on those would otherwise seem to mind the place. Intervals are
cluster-robust (`regress`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rubricbench.certify.measure import Floats, Measure, Prompts
from rubricbench.certify.regress import least_squares

LEAST_PROMPTS = 3

Strings = NDArray[np.str_]


def slope(error: Floats, variable: Floats, reference: Floats, prompt_ids: Strings) -> Measure:
    """Return the change of the error per unit of a variable; no value where it does not vary.

    Args:
        error: shape ``(n,)``; NaN rows are left out.
        variable: likewise.
        reference: 0 or 1, likewise.
        prompt_ids: the prompt of each row.
    """
    known = ~(np.isnan(error) | np.isnan(variable) | np.isnan(reference))
    prompts = Prompts(prompt_ids[known])
    rows = int(known.sum())
    if len(prompts) < LEAST_PROMPTS:
        return Measure(None, items=rows, prompts=len(prompts))
    columns = [np.ones(rows), variable[known]]
    if len(np.unique(reference[known])) > 1:
        columns.append(reference[known])
    fit = least_squares(np.stack(columns, axis=1), error[known], prompts)
    if fit is None:
        return Measure(None, items=rows, prompts=len(prompts))
    return fit.coefficient(1)


def place(position: Floats, size: Floats) -> Floats:
    """Return where criteria stand in the list a judge reads: 0 the first, 1 the last.

    Args:
        position: 0-based.
        size: length of the list; of one entry, the place is NaN.
    """
    steps = np.where(size > 1, size - 1, 1)
    return np.where(size > 1, position / steps, np.nan).astype(np.float64)


def doublings(words: Floats) -> Floats:
    """Return the length in doublings, log2 of words (of an empty response: of one word)."""
    return np.log2(np.maximum(words, 1.0))
