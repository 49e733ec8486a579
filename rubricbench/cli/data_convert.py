"""``rubricbench data convert``: datasets in the forms other tools read."""

from __future__ import annotations

from pathlib import Path

import click

from rubricbench.cli.output import Output, output_options


@click.command()
@click.argument("source")
@click.option("--to", "form", required=True, help="The form; see below.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@output_options
def convert(source: str, form: str, out: Path, output: Output) -> None:
    """Convert a dataset to another form, as parquet, JSONL or CSV by the ending of --out.

    \b
    From rubrics (a file or dataset in any form this package reads):
      rubricbench    our own columns
      paper          JunkaiZ/Rubrics
      healthbench    HealthBench (JSONL)
      trl-prompt     prompts for GRPOTrainer, with the rubrics that rubric_reward reads
    From a calibration table with tiers:
      trl-preference pairs for RewardTrainer and DPOTrainer
      trl-sft        excellent responses for SFTTrainer
      rewardbench2   RewardBench 2's best of four
    """
    from rubricbench.convert import convert as run

    rows = run(source, form, out)
    output.result({"rows": rows, "form": form, "out": str(out)}, f"wrote {out}: {rows:,} rows")
