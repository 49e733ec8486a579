"""Length against score: one mark per sample, and mean scores by length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rubricbench.report.charts.markers import Style, marker
from rubricbench.report.formats import decimal, plural, tick
from rubricbench.report.model import SampleView
from rubricbench.report.summary import LengthBin
from rubricbench.report.svg import Scale, element, figure, nice_scale, percentage

HEIGHT = 340
MANY_SAMPLES = 6000  # beyond this, marks are set on a grid of 1% and drawn once per place
MOST_TITLES = 400  # marks of one responder that carry a tooltip
SQUEEZED = 6  # the length axis is logarithmic if the longest is over so many medians


@dataclass(frozen=True)
class Cloud:
    """The marks of one responder.

    Args:
        style: how they are drawn.
        samples: one mark each.
        bins: mean scores by length, drawn as steps.
        titled: whether the marks have tooltips.
    """

    style: Style
    samples: Sequence[SampleView]
    bins: Sequence[LengthBin] = ()
    titled: bool = False


@dataclass(frozen=True)
class LengthAxis:
    """The axis of words: linear, or logarithmic in words + 1 (an empty response has a place)."""

    scale: Scale
    logarithmic: bool

    def at(self, words: float) -> float:
        """Return where a length lies, 0 at the start to 1 at the end."""
        return self.scale.share(math.log1p(words) if self.logarithmic else words)

    def labels(self) -> list[tuple[float, str]]:
        """Return the places and texts of the tick labels."""
        words = [math.expm1(t) if self.logarithmic else t for t in self.scale.ticks]
        return [(self.at(w), tick(round(w, 6))) for w in words]


def length_axis(samples: Sequence[SampleView]) -> LengthAxis:
    """Return the length axis of some samples."""
    written = sorted(s.words for s in samples if s.words) or [1]
    longest, median = written[-1], written[len(written) // 2]
    if longest <= SQUEEZED * median:
        return LengthAxis(nice_scale(0.0, float(max(longest, 4)), wanted=6), logarithmic=False)
    steps = [0, *(m * 10**power for power in range(8) for m in (1, 3))]
    ticks = tuple(math.log1p(w) for w in steps if w <= longest)
    return LengthAxis(Scale(0.0, math.log1p(longest), ticks), logarithmic=True)


def scatter(y_scale: Scale, clouds: Sequence[Cloud], *, anchor: str) -> Markup:
    """Return the chart; later clouds are drawn on top of earlier ones.

    Args:
        y_scale: the score axis.
        clouds: the responders.
        anchor: prefix of the element ids.
    """
    samples = [s for cloud in clouds for s in cloud.samples]
    x_axis = length_axis(samples)
    places = 3 if len(samples) <= MANY_SAMPLES else 2
    parts = _frame(x_axis, y_scale)
    for cloud in clouds:
        parts.append(_cloud(x_axis, y_scale, cloud, places))
    parts.extend(_steps(x_axis, y_scale, cloud) for cloud in clouds if cloud.bins)
    return figure(
        *parts,
        anchor=anchor,
        title="Length against score",
        description=(
            f"One mark for each of {plural(len(samples), 'sample')}, words along and score up. "
            "The table that follows has mean scores by length."
        ),
        height=HEIGHT,
        class_="scatter",
    )


def _frame(x_axis: LengthAxis, y_scale: Scale) -> list[Markup]:
    parts = []
    for value in y_scale.ticks:
        y = percentage(1 - y_scale.share(value))
        parts.append(element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
        parts.append(element("text", tick(value), x="0", y=y, dx=-8, dy=4, text_anchor="end"))
    for place, label in x_axis.labels():
        x = percentage(place)
        parts.append(element("text", label, x=x, y="100%", dy=20, text_anchor="middle"))
    return parts


def _cloud(x_axis: LengthAxis, y_scale: Scale, cloud: Cloud, places: int) -> Markup:
    """Draw each mark once per place; a score known only within bounds is a line between them."""
    drawn: dict[tuple[float, float, float], Markup] = {}
    for s in cloud.samples:
        x = round(x_axis.at(s.words), places)
        top = round(1 - y_scale.share(s.high), places)
        bottom = round(1 - y_scale.share(s.low), places)
        if (x, top, bottom) in drawn:
            continue
        if s.value is None:
            ends = {"x1": percentage(x), "y1": percentage(top), "y2": percentage(bottom)}
            drawn[x, top, bottom] = element("line", x2=ends["x1"], class_="bounds", **ends)
        else:
            title = f"{plural(s.words, 'word')}, score {decimal(s.value)}" if cloud.titled else ""
            at = percentage(x), percentage(top)
            drawn[x, top, bottom] = marker(cloud.style, *at, title=title)
    return element("g", *drawn.values(), class_=f"points {cloud.style.tone}")


def _steps(x_axis: LengthAxis, y_scale: Scale, cloud: Cloud) -> Markup:
    parts = []
    for part in cloud.bins:
        y = percentage(1 - y_scale.share(part.mean.low))
        ends = {
            "x1": percentage(x_axis.at(part.shortest)),
            "x2": percentage(x_axis.at(part.longest)),
        }
        parts.append(element("line", y1=y, y2=y, class_="halo", **ends))
        parts.append(element("line", y1=y, y2=y, class_="step", **ends))
    return element("g", *parts, class_=f"steps {cloud.style.tone}")
