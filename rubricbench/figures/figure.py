"""What a chart shows, apart from how it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """One axis.

    Args:
        label: what it measures, with its unit.
        scale: linear or logarithmic.
        low: least value shown; None for what the data need.
        high: greatest value shown.
        percent: whether values are shares to be printed as percentages.
    """

    label: str
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None
    percent: bool = False


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Points that belong together, with a band or whiskers if they have intervals.

    Args:
        name: for the legend.
        x: increasing where they are joined.
        y: same length; None leaves a gap.
        low: lower ends, same length; empty for none. None where a point has no interval.
        high: upper ends.
        kind: ``line`` (band, small marks), ``points`` (whiskers) or ``bars`` (whiskers).
        style: number that sets shape, dash and colour; series of one arm share it.
        secondary: drawn lighter, a line without markers, such as theory under data.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    kind: Literal["line", "points", "bars"] = "line"
    style: int = 0
    secondary: bool = False

    def __post_init__(self) -> None:
        for name in ("y", "low", "high"):
            values = getattr(self, name)
            if len(values) != len(self.x) and (name == "y" or len(values)):
                raise ValueError(f"{self.name}: {len(values)} values of {name}, {len(self.x)} of x")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A place on the x axis worth naming, such as an onset.

    Args:
        x: where.
        text: what is there, in a few words.
        style: as of its series.
    """

    x: float
    text: str
    style: int = 0


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One chart.

    Args:
        name: stem of its files, ``[a-z0-9_]+``.
        title: what it shows, in a line.
        caption: what is to be seen, and how it was made; for readers and for screen readers.
        x: horizontal axis.
        y: vertical axis.
        series: what is drawn, in the order of the legend.
        marks: places on the x axis.
        categories: names of x = 0, 1, 2, …, where x is not a number.
    """

    name: str
    title: str
    caption: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    categories: tuple[str, ...] = ()

    def rows(self) -> Iterator[dict[str, str | float | None]]:
        """Return the data of the chart, one row a point: series, x, y, low, high."""
        for series in self.series:
            empty: list[None] = [None] * len(series.x)
            ends = zip(series.low or empty, series.high or empty, strict=True)
            for x, y, (low, high) in zip(series.x, series.y, ends, strict=True):
                at = self.categories[int(x)] if self.categories else x
                yield {"series": series.name, "x": at, "y": y, "low": low, "high": high}
