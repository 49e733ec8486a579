"""``rubricbench judge``: grade responses against rubrics with a judge model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.again import command_line
from rubricbench.cli.batch_options import batch_options, export, import_text, outputs
from rubricbench.cli.judge_options import judge_options
from rubricbench.cli.output import Output, output_options
from rubricbench.cli.panel_options import all_judges, panel_options
from rubricbench.cli.spending_options import caps, show_plan, spending_options, used_up_text

if TYPE_CHECKING:
    from rubricbench.judging.batch import BatchImport
    from rubricbench.judging.files import Graded

PATH = click.Path(path_type=Path)


@click.command()
@click.option("--responses", required=True, type=PATH, help="Parquet, JSONL or CSV.")
@click.option("--rubrics", required=True, help="A file, or a dataset such as verifiable:test.")
@click.option("--out", required=True, type=PATH, help="Run directory for the results.")
@judge_options
@panel_options
@click.option("--strategy", default="weighted_mean", show_default=True, help="Aggregation.")
@click.option(
    "--rejudge",
    type=click.Choice(["all", "changed"]),
    default="all",
    show_default=True,
    help="Where rubrics replace earlier ones: ask about all criteria, or what changed.",
)
@click.option("--previous-rubrics", multiple=True, help="The earlier rubrics, the oldest first.")
@click.option("--limit", type=int, help="Grade only the first so many responses.")
@click.option(
    "--store",
    type=PATH,
    help="Completion store, which runs may share [default: OUT/store.sqlite].",
)
@spending_options
@batch_options
@output_options
@click.pass_context
def command(context: click.Context, /, output: Output, **options: Any) -> int:
    """Grade responses against rubrics; write verdicts.parquet and scores.parquet.

    Criteria with a check are decided by a program; the others are put to the judge, by default all
    of a rubric in one call. The API key is read from RUBRICBENCH_JUDGE_API_KEY or OPENAI_API_KEY,
    or from the variable you name. A run that was stopped, or lost verdicts to the service, goes on
    when it is started again: no answer is paid for twice.

    Know the price first with --plan. Where nobody waits, batch files are the cheap way:
    --batch-export writes them, --batch-import reads what came back.

    Exit code 0 when all is done, 1 when verdicts are missing because of the service or of a cap.
    """
    from rubricbench.judging.files import Job
    from rubricbench.judging.files.batched import import_batches
    from rubricbench.judging.files.run import grade_files

    brought = outputs(options)
    judges = all_judges(context)
    job = Job(
        **{name: options[name] for name in ("responses", "rubrics", "out", "store")},
        **{name: options[name] for name in ("limit", "strategy")},
        previous=options["previous_rubrics"],
        config=judges[0] if judges else None,
        further=judges[1:],
        vote=options["vote"],
        caps=caps(options),
        prices=options["prices"],
    )
    if options["plan"]:
        return show_plan(job, options, output)
    if options["batch_export"]:
        return export(job, options, output, lambda: command_line(context, _ONCE))
    batch = None
    try:
        if brought:
            graded, batch = import_batches(job, brought, quiet=output.quiet, say=output.note)
        else:
            graded = grade_files(job, quiet=output.quiet, say=output.note)
    except KeyboardInterrupt:
        output.shortfall(
            f"stopped; every answer received is kept. To go on:\n  {command_line(context, _ONCE)}"
        )
        return 130
    if batch:
        output.note(import_text(batch, brought))
    _print(graded, job.out, output, batch)
    if graded.summary.complete:
        return 0
    output.shortfall(_shortfall(graded, batch, command_line(context, _ONCE)))
    return 1


def _shortfall(graded: Graded, batch: BatchImport | None, again: str) -> str:
    """Return what is missing, and what to do about it."""
    if graded.used_up:
        return used_up_text(graded, again)
    examples = "; ".join(f"{cause}: {detail}" for cause, detail in sorted(graded.faults.items()))
    lost = graded.summary.lost
    if batch:
        why = f" ({examples})" if examples else ""
        return (
            f"{lost:,} responses are not judged in full{why}. Import what further batches bring, "
            f"or export what is left:\n  {again} --batch-export DIR\n"
            "or ask for it now, by the same without --batch-export"
        )
    return (
        f"{lost:,} responses lost verdicts to the service ({examples}). "
        f"To ask for those again:\n  {again}"
    )


def _print(graded: Graded, out: Path, output: Output, batch: BatchImport | None) -> None:
    import msgspec

    summary, tally = graded.summary, graded.tally
    if graded.match.unmatched:
        output.note(str(graded.match))
    for url, why in sorted(tally.faulty.items()):
        why = why.removeprefix(url).lstrip(": ")
        output.note(f"an endpoint that was of no use in the end: {url}: {why}")
    document = {
        **msgspec.to_builtins(summary),
        "complete": summary.complete,
        "match": graded.match.as_dict(),
        "this_run": msgspec.to_builtins(tally),
        "faults": graded.faults,
        "spent": msgspec.to_builtins(graded.spent),
        "used_up": graded.used_up,
        "batch": msgspec.to_builtins(batch),
    }
    lines = [summary.text()]
    if not batch:  # it makes no calls, and has said what it read
        lines.append(_this_time(graded))
    tables = "verdicts.parquet, scores.parquet" + (", votes.parquet" if summary.panel else "")
    lines.append(f"wrote {out}/{tables}")
    output.result(document, "\n".join(lines))


def _this_time(graded: Graded) -> str:
    tally = graded.tally
    spent = f"; spent: {graded.spent.text()}" if graded.spent else ""
    return (
        f"this time {tally.calls:,} calls answered, {tally.failed:,} failed, "
        f"{tally.stored:,} answers from the store{spent}"
    )


# What a run does once, and is left out of the command that goes on with it.
_ONCE = frozenset({"batch_export", "batch_import", "more_outputs"})
