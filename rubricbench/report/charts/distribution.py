"""Score distributions: one histogram per responder over a shared axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from rubricbench.report.bootstrap import Estimate
from rubricbench.report.charts.markers import Style
from rubricbench.report.charts.tracks import Mark, draw
from rubricbench.report.formats import plural, point, tick
from rubricbench.report.model import SampleView
from rubricbench.report.svg import Scale, element, figure, percentage

BINS_PER_TICK = 5  # so that every tick of the axis, zero among them, is the edge of a bin
TOP = 18  # room for the counts
BARS_HEIGHT = 60
FOOT = 22  # room for the mean


@dataclass(frozen=True)
class Histogram:
    """A score distribution in equal bins, each closed on the left, the last on both sides.

    Args:
        edges: bin edges, one more than there are bins.
        counts: samples per bin.
        left_out: samples without a value.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    left_out: int


def histogram(scale: Scale, samples: Iterable[SampleView]) -> Histogram:
    """Count one responder's known scores over the whole axis."""
    bins = BINS_PER_TICK * (len(scale.ticks) - 1)
    counts, left_out = [0] * bins, 0
    for sample in samples:
        if sample.value is None:
            left_out += 1
        else:
            # 0.15 * 20 can come out below 3: a score on an edge belongs to the bin it opens.
            place = math.floor(scale.share(sample.value) * bins + 1e-9)
            counts[min(place, bins - 1)] += 1
    width = (scale.high - scale.low) / bins
    edges = tuple(round(scale.low + i * width, 6) for i in range(bins + 1))
    return Histogram(edges, tuple(counts), left_out)


def distribution(
    scale: Scale, found: Histogram, mean: Estimate, style: Style, *, name: str, anchor: str
) -> Markup:
    """Return one responder's histogram, counts above the bars, mean and interval below them.

    Bars are scaled to the responder's own tallest, which is why they carry their counts.
    """
    base = TOP + BARS_HEIGHT
    span = f"{tick(scale.low)} to {tick(scale.high)}"
    samples = plural(sum(found.counts), "scored sample")
    description = f"{samples} in {len(found.counts)} bins from {span}; mean {point(mean)}."
    return figure(
        element("line", x1="0", x2="100%", y1=base, y2=base, class_="baseline"),
        *_bars(found, base),
        draw(scale, Mark(mean, style), base + FOOT / 2),
        anchor=anchor,
        title=f"Score distribution of {name}",
        description=description,
        height=base + FOOT,
        class_=f"histogram {style.tone}",
    )


def _bars(found: Histogram, base: float) -> list[Markup]:
    peak, bins = max(*found.counts, 1), len(found.counts)
    parts = []
    for i, number in enumerate(found.counts):
        if not number:
            continue
        height = max(BARS_HEIGHT * number / peak, 2.0)
        y, width = base - height, percentage(1 / bins)
        left, middle = percentage(i / bins), percentage((i + 0.5) / bins)
        parts.append(element("rect", x=left, y=y, width=width, height=height, class_="bar"))
        parts.append(element("text", f"{number:,}", x=middle, y=y - 4, class_="count"))
    return parts
