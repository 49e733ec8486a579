"""``rubricbench overopt compare``: arms in pairs on the same prompts."""

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

if TYPE_CHECKING:
    from rubricbench.overopt.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE…]")
@sample_options
@files_options
@analysis_options
@output_options
def compare(
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
    """Compare arms in pairs, on the prompts they share.

    FILE is a table of training runs or of scored samples. Arms are the values of a column arm,
    the files, or the columns named with --proxy (several rewards on one pool). Training runs are
    compared by final gold, peak, drop and area; rewards by gold under best-of-n and at equal KL,
    tail accuracy and rank correlation. P-values are corrected by Holm over all of them.
    """
    from rubricbench.overopt.analyse import analyse
    from rubricbench.overopt.inputs import Request, gather

    request = Request(paths=paths, proxies=proxies or ("proxy",), gold=gold, arm=arm, step=step)
    inputs = gather(request, settings, layouts=("samples", "trajectory"))
    document = analyse("compare", inputs, settings, say=output.note)
    return finish(document, out, figures, output, page=False)
