"""``rubricbench build``: build rubric datasets."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from rubricbench.cli.output import Output, output_options


@click.group()
def command() -> None:
    """Build rubric datasets."""


@command.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same rows.")
@click.option("--train", type=int, default=2000, show_default=True, help="Rows of the train split.")
@click.option("--test", type=int, default=500, show_default=True, help="Rows of the test split.")
@output_options
def verifiable(out: Path, seed: int, train: int, test: int, output: Output) -> None:
    """Generate prompts whose rubrics are checked exactly, by programs."""
    from rubricbench.builders.verifiable.dataset import build

    splits = build(out, {"train": train, "test": test}, seed=seed, quiet=output.quiet)
    lines = [
        f"{s.path}: {s.rows:,} rows, {s.bytes:,} bytes, rows sha256 {s.sha256}" for s in splits
    ]
    output.result({"seed": seed, "splits": msgspec.to_builtins(splits)}, "\n".join(lines))
