"""``rubricbench analyze rubric``: what does each criterion do?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rubricbench.cli.output import Output, output_options

PATH = click.Path(path_type=Path)


@click.command()
@click.option("--rubrics", required=True, help="A file, or a dataset such as verifiable:test.")
@click.option(
    "--verdicts", required=True, type=PATH, help="verdicts.parquet, or the folder of a judging run."
)
@click.option("--out", required=True, type=PATH, help="Folder for the results.")
@click.option("--gold", type=PATH, help="A file with response_id and gold, such as a pool.")
@click.option("--gold-column", default="gold", show_default=True, help="Its column of gold.")
@click.option(
    "--by", default="", help="Group criteria by id, tag, or a tag's prefix [default: id or tag]."
)
@click.option("--judge", default="", help="Whose verdicts, where there are several judges.")
@click.option("--replicate", type=int, help="Which repetition, where there are several.")
@click.option("--strategy", default="weighted_mean", show_default=True, help="Aggregation.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling.")
@click.option("--resamples", type=int, default=2000, show_default=True, help="Of the prompts.")
@click.option(
    "--figures",
    type=click.Choice(["svg", "png", "csv"]),
    multiple=True,
    help="Write the charts in this form too; may be given again.",
)
@output_options
def rubric(output: Output, **options: Any) -> int:
    """Say what each criterion of a rubric set does.

    Weight share, saturation, discrimination, redundancy; with gold, tail information and what the
    criterion adds to tail accuracy and rank correlation. Where criteria differ from prompt to
    prompt they are grouped by their tags. Writes rubric.json, rubric.csv and report.html.
    """
    from rubricbench.analyze.rubric import analyze_rubric
    from rubricbench.analyze.rubric_files import Choice, read_graded
    from rubricbench.analyze.rubric_page import figures, headlines, render_rubric
    from rubricbench.analyze.written import plain, write_analysis
    from rubricbench.overopt.settings import Settings
    from rubricbench.runs import RunDirectory, file_hash

    names = ("rubrics", "verdicts", "gold", "gold_column", "judge", "replicate")
    choice = Choice(**{name: options[name] for name in names})
    settings = Settings(seed=options["seed"], resamples=options["resamples"])
    graded, left_out = read_graded(choice)
    record = analyze_rubric(
        graded,
        settings,
        by=options["by"],
        strategy=options["strategy"],
        source=options["rubrics"],
        left_out=left_out,
    )
    out: Path = options["out"]
    data = {"verdicts": file_hash(choice.path)}
    with RunDirectory(out, command="analyze rubric", config={}, data=data):
        groups = {group.name: group.figures for group in record.groups}
        found = {"(all)": record.whole, **groups}
        page = render_rubric(record)
        drawn = figures(record) if options["figures"] else []
        written = write_analysis(out, "rubric", record, found, page, drawn, options["figures"])
    lines = [*headlines(record), f"wrote {out}/: {', '.join(written)}"]
    output.result(plain(record), "\n".join(lines))
    return 0
