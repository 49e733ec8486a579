"""``rubricbench overopt curve``: training runs at checkpoints, or published points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rubricbench.cli.output import Output, output_options
from rubricbench.cli.overopt_options import analysis_options, files_options, finish

if TYPE_CHECKING:
    from rubricbench.overopt.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="RUN…")
@files_options
@analysis_options
@output_options
def curve(
    paths: tuple[str, ...],
    out: Path | None,
    figures: tuple[str, ...],
    settings: Settings,
    output: Output,
) -> int:
    """Measure over-optimization along training runs.

    RUN is a run folder with trajectory.parquet, a folder of such folders, or a table with the
    columns step, prompt_id and gold [arm, seed, proxy, kl, win, length, …]; or published points
    (arm, step, gold), of which less can be computed. Shown are, for every arm, peak and drop of
    gold, the onset of over-optimization, the proxy-gold gap, the area under gold over √KL, Gao's
    fit, and drift.
    """
    from rubricbench.overopt.analyse import analyse
    from rubricbench.overopt.inputs import Request, gather

    inputs = gather(Request(paths=paths), settings, layouts=("trajectory", "points"))
    document = analyse("curve", inputs, settings, say=output.note)
    return finish(document, out, figures, output, page=False)
