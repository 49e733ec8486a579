"""``rubricbench overopt report``: everything, in one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rubricbench.cli.output import Output, output_options
from rubricbench.cli.overopt_options import (
    analysis_options,
    files_options,
    finish,
    sample_options,
)
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.overopt.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE…]")
@sample_options
@files_options
@analysis_options
@output_options
def report(
    paths: tuple[str, ...],
    proxies: tuple[str, ...],
    gold: str,
    arm: str | None,
    step: int | None,
    out: Path | None,
    figures: tuple[str, ...],
    settings: Settings,
    output: Output,
) -> int:
    """Compute all that runs and scored samples allow, and write it as one HTML page.

    FILE is a table or run folder of any kind, and there may be several: training runs, scored
    samples, published points. Writes report.html, results.json, results.csv, results.parquet and
    the figures as SVG, PNG and CSV.
    """
    from rubricbench.overopt.analyse import analyse
    from rubricbench.overopt.inputs import Request, gather

    if out is None:
        raise InputError("no folder for the report", hint="name one with --out DIR")
    request = Request(paths=paths, proxies=proxies or ("proxy",), gold=gold, arm=arm, step=step)
    inputs = gather(request, settings)
    document = analyse("report", inputs, settings, say=output.note)
    return finish(document, out, figures, output, page=True)
