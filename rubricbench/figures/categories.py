"""Charts over names: one row for each, long names and many of them included.

The values go to the right, so that a name has the width of the page, on a phone too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from rubricbench.figures.data import Point, points, short
from rubricbench.figures.figure import Figure, Series
from rubricbench.figures.plot import Frame, at, told
from rubricbench.figures.scale import Scale, fit
from rubricbench.figures.styles import look
from rubricbench.report.svg import element

NAME_HEIGHT, LANE, GAP = 20, 16, 10
NAME_CHARS = 44


def category_plot(figure: Figure, anchor: str) -> Frame:
    """Return the drawing of a figure whose x axis is a list of names."""
    of = [(series, points(series)) for series in figure.series]
    bars = any(series.kind == "bars" for series in figure.series)
    scale = fit(figure.y, [v for _, found in of for p in found for v in p.heights], zero=bars)
    row = NAME_HEIGHT + LANE * len(of) + GAP
    height = row * len(figure.categories)
    parts = list(_grid(scale))
    for i, name in enumerate(figure.categories):
        parts.append(_name(name, i * row + NAME_HEIGHT - 6))
    for lane, (series, found) in enumerate(of):
        drawn = [
            part
            for p in found
            if 0 <= p.x < len(figure.categories)
            for part in _value(
                figure, scale, series, p, row * p.x + NAME_HEIGHT + LANE * (lane + 0.5), anchor
            )
        ]
        lighter = " lighter" if series.secondary else ""
        parts.append(element("g", *drawn, class_=f"marks {look(series.style).classes}{lighter}"))
    return Frame(parts=parts, height=height, wide=2, rows=0, below=figure.y.label)


def _name(name: str, y: float) -> Markup:
    shown = short(name, NAME_CHARS)
    whole = () if shown == name else (element("title", short(name, 400)),)
    return element("text", *whole, shown, x=0, y=y, class_="category")


def _grid(scale: Scale) -> Iterator[Markup]:
    for value, text in zip(scale.ticks, scale.labels, strict=True):
        x = at(scale.share(value))
        name = "baseline" if value == 0 else "grid"
        yield element("line", x1=x, x2=x, y1=0, y2="100%", class_=name)
        yield element("text", text, x=x, y="100%", dy="1.5em", class_="tick-below")
    yield element("line", x1=0, x2="100%", y1="100%", y2="100%", class_="baseline")


def _value(
    figure: Figure, scale: Scale, series: Series, point: Point, y: float, anchor: str
) -> Sequence[Markup]:
    if point.y is None or not scale.holds(point.y):
        return [element("text", "no value", x=0, y=y, dy=".32em", class_="no-value")]
    parts = []
    if series.kind == "bars":
        zero = min(max(scale.share(0.0), 0.0), 1.0) if not scale.log else 0.0
        low, high = sorted((zero, scale.share(point.y)))
        parts.append(
            element("rect", x=at(low), width=at(high - low), y=y - 5, height=10, class_="bar")
        )
    if point.interval:
        ends = [at(min(max(scale.share(v), 0.0), 1.0)) for v in point.interval]
        parts.append(element("line", x1=ends[0], x2=ends[1], y1=y, y2=y, class_="whisker"))
        parts += [element("line", x1=x, x2=x, y1=y - 4, y2=y + 4, class_="whisker") for x in ends]
    title = element("title", told(figure, series, point))
    href = f"#{anchor}-{look(series.style).shape}"
    parts.append(element("use", title, href=href, x=at(scale.share(point.y)), y=y))
    return parts
