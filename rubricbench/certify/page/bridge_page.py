"""A bridge between two judges as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rubricbench.certify.bridge import LEAST_GENERATORS, Bridge
from rubricbench.certify.measure import Floats
from rubricbench.certify.page.certificate_page import ends, short, value
from rubricbench.certify.page.plots import bridge_plot, mark, style
from rubricbench.report.charts.legend import legend, marker_key
from rubricbench.report.charts.markers import Style, definitions
from rubricbench.report.charts.tracks import axis, track
from rubricbench.report.formats import decimal, signed
from rubricbench.report.page import render_page
from rubricbench.report.svg import Scale, nice_scale
from rubricbench.runs.files import atomic_write

if TYPE_CHECKING:
    from rubricbench.certify.bridge_run import BridgeRecord

OF_A, BRIDGED, OF_B = (
    Style("triangle", "tone-floor-1"),
    Style("circle", "tone-model-1"),
    Style("diamond", "tone-ceiling-1"),
)


def write_bridge_report(
    record: BridgeRecord, bridge: Bridge, a: Floats, b: Floats, path: Path
) -> None:
    """Write the page, whole or not at all.

    Args:
        record: what was found.
        bridge: the map.
        a: judge A's scores of the responses both graded.
        b: judge B's.
        path: the file.

    Raises:
        RunError: it cannot be written.
    """
    atomic_write(path, render_bridge(record, bridge, a, b).encode("utf-8"))


def render_bridge(record: BridgeRecord, bridge: Bridge, a: Floats, b: Floats) -> str:
    """Return the page: the same values give the same bytes."""
    record = msgspec.structs.replace(
        record,
        a=short(record.a),
        b=short(record.b),
        generators=[msgspec.structs.replace(g, name=short(g.name)) for g in record.generators],
    )
    scale = _scale(record)
    context = {
        "record": record,
        "least_generators": LEAST_GENERATORS,
        "definitions": definitions(),
        "plot": bridge_plot(bridge, a, b, style(0), anchor="bridge"),
        "axis": axis(scale),
        "legend": legend(
            [
                (marker_key(OF_A), f"mean by {record.a}"),
                (marker_key(BRIDGED), f"bridged to {record.b}"),
                (marker_key(OF_B), f"mean by {record.b}"),
            ]
        ),
        "tracks": [
            track(
                scale,
                [
                    m
                    for m in (mark(g.a, OF_A), mark(g.bridged, BRIDGED), mark(g.b, OF_B))
                    if m is not None
                ],
            )
            for g in record.generators
        ],
        "value": value,
        "ends": ends,
        "two": lambda number: decimal(number, 2),
        "signed_form": signed,
    }
    return render_page("bridge.html", context, styles=("evaluation.css", "certificate.css"))


def _scale(record: BridgeRecord) -> Scale:
    found = [
        end
        for g in record.generators
        for m in (g.a, g.b, g.bridged)
        for end in (*(m.interval or ()), m.value)
        if end is not None
    ]
    return nice_scale(min([0.0, *found]), max([1.0, *found]))
