"""A series as a renderer needs it: points with what is missing as None, in one place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rubricbench.figures.figure import Figure, Series
from rubricbench.report.text import visible

NAME_CHARS = 60


@dataclass(frozen=True)
class Point:
    """One point of a series; what is not a finite number is None.

    Args:
        x: where it stands.
        y: its value.
        low: lower end of its interval.
        high: upper end.
    """

    x: float
    y: float | None
    low: float | None
    high: float | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None where either is missing."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def heights(self) -> tuple[float | None, ...]:
        """Everything the y axis must have room for."""
        return (self.y, *(self.interval or ()))


def points(series: Series) -> list[Point]:
    """Return the points of a series, those without a finite x left out."""
    empty: list[None] = [None] * len(series.x)
    rows = zip(series.x, series.y, series.low or empty, series.high or empty, strict=True)
    return [Point(x, _finite(y), _finite(a), _finite(b)) for x, y, a, b in rows if math.isfinite(x)]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def lone(found: Sequence[Point]) -> Iterator[Point]:
    """Return the points between two gaps: a line does not show them, nor a band their interval."""
    ys = [None, *(p.y for p in found), None]
    for p, before, after in zip(found, ys, ys[2:], strict=False):
        if before is None and after is None:
            yield p


def empty(figure: Figure) -> bool:
    """Whether there is nothing to draw."""
    return not any(p.y is not None for series in figure.series for p in points(series))


def short(text: str, most: int = NAME_CHARS) -> str:
    """Return a text on one line, made visible, and cut with a sign where it is too long."""
    line = " ".join(visible(text[: 10 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"
