"""The files of a document: results.json, one flat table, figures, and the page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from rubricbench.overopt.document import Document
from rubricbench.overopt.rows import csv_bytes, table
from rubricbench.overopt.settings import Say
from rubricbench.runs import RunDirectory, atomic_write, write_parquet_atomic

RECORD, TABLE, REPORT, FIGURES = "results.json", "results", "report.html", "figures"
STAGE = "results"
FORMATS = ("svg", "png", "csv")


def write(
    document: Document,
    out: Path,
    *,
    page: bool,
    formats: Sequence[str] | None = None,
    say: Say = lambda text: None,
) -> list[str]:
    """Write a document into a run directory.

    Args:
        document: of the command.
        out: folder; made if it is not there.
        page: with report.html.
        formats: of the figures, of `FORMATS`; None for all that can be had here: without matplotlib
            that is CSV, and ``say`` is told.
        say: is told what could not be written.

    Returns:
        Names of what was written, within the folder.

    Raises:
        RunError: the folder is another run's, in use, or cannot be written.
        MissingExtraError: a format that was asked for needs matplotlib, which is not installed.
    """
    from rubricbench.figures.export import export
    from rubricbench.overopt.page import figures, write_page

    wanted = _formats(say) if formats is None else tuple(formats)
    with _directory(document, out) as directory:
        data = msgspec.json.format(msgspec.json.encode(document), indent=1)
        atomic_write(directory.path(RECORD), data + b"\n")
        found = table(document)
        atomic_write(directory.path(f"{TABLE}.csv"), csv_bytes(found))
        write_parquet_atomic(directory.path(f"{TABLE}.parquet"), found)
        written = [RECORD, f"{TABLE}.csv", f"{TABLE}.parquet"]
        for figure in figures(document) if wanted else ():
            paths = export(figure, directory.path(FIGURES), wanted)
            written += [f"{FIGURES}/{path.name}" for path in paths]
        if page:
            folder = FIGURES if wanted else ""
            write_page(document, directory.path(REPORT), files=folder, formats=wanted)
            written.append(REPORT)
        directory.mark_done(STAGE, written)
    return written


def read(path: Path) -> Document:
    """Return the document of a results.json, or of the folder that holds it."""
    file = path / RECORD if path.is_dir() else path
    return msgspec.json.decode(file.read_bytes(), type=Document)


def _formats(say: Say) -> tuple[str, ...]:
    if find_spec("matplotlib") is not None:
        return FORMATS
    say("figures as CSV alone: SVG and PNG need pip install 'rubricbench[analysis]'")
    return ("csv",)


def _directory(document: Document, out: Path) -> RunDirectory:
    made = document.provenance
    return RunDirectory(
        out,
        command=f"overopt {made.command}",
        config={
            "resamples": made.resamples,
            "level": made.level,
            "columns": {s.path: s.columns for s in made.sources},
        },
        data={s.path: s.sha256 for s in made.sources},
        seeds=(made.seed,),
    )
