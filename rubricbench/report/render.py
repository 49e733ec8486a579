"""From the data of a run to one self-contained HTML page."""

from __future__ import annotations

import os
from pathlib import Path

from rubricbench.report.model import ReportData
from rubricbench.report.page import render_page
from rubricbench.report.view import evaluation_context
from rubricbench.runs.files import atomic_write


def render_report(data: ReportData) -> str:
    """Return the report as HTML: the same data gives the same bytes.

    The page needs no network and stays below 3 MB whatever the run's size: with many samples the
    lowest, the highest and the middle ones are shown in full, the others only in the charts.
    """
    return render_page(
        "evaluation.html",
        evaluation_context(data),
        styles=("evaluation.css",),
        scripts=("samples.js",),
    )


def write_report(data: ReportData, path: str | os.PathLike[str]) -> Path:
    """Write the report as UTF-8, whole or not at all, and return its absolute path.

    Raises:
        RunError: the file cannot be written.
    """
    target = Path(path).absolute()
    atomic_write(target, render_report(data).encode("utf-8"))
    return target
