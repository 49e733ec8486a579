"""``rubricbench quickstart``: score a real small model and open the report."""

from __future__ import annotations

import os
import sys
import time
import webbrowser

import click
import msgspec

from rubricbench.cli.output import Output, output_options
from rubricbench.interrupts import remembered_interrupts
from rubricbench.quickstart import SMALL_LIMIT, SMALL_TOKENS, Outcome, Settings, quickstart
from rubricbench.tasks import task_path

OUT = "rubricbench-quickstart"


@click.command()
@click.option(
    "--small", is_flag=True, help=f"{SMALL_LIMIT} prompts, {SMALL_TOKENS} tokens each: a minute."
)
@click.option("--limit", type=click.IntRange(1), help="Prompts of the test split.  [default: 40]")
@click.option(
    "--max-gen-toks", type=click.IntRange(1), help="Tokens of a response.  [default: 384]"
)
@click.option("--out", metavar="FOLDER", help=f"The run directory.  [default: {OUT}]")
@click.option("--model", metavar="FOLDER", help="A model folder.  [default: SmolLM2, fetched once]")
@click.option("--no-open", is_flag=True, help="Do not open the report in a browser.")
@output_options
def command(
    small: bool,
    limit: int | None,
    max_gen_toks: int | None,
    out: str | None,
    model: str | None,
    no_open: bool,
    output: Output,
) -> int:
    """Score SmolLM2-135M on verifiable prompts through lm-eval and write a report.

    No judge and no key are needed: the criteria are checked by programs. Beside the model, an empty
    response, the prompt repeated and a constructed perfect response show what its score means.
    Interrupted, the same command goes on where it stopped; finished, it only shows the result.
    """
    started = time.monotonic()
    settings = Settings(
        out=out or (f"{OUT}-small" if small else OUT),
        limit=limit or (SMALL_LIMIT if small else Settings.limit),
        max_gen_toks=max_gen_toks or (SMALL_TOKENS if small else Settings.max_gen_toks),
        model=model,
    )
    try:
        with remembered_interrupts() as check:
            outcome = quickstart(
                settings, task_path(), say=output.note, quiet=output.quiet, check=check
            )
    except KeyboardInterrupt:
        click.echo(f"interrupted; the same command goes on: {settings.command}", err=True)
        return 130
    seconds = time.monotonic() - started
    value = {**msgspec.to_builtins(outcome), "seconds": round(seconds, 1)}
    output.result(value, _text(outcome, seconds))
    if not (no_open or output.as_json or output.quiet):
        _open(outcome.report)
    return 0


def _text(outcome: Outcome, seconds: float) -> str:
    width = max(len(r.name) for r in outcome.responders)
    lines = [f"{'':{width}}  score   95% interval      all met"]
    for responder in outcome.responders:
        score, all_met = responder.metrics["rubric_score"], responder.metrics["all_met"]
        interval = (
            f"[{score.low:.3f}, {score.high:.3f}]"
            if score.low is not None and score.high is not None
            else "-"
        )
        value = "unknown" if score.value is None else f"{score.value:.3f}"
        share = "unknown" if all_met.value is None else f"{all_met.value:.1%}"
        lines.append(f"{responder.name:{width}}  {value:<7} {interval:<17} {share}")
    prompts = outcome.dataset.rows
    return "\n".join(
        [*lines, "", f"{prompts} prompts, {seconds:.0f} s", f"report: {outcome.report}"]
    )


def _open(report: str) -> None:
    """Open the report where someone is looking at a desktop."""
    desktop = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY")
    if sys.stdout.isatty() and (desktop or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(f"file://{report}")
