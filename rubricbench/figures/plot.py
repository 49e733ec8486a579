"""Charts over a number: lines with bands, points with whiskers, upright bars, marks on the axis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from rubricbench.figures.data import Point, lone, points, short
from rubricbench.figures.figure import Axis, Figure, Mark, Series
from rubricbench.figures.scale import Scale, fit
from rubricbench.figures.styles import look
from rubricbench.figures.thin import GRID, corners, spread
from rubricbench.report.svg import Value, element

HEIGHT = 300
MOST_MARKERS = 14  # on one line; enough to know its shape by
MOST_POINTS = 400  # of a series of points, beyond which those that coincide are drawn once
MOST_LABELS = 5  # marks with their text in the drawing; more have numbers, and a list
MOST_ROWS = 5
LABEL_CHARS = 30
NARROW = 300.0  # pixels a phone leaves to a chart; labels must not meet even there
CHAR = 6.2  # pixels, about, of a small letter
FAR = 20.0  # plots; a line is followed no further
DODGE = 0.012  # of the width, between points of several series at one place


@dataclass(frozen=True)
class Frame:
    """A drawing and the room it needs.

    Args:
        parts: what is drawn.
        height: of the plot in pixels.
        wide: characters of the longest label at its left.
        rows: rows of text above it.
        below: name of the axis at its foot.
        above: name of the axis at its left, printed above it.
        listed: texts that the drawing refers to by number.
    """

    parts: list[Markup]
    height: float
    wide: int
    rows: int
    below: str
    above: str = ""
    listed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Area:
    """Both scales of a plot."""

    x: Scale
    y: Scale

    def holds(self, point: Point) -> bool:
        """Whether a point has a place in it."""
        return self.x.holds(point.x) and self.y.holds(point.y)


def value_plot(figure: Figure, anchor: str) -> Frame:
    """Return the drawing of a figure whose x axis is a number."""
    of = [(series, points(series)) for series in figure.series]
    ends = [v for series, found in of if series.kind == "bars" for v in _edges(found)]
    xs = [p.x for _, found in of for p in found if p.y is not None]
    area = Area(
        fit(figure.x, [*xs, *ends, *(m.x for m in figure.marks)]),
        fit(
            figure.y,
            [v for _, found in of for p in found for v in p.heights],
            zero=any(series.kind == "bars" for series in figure.series),
        ),
    )
    labels = _labels(figure.marks, area.x)
    cut = any(end is not None for a in (figure.x, figure.y) for end in (a.low, a.high))
    drawn = _stretched(area, of, cut=cut)
    parts = [*_grid(area), *_flags(area, figure.marks, labels, anchor), drawn]
    shifts = _shifts(of)
    for series, found in of:
        parts += _series(figure, area, series, found, shifts.get(id(series), 0.0), anchor)
    return Frame(
        parts=parts,
        height=HEIGHT,
        wide=max((len(text) for text in area.y.labels), default=2),
        rows=max((row for _, _, row in labels), default=-1) + 1,
        below=figure.x.label,
        above=figure.y.label,
        listed=[m.text for m in figure.marks] if len(figure.marks) > MOST_LABELS else [],
    )


def at(share: float) -> str:
    """Return a share of the plot as an SVG length; a thousandth is a pixel."""
    return f"{100 * share:.1f}%".replace(".0%", "%")


def _grid(area: Area) -> Iterator[Markup]:
    for value, text in zip(area.y.ticks, area.y.labels, strict=True):
        y = at(1 - area.y.share(value))
        name = "baseline" if value == 0 else "grid"
        yield element("line", x1=0, x2="100%", y1=y, y2=y, class_=name)
        yield element("text", text, x=-8, y=y, dy=".32em", class_="tick-left")
    yield element("line", x1=0, x2="100%", y1="100%", y2="100%", class_="baseline")
    for value, text in zip(area.x.ticks, area.x.labels, strict=True):
        x = at(area.x.share(value))
        yield element("text", text, x=x, y="100%", dy="1.5em", class_="tick-below")
        yield _upright(x, "100%", 0, class_="baseline", tick=True)


def _upright(x: str, foot: str, top: Value, *, class_: str, tick: bool = False) -> Markup:
    """Return an upright line, or a tick of four pixels below the plot."""
    if tick:
        short_line = element("line", x1=0, x2=0, y1=0, y2=4, class_=class_)
        return element("svg", short_line, x=x, y=foot)
    return element("line", x1=x, x2=x, y1=foot, y2=top, class_=class_)


Label = tuple[str, str, int]


def _labels(marks: Sequence[Mark], scale: Scale) -> list[Label]:
    """Return text, alignment and row of each mark, so that none meet on a narrow page."""
    numbered = len(marks) > MOST_LABELS
    taken: list[list[tuple[float, float]]] = []
    found: list[Label] = []
    for i, mark in enumerate(marks):
        text = str(i + 1) if numbered else short(mark.text, LABEL_CHARS)
        width, x = CHAR * len(text) + 12, NARROW * scale.share(mark.x)
        align = "start" if x + width <= NARROW else "end"
        span = (x - 6, x + width) if align == "start" else (x - width, x + 6)
        row = next((r for r, spans in enumerate(taken) if _free(spans, span)), len(taken))
        if row == MOST_ROWS:
            text, row = "", 0  # only its sign; the list has its text
        elif row == len(taken):
            taken.append([span])
        else:
            taken[row].append(span)
        found.append((text, align, row))
    return found


def _free(spans: Sequence[tuple[float, float]], new: tuple[float, float]) -> bool:
    return all(new[1] < low or high < new[0] for low, high in spans)


def _flags(
    area: Area, marks: Sequence[Mark], labels: Sequence[Label], anchor: str
) -> Iterator[Markup]:
    shown = [(m, *of) for m, of in zip(marks, labels, strict=True) if area.x.holds(m.x)]
    # Lines before texts: a text has a halo, with which it stands clear of its neighbour's line.
    for mark, _, _, row in shown:
        line = element("line", x1=0, x2=0, y1="100%", y2=-10 - 17 * row, class_="flag")
        yield element("svg", line, x=at(area.x.share(mark.x)), class_=look(mark.style).classes)
    for mark, text, align, row in shown:
        seen, y = look(mark.style), -10 - 17 * row
        x = 9 if align == "start" else -9
        yield element(
            "svg",
            element("use", href=f"#{anchor}-{seen.shape}", x=0, y=y),
            element("text", text, x=x, y=y, dy=".35em", class_=f"flag-{align}"),
            x=at(area.x.share(mark.x)),
            class_=f"marks {seen.classes}",
        )


def _stretched(area: Area, of: Sequence[tuple[Series, list[Point]]], *, cut: bool) -> Markup:
    """Return bands and lines, all bands below all lines, in a drawing of 1000 by 1000.

    Lines may lie on its edge with their whole width, unless limits cut the data off there.
    """
    groups = []
    for make in (_bands, _lines):
        for series, found in of:
            paths = list(make(area, series, found)) if series.kind == "line" else []
            if paths:
                lighter = " lighter" if series.secondary else ""
                groups.append(element("g", *paths, class_=f"{look(series.style).classes}{lighter}"))
    return element(
        "svg",
        *groups,
        viewBox=f"0 0 {GRID} {GRID}",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
        class_="stretched cut" if cut else "stretched",
    )


def _lines(area: Area, series: Series, found: Sequence[Point]) -> Iterator[Markup]:
    shown = [(p.x, None if p.y is None or (area.y.log and p.y <= 0) else p.y) for p in found]
    for run in _runs(shown, area):
        if len(run) > 1:
            yield element("path", d=_path(corners(run)), class_="curve")


def _bands(area: Area, series: Series, found: Sequence[Point]) -> Iterator[Markup]:
    known = [p if p.interval and p.y is not None else None for p in found]
    lows = _runs([(p.x, p.low) if p else (0.0, None) for p in known], area)
    highs = _runs([(p.x, p.high) if p else (0.0, None) for p in known], area)
    for low, high in zip(lows, highs, strict=True):
        if len(low) > 1:
            outline = [*corners(high), *reversed(corners(low))]
            yield element("path", d=_path(outline) + "z", class_="band")


def _runs(
    values: Sequence[tuple[float, float | None]], area: Area
) -> list[list[tuple[float, float]]]:
    """Return the stretches without gaps, in units of the drawing."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in values:
        if y is None or (area.x.log and x <= 0):
            runs.append([])
            continue
        # An interval may reach below what a logarithmic axis has: to its end, and not beyond.
        across = min(max(area.x.share(x), -FAR), FAR)
        up = min(max(area.y.share(y), -FAR), FAR)
        runs[-1].append((GRID * across, GRID * (1 - up)))
    return [run for run in runs if run]


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return a path through points, as steps between whole numbers, which are short."""
    rounded = [(round(x), round(y)) for x, y in points]
    steps = [f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in itertools.pairwise(rounded) if a != b]
    start = f"M{rounded[0][0]} {rounded[0][1]}"
    return start + "l" + " ".join(steps).replace(" -", "-") if steps else start + "h0"


def _series(
    figure: Figure,
    area: Area,
    series: Series,
    found: Sequence[Point],
    shift: float,
    anchor: str,
) -> list[Markup]:
    """Return what of a series keeps its size: whiskers, bars, markers."""
    seen = look(series.style)
    shown = [p for p in found if area.holds(p)]
    parts: list[Markup] = []
    if series.kind == "bars":
        parts += _bars(area, shown, shift)
    marked = _marked(series, found, shown, area)
    # A line's band has no width where a point stands alone.
    alone = {id(p) for p in lone(found)} if series.kind == "line" else set()
    parts += _whiskers(area, [p for p in shown if series.kind != "line" or id(p) in alone], shift)
    for p in marked:
        x, y = at(area.x.share(p.x) + shift), at(1 - area.y.share(p.y or 0.0))
        title = element("title", told(figure, series, p))
        parts.append(element("use", title, href=f"#{anchor}-{seen.shape}", x=x, y=y))
    lighter = " lighter" if series.secondary else ""
    return [element("g", *parts, class_=f"marks {seen.classes}{lighter}")] if parts else []


def told(figure: Figure, series: Series, point: Point) -> str:
    """Return what a point says when it is pointed at."""

    def form(axis: Axis, value: float) -> str:
        return f"{100 * value:.3g}%" if axis.percent else f"{value:.4g}"

    where = (
        figure.categories[int(point.x)] if figure.categories else f"at {form(figure.x, point.x)}"
    )
    text = f"{short(series.name, 40)}, {short(where, 40)}: {form(figure.y, point.y or 0.0)}"
    if point.interval:
        text += f" [{', '.join(form(figure.y, v) for v in point.interval)}]"
    return text


def _marked(
    series: Series, found: Sequence[Point], shown: Sequence[Point], area: Area
) -> list[Point]:
    """Return the points that get a marker: some of a line's, and all that stand alone.

    A secondary line, such as a fitted form, has no points of its own to mark.
    """
    if series.kind == "line":
        number = 0 if series.secondary else MOST_MARKERS
        chosen = {id(shown[i]) for i in spread(len(shown), number)} if number else set()
        chosen |= {id(p) for p in lone(found)}
        return [p for p in shown if id(p) in chosen]
    if len(shown) <= MOST_POINTS:
        return list(shown)
    places = {(at(area.x.share(p.x)), at(area.y.share(p.y or 0.0))): p for p in shown}
    return list(places.values())


def _shifts(of: Sequence[tuple[Series, list[Point]]]) -> dict[int, float]:
    """Return how far each series of points or bars stands aside, so that none hides another."""
    shifts: dict[int, float] = {}
    for kind in ("points", "bars"):
        ours = [(s, found) for s, found in of if s.kind == kind]
        places = [p.x for _, found in ours for p in found]
        if len(set(places)) == len(places):
            continue
        for i, (series, _) in enumerate(ours):
            shifts[id(series)] = (i - (len(ours) - 1) / 2) * DODGE
    return shifts


def _edges(found: Sequence[Point]) -> list[float]:
    """Return where the outer bars end: half a distance beyond their middles."""
    xs = sorted({p.x for p in found})
    gap = min((b - a for a, b in itertools.pairwise(xs)), default=1.0)
    return [xs[0] - gap / 2, xs[-1] + gap / 2] if xs else []


def _bars(area: Area, shown: Sequence[Point], shift: float) -> Iterator[Markup]:
    xs = sorted({area.x.share(p.x) for p in shown})
    gap = min((b - a for a, b in itertools.pairwise(xs)), default=0.2)
    width = DODGE if shift else 0.7 * gap
    zero = min(max(area.y.share(0.0), 0.0), 1.0)
    for p in shown:
        low, high = sorted((zero, area.y.share(p.y or 0.0)))
        yield element(
            "rect",
            x=at(area.x.share(p.x) + shift - width / 2),
            width=at(width),
            y=at(1 - high),
            height=at(high - low),
            class_="bar",
        )


def _whiskers(area: Area, shown: Sequence[Point], shift: float) -> Iterator[Markup]:
    for p in shown:
        if not p.interval:
            continue
        top, foot = (at(1 - min(max(area.y.share(v), 0.0), 1.0)) for v in reversed(p.interval))
        lines = [element("line", x1=0, x2=0, y1=top, y2=foot, class_="whisker")]
        lines += [element("line", x1=-4, x2=4, y1=y, y2=y, class_="whisker") for y in (top, foot)]
        yield element("svg", *lines, x=at(area.x.share(p.x) + shift))
