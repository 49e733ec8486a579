"""Several claims at once: Holm's step-down adjustment of p-values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(pvalues: Sequence[float] | Floats) -> Floats:
    """Return Holm's adjusted p-values, in the order given.

    Rejecting the hypotheses whose adjusted value is at most alpha makes a false claim with a
    probability of at most alpha, however the tests depend on each other (Holm 1979, Scandinavian
    Journal of Statistics 6).

    Args:
        pvalues: shape ``(k,)``, each in [0, 1].

    Raises:
        ValueError: a p-value outside [0, 1] (NaN is).
    """
    p = np.asarray(pvalues, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values are a list of numbers from 0 to 1")
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
