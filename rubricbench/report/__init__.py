"""The evaluation report: one self-contained HTML page about one run."""

from __future__ import annotations

from rubricbench.report.model import (
    Kind,
    ReportData,
    Responder,
    SampleView,
    VerdictView,
    sample_view,
)

__all__ = ["Kind", "ReportData", "Responder", "SampleView", "VerdictView", "sample_view"]
