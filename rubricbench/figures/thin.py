"""Fewer points for the same picture: what cannot be seen need not be in the file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

GRID = 1000  # of a drawing's coordinates, about a pixel each
MOST = 240  # corners of one line; beyond this, the least of them go

Point = tuple[float, float]


def corners(points: Sequence[Point], *, tolerance: float = 0.7, most: int = MOST) -> list[Point]:
    """Return the corners of a line, in units of the grid, none further off than it seems.

    Ramer (1972), Douglas and Peucker (1973), by vertical distance, since a chart's line is a
    function of x. The tolerance doubles until at most ``most`` corners are left.
    """
    kept = list(points)
    while True:
        kept = _simplified(kept, tolerance)
        if len(kept) <= most:
            return kept
        tolerance *= 2


def _simplified(points: Sequence[Point], tolerance: float) -> list[Point]:
    if len(points) < 3:
        return list(points)
    xs, ys = np.array(points, dtype=float).T
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        width = xs[last] - xs[first]
        along = (xs[inner] - xs[first]) / width if width else np.zeros(last - first - 1)
        off = np.abs(ys[inner] - ys[first] - along * (ys[last] - ys[first]))
        worst = int(off.argmax())
        if off[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return [p for p, kept in zip(points, keep, strict=True) if kept]


def spread(number: int, most: int) -> list[int]:
    """Return at most ``most`` of ``number`` places, evenly spread, first and last among them."""
    if number <= most:
        return list(range(number))
    return [round(i * (number - 1) / (most - 1)) for i in range(most)]
