"""Tracks: one row of a table drawn along a shared axis, with points, bars and intervals.

The table that holds the tracks is the chart's text alternative, so the drawings are hidden from
screen readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rubricbench.report.bootstrap import Estimate
from rubricbench.report.charts.markers import Style, marker
from rubricbench.report.formats import tick
from rubricbench.report.model import SampleView
from rubricbench.report.svg import Scale, element, nice_scale, percentage

RATE_SCALE = Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
TRACK_HEIGHT = 26
LANE_HEIGHT = 18
POINT_OFFSET = 10  # between the points of one track, which may coincide


def score_scale(samples: Iterable[SampleView]) -> Scale:
    """Return the score axis: 0 to 1, wider where penalties or unknowns reach beyond."""
    lows, highs = zip(*((s.low, s.high) for s in samples), strict=True)
    return nice_scale(min(0.0, *lows), max(1.0, *highs))


def axis(scale: Scale, *, percent: bool = False) -> Markup:
    """Return the tick labels that stand above a column of tracks."""
    labels = []
    for i, value in enumerate(scale.ticks):
        anchor = "start" if i == 0 else "end" if i == len(scale.ticks) - 1 else "middle"
        text = f"{100 * value:.0f}%" if percent else tick(value)
        labels.append(element("text", text, x=scale.at(value), y=12, text_anchor=anchor))
    return element("svg", *labels, class_="axis", width="100%", height=16, aria_hidden="true")


@dataclass(frozen=True)
class Mark:
    """An estimate on a track.

    Args:
        estimate: what is drawn.
        style: whose it is.
        bar: whether it is drawn as a bar from zero, not as a point.
        whisker: whether its interval is drawn.
    """

    estimate: Estimate
    style: Style
    bar: bool = False
    whisker: bool = True


def track(scale: Scale, marks: Sequence[Mark]) -> Markup:
    """Return one row: bars in lanes of their own, points spread about the middle line."""
    bars = [mark for mark in marks if mark.bar]
    points = [mark for mark in marks if not mark.bar]
    drawn = [
        draw(scale, mark, y)
        for lane, step in ((bars, LANE_HEIGHT), (points, POINT_OFFSET))
        for mark, y in zip(lane, _offsets(len(lane), step), strict=True)
    ]
    height = max(TRACK_HEIGHT, LANE_HEIGHT * len(bars))
    # The marks hang on a nested drawing at half height, so that a style sheet may stretch the row.
    middle = element("svg", *drawn, y="50%")
    grid = [
        element("line", x1=scale.at(v), x2=scale.at(v), y1=0, y2="100%", class_="grid")
        for v in scale.ticks
    ]
    return element(
        "svg", *grid, middle, class_="track", width="100%", height=height, aria_hidden="true"
    )


def _offsets(number: int, step: float) -> list[float]:
    return [(i - (number - 1) / 2) * step for i in range(number)]


def draw(scale: Scale, mark: Mark, y: float) -> Markup:
    """Return a mark at height ``y``: what is unknown stretches from its low to its high bound."""
    estimate, parts = mark.estimate, []
    if mark.bar:
        parts.append(_bar(scale, 0.0, estimate.low, y, "bar"))
        if estimate.value is None:
            parts.append(_bar(scale, estimate.low, estimate.high, y, "bar unsure"))
    elif estimate.value is None:
        parts.append(_line(scale, estimate.low, estimate.high, y, "bounds"))
    if mark.whisker and estimate.interval:
        parts.extend(_whisker(scale, estimate.interval, y))
    if not mark.bar:
        parts.append(marker(mark.style, scale.at((estimate.low + estimate.high) / 2), y))
    return element("g", *parts, class_=mark.style.tone)


def _bar(scale: Scale, start: float, end: float, y: float, name: str) -> Markup:
    left, right = sorted((scale.share(start), scale.share(end)))
    return element(
        "rect", x=percentage(left), width=percentage(right - left), y=y - 5, height=10, class_=name
    )


def _line(scale: Scale, start: float, end: float, y: float, name: str) -> Markup:
    return element("line", x1=scale.at(start), x2=scale.at(end), y1=y, y2=y, class_=name)


def _whisker(scale: Scale, ends: tuple[float, float], y: float) -> list[Markup]:
    caps = [
        element("line", x1=scale.at(v), x2=scale.at(v), y1=y - 4, y2=y + 4, class_="whisker")
        for v in ends
    ]
    return [_line(scale, *ends, y, "whisker"), *caps]
