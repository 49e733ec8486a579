"""Charts of certificates and bridges: rates on tracks, reliability, scores of two judges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from rubricbench.certify.bridge import Bridge
from rubricbench.certify.certificate import Bin
from rubricbench.certify.measure import Floats, Measure
from rubricbench.report.bootstrap import Estimate, Method
from rubricbench.report.charts.markers import SHAPES, Style, marker
from rubricbench.report.charts.tracks import Mark
from rubricbench.report.formats import decimal, percent, plural, tick
from rubricbench.report.svg import Scale, element, figure, nice_scale, percentage

SIDE = 300  # height of a square chart; its width is the page's, up to that
MOST_POINTS = 2000
CURVE_STEPS = 80
TONES = 4
UNIT = Scale(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))


def style(number: int) -> Style:
    """Return shape and colour of the variant of a number."""
    shapes = tuple(SHAPES)
    return Style(shapes[number % len(shapes)], f"tone-model-{number % TONES + 1}")


def mark(measure: Measure, styled: Style) -> Mark | None:
    """Return a measure as a mark on a track; None where it has no value."""
    if measure.value is None:
        return None
    estimate = Estimate(
        measure.value,
        measure.value,
        measure.interval,
        Method.NONE if measure.interval is None else Method.BOOTSTRAP,
        measure.prompts,
        measure.items,
    )
    return Mark(estimate, styled)


def reliability_plot(bins: Sequence[Bin], styled: Style, *, anchor: str) -> Markup:
    """Draw the share of references that are met against the probability the judge stated."""
    parts = _frame(UNIT, UNIT)
    parts.append(
        element("line", x1="0", y1="100%", x2="100%", y2="0", class_="ideal"),
    )
    drawn = []
    for part in bins:
        share = part.met
        if share.value is None:
            continue
        x = UNIT.at(part.mean)
        if share.interval:
            ends = [percentage(1 - UNIT.share(v)) for v in share.interval]
            drawn.append(element("line", x1=x, x2=x, y1=ends[0], y2=ends[1], class_="whisker"))
        title = (
            f"stated {percent(part.mean)}, met {percent(share.value)}, "
            f"{plural(share.items, 'verdict')}"
        )
        drawn.append(marker(styled, x, percentage(1 - UNIT.share(share.value)), title=title))
    parts.append(element("g", *drawn, class_=f"track {styled.tone}"))
    return figure(
        *parts,
        anchor=anchor,
        title="Reliability",
        description="Probability stated along, share met up; on the diagonal the judge is right.",
        height=SIDE,
        class_="square",
    )


def bridge_plot(bridge: Bridge, a: Floats, b: Floats, styled: Style, *, anchor: str) -> Markup:
    """Draw judge B's scores against judge A's, with the map, its interval and the band."""
    x_scale = nice_scale(min(0.0, float(a.min())), max(1.0, float(a.max())), wanted=5)
    y_scale = nice_scale(min(0.0, float(b.min())), max(1.0, float(b.max())), wanted=5)
    at = np.linspace(bridge.low, bridge.high, CURVE_STEPS + 1)
    parts = _frame(x_scale, y_scale)
    low, high = bridge.band(at)
    parts += [_polyline(x_scale, y_scale, at, edge, "band-edge") for edge in (low, high)]
    step = max(1, len(a) // MOST_POINTS)
    places = {
        (round(x_scale.share(x), 3), round(1 - y_scale.share(y), 3))
        for x, y in zip(a[::step].tolist(), b[::step].tolist(), strict=True)
    }
    points = [marker(styled, percentage(x), percentage(y)) for x, y in sorted(places)]
    parts.append(element("g", *points, class_=f"points {styled.tone}"))
    low, high = bridge.curve(at)
    parts += [_polyline(x_scale, y_scale, at, edge, "curve-edge") for edge in (low, high)]
    parts.append(_polyline(x_scale, y_scale, at, bridge.map(at), "curve"))
    return figure(
        *parts,
        anchor=anchor,
        title="Scores of both judges",
        description=(
            f"One mark for each of {plural(len(a), 'response')}, judge A's score along and judge "
            f"B's up, with the {bridge.form} map; residual sd {decimal(bridge.residual_sd)}."
        ),
        height=SIDE + 40,
        class_="square wide",
    )


def _polyline(x_scale: Scale, y_scale: Scale, x: Floats, y: Floats, name: str) -> Markup:
    # Lines between percentages: a path would need a coordinate system of its own.
    places = [
        (x_scale.at(a), percentage(1 - y_scale.share(b)))
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    lines = [element("line", x1=x1, y1=y1, x2=x2, y2=y2) for (x1, y1), (x2, y2) in pairwise(places)]
    return element("g", *lines, class_=name)


def _frame(x_scale: Scale, y_scale: Scale) -> list[Markup]:
    parts = []
    for value in y_scale.ticks:
        y = percentage(1 - y_scale.share(value))
        parts.append(element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
        parts.append(element("text", tick(value), x="0", y=y, dx=-8, dy=4, text_anchor="end"))
    for value in x_scale.ticks:
        x = x_scale.at(value)
        parts.append(element("line", x1=x, x2=x, y1="0", y2="100%", class_="grid"))
        parts.append(element("text", tick(value), x=x, y="100%", dy=18, text_anchor="middle"))
    return parts
