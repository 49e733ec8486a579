"""Intervals of shares of prompts or pairs: Wilson's, at the effective sample size.

A share near 0 or 1 has a skewed distribution, and one of exactly 0 or 1 no spread at all, where
Student's interval would shrink to a point. Wilson's (1927) has neither fault. Its sample size is
the one at which independent trials would have the variance seen between prompts, with Student's t
in place of z (Korn and Graubard, Survey Methodology 24, 1998, did so for the exact interval).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from scipy import special

from rubricbench.metrics.resample import Replicates
from rubricbench.metrics.result import Caution, Method, Result

_FLAT = 1e-12
_MENDED = ("constant", "heavy_tail")  # cautions of Student's interval that do not hold for Wilson's


def proportions(
    draws: Replicates,
    names: Sequence[str],
    *,
    items: int = 0,
    why: str = "not defined on these data",
    warnings: Sequence[Caution] = (),
) -> list[Result]:
    """Return one `Result` a column of shares in [0, 1], with Wilson's interval.

    Args:
        draws: of the shares, from `Bootstrap.means`; resamples are not needed.
        names: one for each column.
        items: samples, pairs or rows behind each.
        why: the reason to give where a column has no value.
        warnings: to be added to those found here.
    """
    errors = draws.standard_error()
    found = draws.results(names, items=items, why=why, warnings=warnings)
    return [_wilson(result, float(error)) for result, error in zip(found, errors, strict=True)]


def _wilson(result: Result, error: float) -> Result:
    p = result.estimate
    if p is None or result.interval is None:
        return result
    if 0 < p < 1 and error <= _FLAT:
        return result
    # At 0 or 1 no spread can be seen: the number of prompts is the size, the cautious choice.
    size = p * (1 - p) / error**2 if 0 < p < 1 else float(result.n)
    t2 = float(special.stdtrit(result.n - 1, (1 + result.level) / 2)) ** 2
    centre = (p + t2 / (2 * size)) / (1 + t2 / size)
    half = math.sqrt(t2 * (p * (1 - p) / size + t2 / (4 * size * size))) / (1 + t2 / size)
    return msgspec.structs.replace(
        result,
        low=0.0 if p <= 0 else min(max(centre - half, 0.0), p),
        high=1.0 if p >= 1 else max(min(centre + half, 1.0), p),
        method=Method.WILSON,
        warnings=tuple(c for c in result.warnings if c.code not in _MENDED),
    )
