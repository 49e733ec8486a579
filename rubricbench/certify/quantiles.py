"""Quantiles of Student's t and the normal distribution, without loading scipy."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

LEVEL = 0.95
SERIES_LIMIT = 400  # degrees of freedom up to which the exact series is summed


def normal_quantile(level: float = LEVEL) -> float:
    """Return z with P(|Z| <= z) = level."""
    return NormalDist().inv_cdf((1 + level) / 2)


@functools.lru_cache(maxsize=4096)
def t_quantile(df: int, level: float = LEVEL) -> float:
    """Return t with P(|T| <= t) = level for Student's t with ``df`` degrees of freedom.

    Up to `SERIES_LIMIT` degrees by bisection of the exact finite series (Abramowitz and Stegun,
    26.7.3 and 26.7.4); beyond, by their expansion 26.7.5, whose error there is below 1e-9.
    """
    if df < 1:
        raise ValueError("Student's t needs a degree of freedom")
    if df > SERIES_LIMIT:
        return _expansion(df, normal_quantile(level))
    low, high = 0.0, math.pi / 2  # of the angle whose tangent is t / sqrt(df)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, df) < level else (low, middle)
    return math.tan((low + high) / 2) * math.sqrt(df)


def _inside(angle: float, df: int) -> float:
    """Return P(|T| <= sqrt(df) tan(angle))."""
    cosine = math.cos(angle)
    term = cosine if df % 2 else 1.0
    total = term if df > 1 else 0.0
    for k in range(2 + df % 2, df - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if df % 2 else total


def _expansion(df: int, z: float) -> float:
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / df + second / df**2 + third / df**3
