"""Inline SVG from small functions.

Charts place things along an axis by percentages, not by a scaled coordinate system: the drawing
then fills whatever width the page has while its text and strokes keep their size, on a phone as on
a desk. (`line`, `rect`, `circle`, `text` and `use` take percentages; paths do not, so markers are
paths in a shared definition that `use` places.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from rubricbench.report.text import visible

Value = str | int | float | None


def element(tag: str, *children: Markup | str, **attributes: Value) -> Markup:
    """Return an element; text and attribute values are made visible and escaped.

    Attribute names: a trailing underscore is dropped (``class_``), others become hyphens
    (``stroke_width``). An attribute of None is left out.
    """
    shown = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(c if isinstance(c, Markup) else escape(visible(c)) for c in children)
    return Markup(f"<{tag}{shown}>{inner}</{tag}>") if inner else Markup(f"<{tag}{shown}/>")


def _text(value: str | int | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def join(parts: Iterable[Markup]) -> Markup:
    """Return the parts one after another."""
    return Markup("").join(parts)


@dataclass(frozen=True)
class Scale:
    """A linear axis.

    Args:
        low: value at the axis's start.
        high: value at its end.
        ticks: values to be labelled.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the start to 1 at the end."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def at(self, value: float) -> str:
        """Return the position as an SVG percentage."""
        return percentage(self.share(value))


def percentage(share: float) -> str:
    """Return a share of the axis as an SVG length with one decimal."""
    return f"{100 * share:.1f}%".replace(".0%", "%")


def nice_scale(low: float, high: float, *, wanted: int = 4) -> Scale:
    """Return an axis from ``low`` to ``high``, widened to round ticks about ``wanted`` apart."""
    step = _nice_step((high - low) / wanted)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    ticks = tuple(round(i * step, 10) for i in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1, 2, 2.5, 5) if m * power >= rough * 0.999), 10 * power)


def figure(
    *children: Markup, anchor: str, title: str, description: str, height: float, class_: str
) -> Markup:
    """Return a chart that screen readers announce by title and description.

    Args:
        children: what is drawn.
        anchor: prefix of the element ids, unique in the page.
        title: what the chart shows.
        description: what is to be seen in it, in a sentence or two.
        height: in CSS pixels; the width is the page's.
        class_: CSS classes.
    """
    return element(
        "svg",
        element("title", title, id=f"{anchor}-title"),
        element("desc", description, id=f"{anchor}-desc"),
        *children,
        role="img",
        aria_labelledby=f"{anchor}-title",
        aria_describedby=f"{anchor}-desc",
        class_=class_,
        width="100%",
        height=height,
    )
