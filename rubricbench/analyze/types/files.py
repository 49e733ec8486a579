"""Types as files: JSON with everything, CSV with one row a type."""

from __future__ import annotations

import csv
import io
from importlib.util import find_spec
from pathlib import Path

import msgspec

from rubricbench.analyze.types.page import figures, render_types
from rubricbench.analyze.types.report import TypeReport
from rubricbench.figures.export import export
from rubricbench.metrics import Result
from rubricbench.runs import atomic_write


def write_types(report: TypeReport, folder: Path) -> list[str]:
    """Write the JSON, CSV, page and charts into a folder, each whole or not at all.

    Without matplotlib charts are in the page and as CSV alone.

    Returns:
        What was written.

    Raises:
        RunError: a file cannot be written.
    """
    formats = ("svg", "png", "csv") if find_spec("matplotlib") else ("csv",)
    document = msgspec.json.format(msgspec.json.encode(report), indent=2)
    atomic_write(folder / "types.json", document + b"\n")
    atomic_write(folder / "types.csv", _csv(report).encode("utf-8"))
    atomic_write(folder / "report.html", render_types(report).encode("utf-8"))
    for figure in figures(report):
        export(figure, folder / "figures", formats=formats)
    return ["types.json", "types.csv", "report.html", "figures/"]


def _csv(report: TypeReport) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    arms = sorted(report.arms) if len(report.arms) > 1 else []
    head = [f"{arm}{end}" for arm in arms for end in ("", "_low", "_high")]
    writer.writerow(["type", "count", "share", "share_low", "share_high", *head, "example"])
    for found in report.types:
        split = [n for arm in arms for n in _numbers(found.by_arm[arm])]
        row = [_inert(found.name), found.count, *_numbers(found.share), *split]
        writer.writerow([*row, _inert(found.examples[0])])
    return text.getvalue()


def _numbers(result: Result) -> list[float | str]:
    return ["" if n is None else n for n in (result.estimate, result.low, result.high)]


def _inert(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
