"""A `Figure` as part of an HTML page: inline SVG that fills the page's width, and needs no colour.

The page's style sheets must include ``figures.css``. Nothing here has a style attribute or a
script, so a page may forbid both. Text and markers keep their size at any width, because they are
placed by percentages; lines and bands, which are paths, stand in a stretched drawing of their own.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from rubricbench.figures.categories import category_plot
from rubricbench.figures.data import empty, points, short
from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.figures.plot import Frame, value_plot
from rubricbench.figures.styles import look
from rubricbench.report.charts.markers import SHAPES
from rubricbench.report.formats import plural
from rubricbench.report.svg import element, join

_ANCHOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
KEY_WIDTH, KEY_HEIGHT = 36, 16
MOST_SPOKEN = 12  # series that the description for screen readers goes through


def inline(figure: Figure, *, anchor: str) -> Markup:
    """Return a ``<figure>``: title, legend, drawing and caption.

    Args:
        figure: what it shows. Of a logarithmic axis, values that are not positive are left out,
            which the figure then says. Categories are drawn as rows, their values to the right.
        anchor: prefix of the element ids, unique in the page.

    Raises:
        ValueError: an anchor that is no identifier.
    """
    if not _ANCHOR.fullmatch(anchor):
        raise ValueError(f"{anchor!r} is no prefix of ids")
    title = short(figure.title, 200) or figure.name
    parts = [element("figcaption", title, id=f"{anchor}-title")]
    if empty(figure):
        parts.append(element("p", "No data.", class_="chart-empty"))
    else:
        parts += [_legend(figure, anchor), _drawing(figure, anchor)]
        parts += [element("p", text, class_="chart-note") for text in _left_out(figure)]
    if figure.caption:
        parts.append(element("p", figure.caption, class_="chart-caption", id=f"{anchor}-caption"))
    return element("figure", *parts, class_="chart", id=anchor)


def _drawing(figure: Figure, anchor: str) -> Markup:
    frame = category_plot(figure, anchor) if figure.categories else value_plot(figure, anchor)
    caption = f"{anchor}-caption " if figure.caption else ""
    drawn = element(
        "svg",
        element("desc", description(figure), id=f"{anchor}-desc"),
        _shapes(figure, anchor),
        *frame.parts,
        role="img",
        aria_labelledby=f"{anchor}-title",
        aria_describedby=f"{caption}{anchor}-desc",
        class_="plot",
        width="100%",
        height=frame.height,
    )
    pads = f"pad-{min(max(frame.wide, 2), 12)} top-{frame.rows}"
    above, below = _named(frame.above, "axis-above"), _named(frame.below, "axis-below")
    whole = element("div", above, drawn, below, class_=f"chart-frame {pads}")
    return join([whole, _numbered(frame)])


def _named(axis: str, class_: str) -> Markup:
    text = short(axis, 160)
    return element("p", element("bdi", text), class_=class_) if text else Markup()


def _numbered(frame: Frame) -> Markup:
    """Return the texts of marks that have only their number in the drawing."""
    if not frame.listed:
        return Markup()
    items = (element("li", element("bdi", short(text, 160) or "\u00a0")) for text in frame.listed)
    return element("ol", *items, class_="chart-marks")


def _shapes(figure: Figure, anchor: str) -> Markup:
    """Define the markers in use under ids of this figure's own, whatever else the page holds."""
    styles = [series.style for series in figure.series] + [mark.style for mark in figure.marks]
    names = dict.fromkeys(look(style).shape for style in styles)
    paths = (element("path", id=f"{anchor}-{name}", d=SHAPES[name]) for name in names)
    return element("defs", *paths)


def _legend(figure: Figure, anchor: str) -> Markup:
    if len(figure.series) < 2:
        return Markup()
    items = (
        element(
            "li",
            _key(s, rows=bool(figure.categories)),
            element("bdi", short(s.name) or s.kind),
            title=_full(s.name),
        )
        for s in figure.series
    )
    return element("ul", *items, class_="chart-legend", id=f"{anchor}-legend")


def _full(name: str) -> str | None:
    return short(name, 400) if short(name) != " ".join(name.split()) else None


def _key(series: Series, *, rows: bool) -> Markup:
    """Return what a series looks like; over names, lines are drawn as points."""
    seen, middle = look(series.style), KEY_HEIGHT / 2
    line = series.kind == "line" and not rows
    width = KEY_WIDTH if line or series.kind == "bars" else KEY_HEIGHT
    parts = []
    if series.kind == "bars":
        parts.append(element("rect", x=2, y=middle - 5, width=26, height=10, class_="bar"))
    elif line:
        if series.low and any(p.interval for p in points(series)):
            parts.append(element("rect", x=0, y=1, width=KEY_WIDTH, height=14, class_="band"))
        ends = {"x1": 0, "x2": KEY_WIDTH, "y1": middle, "y2": middle}
        parts.append(element("line", class_="curve", **ends))
    if not (line and series.secondary):
        x = 28 if series.kind == "bars" else width / 2
        shape = element("path", d=SHAPES[seen.shape], transform=f"translate({x:g} {middle:g})")
        parts.append(element("g", shape, class_="marks"))
    lighter = " lighter" if series.secondary else ""
    return element(
        "svg",
        *parts,
        class_=f"key {seen.classes}{lighter}",
        width=width,
        height=KEY_HEIGHT,
        aria_hidden="true",
    )


def _left_out(figure: Figure) -> list[str]:
    """Say how many points a logarithmic axis cannot show."""
    found = [(p.x, p.y) for s in figure.series for p in points(s) if p.y is not None]
    notes = []
    for axis, values in ((figure.x, [x for x, _ in found]), (figure.y, [y for _, y in found])):
        number = sum(v <= 0 for v in values) if axis.scale == "log" else 0
        if number and not figure.categories:
            which = "horizontal" if axis is figure.x else "vertical"
            notes.append(
                f"Not shown on the logarithmic {which} axis: {number:,} of "
                f"{plural(len(found), 'point')} not above zero."
            )
    return notes


def description(figure: Figure) -> str:
    """Return what a screen reader says of the drawing: axes, each series' course, marks."""
    across = "by category" if figure.categories else f"over {_axis(figure.x)}"
    texts = [f"{_axis(figure.y)} {across}."]
    texts += [_course(figure, series) for series in figure.series[:MOST_SPOKEN]]
    if len(figure.series) > MOST_SPOKEN:
        texts.append(f"And {len(figure.series) - MOST_SPOKEN} more series.")
    texts += [f"Marked at {_value(figure.x, m.x)}: {short(m.text, 120)}." for m in figure.marks]
    return " ".join(texts)


def _axis(axis: Axis) -> str:
    return short(axis.label, 120) + (" (logarithmic)" if axis.scale == "log" else "")


def _course(figure: Figure, series: Series) -> str:
    found = [(p.x, p.y) for p in points(series) if p.y is not None]
    if not found:
        return f"{short(series.name)}: no data."
    top = max(found, key=lambda point: point[1])
    chosen = dict([found[0], top, found[-1]])
    told = (f"{_value(figure.y, y)} at {where(figure, x)}" for x, y in sorted(chosen.items()))
    return f"{short(series.name)}: {', '.join(told)}."


def where(figure: Figure, x: float) -> str:
    """Return the name of a place on the x axis."""
    return short(figure.categories[int(x)]) if figure.categories else _value(figure.x, x)


def _value(axis: Axis, value: float) -> str:
    return f"{100 * value:.3g}%" if axis.percent else f"{value:.4g}"
