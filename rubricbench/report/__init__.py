"""The evaluation report: one self-contained HTML page about one run.

`render_report` takes a `ReportData`, a tree of plain values that `sample_view` helps to fill, and
returns the page; `write_report` puts it into a file. Everything that is not about evaluations (the
page's chrome in `page`, intervals in `bootstrap`, drawing in `svg` and `charts`) serves other
reports too.
"""

from __future__ import annotations

from rubricbench.report.model import (
    Kind,
    ReportData,
    Responder,
    SampleView,
    VerdictView,
    sample_view,
)
from rubricbench.report.render import render_report, write_report

__all__ = [
    "Kind",
    "ReportData",
    "Responder",
    "SampleView",
    "VerdictView",
    "render_report",
    "sample_view",
    "write_report",
]
