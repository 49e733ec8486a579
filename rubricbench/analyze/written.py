"""The files of an analysis: JSON, CSV, the page and the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.audit.written import encoded
from rubricbench.figures.figure import Figure
from rubricbench.metrics.result import frame, walk
from rubricbench.runs.files import atomic_write

PAGE, FIGURES = "report.html", "figures"


def write_analysis(
    folder: Path,
    stem: str,
    record: msgspec.Struct,
    groups: Mapping[str, Any],
    page: str,
    drawn: Sequence[Figure] = (),
    formats: tuple[str, ...] = (),
) -> list[str]:
    """Write an analysis's files, each whole or not at all; return their names.

    Args:
        folder: where to.
        stem: of the JSON and CSV.
        record: all of it.
        groups: what the CSV's first column names -> the results of it.
        page: the page.
        drawn: figures to be written as files.
        formats: of those files: ``svg``, ``png``, ``csv``.

    Raises:
        MissingExtraError: figures are wanted as images, and matplotlib is not installed.
        RunError: a file cannot be written.
    """
    atomic_write(folder / f"{stem}.json", msgspec.json.format(encoded(record), indent=2))
    atomic_write(folder / f"{stem}.csv", _table(stem, groups).encode("utf-8"))
    atomic_write(folder / PAGE, page.encode("utf-8"))
    names = [f"{stem}.json", f"{stem}.csv", PAGE]
    if formats and drawn:
        from rubricbench.figures.export import export

        for figure in drawn:
            export(figure, folder / FIGURES, formats=formats)
        names.append(f"{FIGURES}/")
    return names


def _table(stem: str, groups: Mapping[str, Any]) -> str:
    rows = [(name, result) for name, found in groups.items() for result in walk(found)]
    table = frame([result for _, result in rows])
    table.insert(0, stem.removesuffix("s"), [name for name, _ in rows])
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text


def plain(record: msgspec.Struct) -> dict[str, Any]:
    """Return a record as plain values."""
    found: dict[str, Any] = json.loads(encoded(record))
    return found
