"""``rubricbench overopt bon``: a reward on scored samples, without training."""

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
def bon(
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
    """Study a reward on samples of a policy that are scored by it and by gold.

    FILE is a samples table with the columns prompt_id, proxy and gold; or give two scored files,
    such as the scores.parquet of `rubricbench judge`, with --proxy FILE[:COLUMN] and --gold
    FILE[:COLUMN]. Shown are gold under best-of-n and under the exact tilt (what KL-regularised
    training would reach), with the KL each costs; tail accuracy; rank correlation; Gao's fit; and
    what the theory predicts.
    """
    from rubricbench.overopt.analyse import analyse
    from rubricbench.overopt.inputs import Request, gather

    request = Request(paths=paths, proxies=proxies or ("proxy",), gold=gold, arm=arm, step=step)
    inputs = gather(request, settings, layouts=("samples",))
    document = analyse("bon", inputs, settings, say=output.note)
    return finish(document, out, figures, output, page=False)
