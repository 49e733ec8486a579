"""Legends: what the bars, whiskers, steps and markers of a chart stand for."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from rubricbench.report.charts.markers import Style, swatch
from rubricbench.report.svg import element

WIDTH, HEIGHT = 34, 16


def legend(entries: Iterable[tuple[Markup, str]]) -> Markup:
    """Return a list of keys, each a drawing with what it stands for."""
    items = (element("li", key, element("bdi", text)) for key, text in entries)
    return element("ul", *items, class_="legend")


def marker_key(style: Style) -> Markup:
    """Return the key of a responder's markers."""
    return swatch(style)


def bar_key(style: Style) -> Markup:
    """Return the key of a responder's bars with their intervals."""
    middle = HEIGHT / 2
    return _key(
        style,
        element("rect", x=1, y=middle - 5, width=22, height=10, class_="bar"),
        element("line", x1=16, x2=31, y1=middle, y2=middle, class_="whisker"),
        element("line", x1=16, x2=16, y1=middle - 4, y2=middle + 4, class_="whisker"),
        element("line", x1=31, x2=31, y1=middle - 4, y2=middle + 4, class_="whisker"),
    )


def step_key(style: Style) -> Markup:
    """Return the key of the mean scores by length."""
    line = {"x1": 2, "x2": WIDTH - 2, "y1": HEIGHT / 2, "y2": HEIGHT / 2}
    return _key(style, element("line", class_="step", **line))


def _key(style: Style, *drawing: Markup) -> Markup:
    return element(
        "svg",
        *drawing,
        class_=f"key {style.tone}",
        width=WIDTH,
        height=HEIGHT,
        aria_hidden="true",
    )
