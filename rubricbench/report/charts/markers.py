"""Who is who in a chart: a shape and a colour for every responder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from rubricbench.report.model import Kind, Responder
from rubricbench.report.svg import element, join

# Paths about (0, 0), all of about the same area.
SHAPES = {
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "square": "M-4.4-4.4h8.8v8.8h-8.8z",
    "triangle": "M-5.4-4.4h10.8L0 5z",
    "diamond": "M0-6.2L6.2 0L0 6.2L-6.2 0z",
    "hexagon": "M-5.4 0L-2.7-4.7H2.7L5.4 0L2.7 4.7H-2.7z",
    "cross": "M-5-1.8h3.2v-3.2h3.6v3.2h3.2v3.6h-3.2v3.2h-3.6v-3.2h-3.2z",
    "wedge": "M0-5L5.4 4.4h-10.8z",
}
_SHAPES_OF = {
    Kind.MODEL: ("circle", "hexagon", "cross", "wedge"),
    Kind.FLOOR: ("triangle", "square", "wedge", "cross"),
    Kind.CEILING: ("diamond", "hexagon", "cross", "wedge"),
}
_TONES_OF = {Kind.MODEL: 4, Kind.FLOOR: 2, Kind.CEILING: 1}


@dataclass(frozen=True)
class Style:
    """How a responder is drawn.

    Args:
        shape: a key of `SHAPES`.
        tone: CSS class that sets its colour.
    """

    shape: str
    tone: str


def styles(responders: Iterable[Responder]) -> dict[str, Style]:
    """Return a style for every responder, by name."""
    found: dict[str, Style] = {}
    seen: Counter[Kind] = Counter()
    for r in responders:
        nth, shapes = seen[r.kind], _SHAPES_OF[r.kind]
        tone = f"tone-{r.kind.value}-{nth % _TONES_OF[r.kind] + 1}"
        found[r.name] = Style(shapes[nth % len(shapes)], tone)
        seen[r.kind] += 1
    return found


def definitions() -> Markup:
    """Return the shapes that all charts of a page share; the page holds them once."""
    paths = join(element("path", id=f"shape-{name}", d=d) for name, d in SHAPES.items())
    return element(
        "svg", element("defs", paths), class_="definitions", width=0, height=0, aria_hidden="true"
    )


def marker(style: Style, x: str, y: str | float, *, title: str = "") -> Markup:
    """Return a responder's marker at a place, with a tooltip if there is a title."""
    children = (element("title", title),) if title else ()
    return element("use", *children, href=f"#shape-{style.shape}", x=x, y=y)


def swatch(style: Style) -> Markup:
    """Return a responder's marker for a legend or a table cell."""
    drawn = marker(style, "8", "8")
    return element(
        "svg",
        drawn,
        class_=f"swatch {style.tone}",
        width=16,
        height=16,
        viewBox="0 0 16 16",
        aria_hidden="true",
    )
