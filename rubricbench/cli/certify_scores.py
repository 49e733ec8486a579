"""``rubricbench certify bridge`` and ``certify correct``: what a certificate is for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rubricbench.cli.output import Output, output_options

if TYPE_CHECKING:
    from rubricbench.certify.bridge_run import BridgeRecord
    from rubricbench.certify.correct_run import CorrectedGenerator, CorrectedRecord
    from rubricbench.certify.measure import Measure

PATH = click.Path(path_type=Path)


def shown(measure: Measure, sign: str = "") -> str:
    """Return a measure with its interval, for people."""
    if measure.value is None:
        return "not known"
    text = f"{measure.value:{sign}.3f}"
    if measure.interval is None:
        return text
    low, high = measure.interval
    return f"{text} [{low:{sign}.3f}, {high:{sign}.3f}]"


@click.command()
@click.option("--a", required=True, type=PATH, help="Scores of the judge to be mapped.")
@click.option("--b", required=True, type=PATH, help="Scores of the judge whose scale is wanted.")
@click.option("--a-judge", default="", help="Its name, where the file holds several judges.")
@click.option("--b-judge", default="", help="Its name, where the file holds several judges.")
@click.option("--out", required=True, type=PATH, help="Run directory for the results.")
@click.option(
    "--form",
    type=click.Choice(["linear", "monotone"]),
    default="linear",
    show_default=True,
    help="Of the map.",
)
@output_options
def bridge(
    a: Path, b: Path, a_judge: str, b_judge: str, out: Path, form: str, output: Output
) -> int:
    """Map the scores of judge A to those of judge B, from responses both graded.

    A and B are run directories of `rubricbench judge`, or scores files with the columns prompt_id,
    response_id, value and, if there are, generator, judge and replicate. Writes bridge.json,
    bridged_scores.parquet and report.html.
    """
    import msgspec

    from rubricbench.certify.bridge import Form
    from rubricbench.certify.bridge_run import BridgeJob, bridge_files

    job = BridgeJob(a=a, b=b, out=out, a_judge=a_judge, b_judge=b_judge, form=Form(form))
    record = bridge_files(job, say=output.note)
    text = f"{_bridge_text(record)}\nwrote {out}/bridge.json, bridged_scores.parquet, report.html"
    output.result(msgspec.to_builtins(record), text)
    return 0


def _bridge_text(record: BridgeRecord) -> str:
    lines = [
        f"{record.a} to {record.b}, {record.form}, from {record.responses:,} responses to "
        f"{record.prompts:,} prompts both graded",
        f"  residual sd {record.residual_sd:.3f}, range {record.low:.3f} to {record.high:.3f}",
    ]
    if record.slope.value is not None:
        lines.append(f"  {shown(record.intercept)} + {shown(record.slope)} x score")
    sd = record.transport_sd
    lines.append(
        "  its error on a generator it has not seen is not known"
        if sd is None
        else f"  on a generator it has not seen it errs by an sd of {sd:.3f}"
    )
    for g in record.generators:
        outside = f", {g.outside:,} out of range" if g.outside else ""
        unseen = "" if g.seen else " (not seen)"
        lines.append(
            f"  {g.name or '(no name)'}{unseen}: {shown(g.a)} -> {shown(g.bridged)}{outside}"
        )
    return "\n".join(lines)


@click.command()
@click.option("--certified", required=True, type=PATH, help="Directory of a certification.")
@click.option("--verdicts", required=True, type=PATH, help="Directory of a judging run.")
@click.option("--rubrics", required=True, help="The rubrics of that run: a file or a dataset.")
@click.option("--out", required=True, type=PATH, help="Run directory for the results.")
@click.option("--variant", default="", help="The certified variant that asked as the run did.")
@output_options
def correct(
    certified: Path, verdicts: Path, rubrics: str, out: Path, variant: str, output: Output
) -> int:
    """Correct the mean scores of a judging run with the error rates of a certificate.

    Where some of its responses have certified references, the prediction-powered mean stands
    beside. Writes corrected.json.
    """
    import msgspec

    from rubricbench.certify.correct_run import CorrectJob, correct_files

    job = CorrectJob(
        certified=certified, verdicts=verdicts, rubrics=rubrics, out=out, variant=variant
    )
    record = correct_files(job)
    text = f"{_corrected_text(record)}\nwrote {out}/corrected.json"
    output.result(msgspec.to_builtins(record), text)
    return 0


def _corrected_text(record: CorrectedRecord) -> str:
    lines = [
        f"{kind}: credit {r.met:.3f} to what is met, {r.unmet:.3f} to what is not"
        + (" (rates of all criteria)" if r.pooled else "")
        for kind, r in record.rates.items()
    ]
    for g in record.generators:
        lines += _generator_lines(g)
    return "\n".join(lines)


def _generator_lines(g: CorrectedGenerator) -> list[str]:
    corrected = shown(g.corrected)
    if g.corrected.value is None:
        corrected = f"between {g.low:.3f} and {g.high:.3f}, {g.unknown:.1%} unknown"
    lines = [f"{g.name or '(no name)'}: judged {shown(g.judged)}", f"  corrected {corrected}"]
    if g.prediction_powered.value is not None:
        lines.append(
            f"  prediction-powered {shown(g.prediction_powered)}, {g.labelled:,} of "
            f"{g.responses:,} labelled"
        )
    return lines
