"""Types as a page and as charts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from rubricbench.analyze.types.report import TypeReport
from rubricbench.figures.blocks import cautions_list, cell, figure_block, matrix
from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.metrics.result import Result, walk
from rubricbench.report.formats import percent
from rubricbench.report.page import render_page

STYLES = ("evaluation.css", "figures.css")
TITLES = {"refinements": "What refinement changes", "capabilities": "What the criteria test"}


def render_types(report: TypeReport) -> str:
    """Return the page: one self-contained file; the same report gives the same bytes."""
    context = {
        "title": TITLES[report.kind],
        "report": report,
        "statements": sum(report.arms.values()),
        "bare": report.statements_by in ("edits", "criteria"),
        "charts": [figure_block(f, anchor=f.name) for f in figures(report)],
        "table": _table(report),
        "cautions": cautions_list([(t.name, r) for t in report.types for r in walk(t)]),
    }
    return render_page("analyze_types.html", context, styles=STYLES)


def figures(report: TypeReport) -> list[Figure]:
    """Return the charts: shares of the types, and of two or more arms who has them."""
    names = tuple(t.name for t in report.types)
    shares = _series("share", [t.share for t in report.types], 0, "bars")
    found = [_figure("types", f"Types of {report.kind}", "share of statements", (shares,), names)]
    if len(report.arms) > 1:
        split = tuple(
            _series(arm, [t.by_arm[arm] for t in report.types], i, "points")
            for i, arm in enumerate(sorted(report.arms))
        )
        label = "share of the type, arms' totals made equal"
        found.append(_figure("types_by_arm", "Who has them", label, split, names))
    return found


def _figure(
    name: str, title: str, label: str, series: tuple[Series, ...], names: tuple[str, ...]
) -> Figure:
    return Figure(
        name=name,
        title=title,
        caption="Largest type first; whiskers are 95% intervals over prompts.",
        x=Axis(label="type"),
        y=Axis(label=label, percent=True, low=0.0),
        series=series,
        categories=names,
    )


def _series(name: str, results: list[Result], style: int, kind: Any) -> Series:
    return Series(
        name=name,
        x=[float(i) for i in range(len(results))],
        y=[r.estimate for r in results],
        low=[r.low for r in results],
        high=[r.high for r in results],
        kind=kind,
        style=style,
    )


def _table(report: TypeReport) -> Markup:
    arms = sorted(report.arms) if len(report.arms) > 1 else []
    rows = [
        (
            Markup(),
            t.name,
            [
                Markup(f"{t.count:,}"),
                cell(t.share, percent),
                *(cell(t.by_arm[arm], percent) for arm in arms),
            ],
        )
        for t in report.types
    ]
    heads = ["Type", "Statements", "Share", *arms]
    return matrix(rows, caption="Types, largest first", heads=heads, anchor="types-table")
