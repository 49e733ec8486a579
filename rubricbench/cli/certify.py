"""``rubricbench certify``: measure a judge on labelled verdicts, correct and bridge its scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.again import command_line
from rubricbench.cli.certify_attacks import attacks
from rubricbench.cli.certify_scores import bridge, correct, shown
from rubricbench.cli.judge_options import judge_config, judge_options
from rubricbench.cli.output import Output, output_options
from rubricbench.cli.spending_options import caps, plan_options, print_plans, spending_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.certify.certificate import Certificate
    from rubricbench.certify.run import Certified, CertifyJob

PATH = click.Path(path_type=Path)
_CAPS = {"calls": "--max-calls", "tokens": "--max-tokens", "cost": "--max-cost"}


@click.group(invoke_without_command=True, subcommand_metavar="[attacks|bridge|correct] …")
@click.option("--labels", type=PATH, help="Labelled verdicts: parquet, JSONL or CSV.")
@click.option("--verdicts", type=PATH, help="Instead: stored verdict pairs; no call is made.")
@click.option("--out", type=PATH, help="Run directory for the results.")
@click.option(
    "--labels-form",
    type=click.Choice(["auto", "calibration", "healthbench", "prbench"]),
    default="auto",
    show_default=True,
    help="Form of the labels; auto tells by the columns.",
)
@click.option("--rubrics", default="", help="File or dataset, for labels that carry no rubric.")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="FORMAT[:PER-CALL[:LAYOUT]]",
    help="A way of asking, such as json:all:rubric_first or compact:1; again for more.",
)
@click.option("--replicates", type=int, default=2, show_default=True, help="Gradings of each.")
@judge_options
@click.option("--limit", type=int, help="Take only the first so many labelled responses.")
@click.option("--store", type=PATH, help="Completion store [default: OUT/store.sqlite].")
@spending_options
@output_options
@click.pass_context
def command(context: click.Context, /, output: Output, **options: Any) -> int:
    """Measure a judge on labelled verdicts; write certificate.json and report.html.

    Labels are our calibration table, HealthBench's meta-evaluation, or PRBench rows with grades.
    Every way of asking is certified on its own. A run that was stopped goes on when it is started
    again; no answer is paid for twice. Know the price first with --plan. With --verdicts, stored
    verdict pairs are certified, and nothing is asked.

    Exit code 0 when all is done, 1 when verdicts are missing because of the service or of a cap.
    """
    if context.invoked_subcommand is not None:
        return 0
    if options["out"] is None:
        raise InputError("--out is missing", hint="name a run directory for the results")
    if (options["labels"] is None) == (options["verdicts"] is None):
        raise InputError(
            "give --labels or --verdicts", hint="labels to be judged, or stored verdict pairs"
        )
    if options["plan"] and options["labels"]:
        return _show_plan(_job(context, options), options, output)
    try:
        certified = _certified(context, options, output)
    except KeyboardInterrupt:
        output.shortfall(
            f"stopped; every answer received is kept. To go on:\n  {command_line(context)}"
        )
        return 130
    _print(certified, options["out"], output)
    if not certified.lost:
        return 0
    output.shortfall(f"{_why(certified)}\n  {command_line(context)}")
    return 1


command.add_command(attacks)
command.add_command(bridge)
command.add_command(correct)


def _certified(context: click.Context, options: dict[str, Any], output: Output) -> Certified:
    from rubricbench.certify.run import certify_files, certify_pairs

    if options["verdicts"] is not None:
        return certify_pairs(options["verdicts"], options["out"], say=output.note)
    return certify_files(_job(context, options), quiet=output.quiet, say=output.note)


def _job(context: click.Context, options: dict[str, Any]) -> CertifyJob:
    from rubricbench.certify.run import CertifyJob

    config = judge_config(context)
    if config is None:
        raise InputError("no judge is named", hint="give --judge-base-url and --judge-model")
    return CertifyJob(
        config=config,
        form=options["labels_form"],
        caps=caps(options),
        **{name: options[name] for name in ("labels", "out", "rubrics", "variants")},
        **{name: options[name] for name in ("replicates", "limit", "store", "prices")},
    )


def _show_plan(job: CertifyJob, options: dict[str, Any], output: Output) -> int:
    from rubricbench.certify.run import plan_certification

    print_plans(plan_certification(job, plan_options(options), quiet=output.quiet), output)
    return 0


def _why(certified: Certified) -> str:
    """Return why verdicts are missing."""
    if certified.used_up and certified.spent is not None:
        return (
            f"{_CAPS[certified.used_up]} is used up ({certified.spent.text()}): {certified.lost:,} "
            "gradings are not complete. What was answered is kept. Each start has the whole of "
            "its caps. To go on:"
        )
    examples = "; ".join(f"{cause}: {detail}" for cause, detail in sorted(certified.faults.items()))
    return (
        f"{certified.lost:,} gradings lost verdicts to the service ({examples}). "
        "To ask for those again:"
    )


def _print(certified: Certified, out: Path, output: Output) -> None:
    import msgspec

    document = {
        "certificate": msgspec.to_builtins(certified.certificate),
        "lost": certified.lost,
        "faults": certified.faults,
        "this_run": msgspec.to_builtins(certified.tally),
        "spent": msgspec.to_builtins(certified.spent),
        "used_up": certified.used_up,
    }
    text = _text(certified.certificate)
    output.result(document, f"{text}\nwrote {out}/certificate.json, report.html")


def _text(certificate: Certificate) -> str:
    source = certificate.source
    lines = [
        f"{source.references:,} reference verdicts about {source.responses:,} responses to "
        f"{source.prompts:,} prompts, {source.met:.0%} met"
    ]
    for variant in certificate.variants:
        found, scores = variant.agreement, variant.scores
        name = " ".join(part for part in (variant.asked.judge, variant.asked.variant) if part)
        lines += [
            f"{name}:",
            f"  sensitivity {shown(found['sensitivity'])}, "
            f"specificity {shown(found['specificity'])}",
            f"  balanced accuracy {shown(found['balanced_accuracy'])}, "
            f"kappa {shown(found['kappa'])}, mcc {shown(found['mcc'])}",
            f"  score bias {shown(scores.bias, sign='+')}, "
            f"unknown {shown(variant.unknown)}, flips {shown(variant.flips)}",
        ]
    return "\n".join(lines)
