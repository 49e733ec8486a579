"""``rubricbench data decontaminate``: do prompts stand in other sets?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rubricbench.cli.output import Output, output_options

if TYPE_CHECKING:
    from rubricbench.decontaminate.run import Report


@click.command()
@click.argument("source")
@click.option(
    "--against",
    required=True,
    multiple=True,
    metavar="FILE[:COLUMN]",
    help="Texts to compare with: parquet, JSONL or CSV; again for more.",
)
@output_options
def decontaminate(source: str, against: tuple[str, ...], output: Output) -> int:
    """Look for prompts that stand in other datasets, word for word or nearly.

    Reported are prompts that share a run of eight words with a text, or half of whose runs of four
    words one text holds. Exit code 1 where there is one.
    """
    import msgspec

    from rubricbench.decontaminate.run import decontaminate as compare

    report = compare(source, list(against))
    output.result(msgspec.to_builtins(report), _text(source, report))
    return 1 if report.contaminated else 0


def _text(source: str, report: Report) -> str:
    lines = [
        f"{f.prompt_id}  {f.containment:.0%} in {f.source}, row {f.row}"
        + (f": {f.run:.100}" if f.run else "")
        for f in report.found
    ]
    lines.append(
        f"{source}: {report.contaminated:,} of {report.prompts:,} prompts stand in one of "
        f"{report.references:,} texts"
    )
    return "\n".join(lines)
