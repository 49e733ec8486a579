"""``rubricbench certify``: measure a judge on labelled verdicts, correct and bridge its scores."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.certify.bridge_run import BridgeRecord
    from rubricbench.certify.certificate import Certificate
    from rubricbench.certify.correct_run import CorrectedRecord
    from rubricbench.certify.measure import Measure
    from rubricbench.certify.run import Certified
    from rubricbench.judging.config import JudgeConfig

PATH = click.Path(path_type=Path)


@click.group(invoke_without_command=True, subcommand_metavar="[bridge|correct] ...")
@click.option("--labels", type=PATH, help="Labelled verdicts: parquet, JSONL or CSV.")
@click.option("--verdicts", type=PATH, help="Instead: stored verdict pairs; no call is made.")
@click.option("--out", type=PATH, help="Run directory for the results.")
@click.option(
    "--labels-form",
    type=click.Choice(["auto", "calibration", "healthbench", "prbench"]),
    default="auto",
    show_default=True,
)
@click.option("--rubrics", default="", help="File or dataset, for labels that carry no rubric.")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="FORMAT:PER-CALL:LAYOUT",
    help="A way of asking, such as json:all:rubric_first or compact:1; repeatable.",
)
@click.option("--replicates", type=int, default=2, show_default=True, help="Gradings of each.")
@click.option("--judge-base-url", help="OpenAI-compatible endpoint, up to /v1.")
@click.option("--judge-model", help="The model's name there.")
@click.option("--judge-revision", default="", help="The model's revision, as you declare it.")
@click.option("--judge-api-key-env", default="", help="Environment variable that holds the key.")
@click.option("--format", "answer_format", default="json", show_default=True, help="Of answers.")
@click.option("--layout", default="auto", show_default=True, help="Order of the prompt's parts.")
@click.option("--criteria-per-call", type=int, help="Criteria in one call  [default: all]")
@click.option("--logprobs", type=int, default=0, show_default=True, help="For soft verdicts: 5.")
@click.option("--no-response-format", is_flag=True, help="Do not ask to enforce a JSON schema.")
@click.option("--temperature", type=float, default=0.0, show_default=True)
@click.option("--max-tokens", type=int, default=2048, show_default=True, help="Of one answer.")
@click.option("--concurrency", type=int, default=32, show_default=True, help="Calls in flight.")
@click.option("--timeout", type=float, default=120.0, show_default=True, help="Of an attempt, s.")
@click.option("--deadline", type=float, default=600.0, show_default=True, help="Of a call, s.")
@click.option("--retries", type=int, default=4, show_default=True, help="Of a call that failed.")
@click.option("--limit", type=int, help="Take only the first so many labelled responses.")
@click.option("--store", type=PATH, help="Completion store  [default: OUT/store.sqlite]")
@click.option("--prices", type=PATH, help="Price file, in the form of the list that comes along.")
@output_options
@click.pass_context
def command(context: click.Context, /, output: Output, **options: Any) -> int:
    """Measure a judge on labelled verdicts; write certificate.json and report.html.

    Labels are our calibration table, HealthBench's meta-evaluation, or PRBench rows with grades.
    Every way of asking is certified on its own. A run that was stopped goes on when it is started
    again; no answer is paid for twice. With --verdicts, stored verdict pairs are certified instead.

    \b
    certify bridge   map the scores of one judge to those of another
    certify correct  correct the mean scores of a judging run

    Exit code 0 when all is done, 1 when verdicts are missing because of the service.
    """
    if context.invoked_subcommand is not None:
        return 0
    try:
        certified = _certify(options, output)
    except KeyboardInterrupt:
        output.shortfall(f"stopped; every answer received is kept. To go on:\n  {_again(context)}")
        return 130
    _print(certified, options["out"], output)
    if not certified.lost:
        return 0
    examples = "; ".join(f"{cause}: {detail}" for cause, detail in sorted(certified.faults.items()))
    output.shortfall(
        f"{certified.lost:,} gradings lost verdicts to the service ({examples}). "
        f"To ask for those again:\n  {_again(context)}"
    )
    return 1


def _certify(options: dict[str, Any], output: Output) -> Certified:
    from rubricbench.certify.run import CertifyJob, certify_files, certify_pairs

    out: Path | None = options["out"]
    if out is None:
        raise InputError("--out is missing", hint="name a run directory for the results")
    if (options["labels"] is None) == (options["verdicts"] is None):
        raise InputError(
            "give --labels or --verdicts", hint="labels to be judged, or stored verdict pairs"
        )
    if options["verdicts"] is not None:
        return certify_pairs(options["verdicts"], out, say=output.note)
    config = _config(options)
    job = CertifyJob(
        labels=options["labels"],
        out=out,
        config=config,
        variants=options["variants"],
        replicates=options["replicates"],
        form=options["labels_form"],
        rubrics=options["rubrics"],
        limit=options["limit"],
        store=options["store"],
        price=_price(config, options["prices"]),
    )
    return certify_files(job, quiet=output.quiet, say=output.note)


def _config(options: dict[str, Any]) -> JudgeConfig:
    from rubricbench.judging.config import JudgeConfig

    for name in ("judge_base_url", "judge_model"):
        if options[name] is None:
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} is missing", hint="a judge is an endpoint and a model")
    same = ("layout", "criteria_per_call", "logprobs", "temperature", "max_tokens")
    pace = ("concurrency", "timeout", "deadline", "retries")
    return JudgeConfig(
        base_url=options["judge_base_url"],
        model=options["judge_model"],
        revision=options["judge_revision"],
        api_key_env=options["judge_api_key_env"],
        format=options["answer_format"],
        response_format=not options["no_response_format"],
        **{name: options[name] for name in (*same, *pace)},
    )


def _price(config: JudgeConfig, path: Path | None) -> Any:
    from rubricbench.judging.price.prices import PriceList

    return PriceList(path).find(config.model)


def _print(certified: Certified, out: Path, output: Output) -> None:
    import msgspec

    certificate = certified.certificate
    document = {
        "certificate": msgspec.to_builtins(certificate),
        "lost": certified.lost,
        "faults": certified.faults,
        "this_run": msgspec.to_builtins(certified.tally),
    }
    output.result(document, f"{_text(certificate)}\nwrote {out}/certificate.json, report.html")


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
            f"  sensitivity {_shown(found['sensitivity'])}, "
            f"specificity {_shown(found['specificity'])}",
            f"  balanced accuracy {_shown(found['balanced_accuracy'])}, "
            f"kappa {_shown(found['kappa'])}, mcc {_shown(found['mcc'])}",
            f"  score bias {_shown(scores.bias, sign='+')}, "
            f"unknown {_shown(variant.unknown)}, flips {_shown(variant.flips)}",
        ]
    return "\n".join(lines)


def _shown(measure: Measure, sign: str = "") -> str:
    if measure.value is None:
        return "not known"
    text = f"{measure.value:{sign}.3f}"
    if measure.interval is None:
        return text
    low, high = measure.interval
    return f"{text} [{low:{sign}.3f}, {high:{sign}.3f}]"


@command.command()
@click.option("--a", required=True, type=PATH, help="Scores of the judge to be mapped.")
@click.option("--b", required=True, type=PATH, help="Scores of the judge whose scale is wanted.")
@click.option("--out", required=True, type=PATH, help="Run directory for the results.")
@click.option(
    "--form", type=click.Choice(["linear", "monotone"]), default="linear", show_default=True
)
@output_options
def bridge(a: Path, b: Path, out: Path, form: str, output: Output) -> int:
    """Map the scores of judge A to those of judge B, from responses both graded.

    A and B are run directories of `rubricbench judge`, or scores files with the columns prompt_id,
    response_id, value and, if there are, generator and judge. Writes bridge.json,
    bridged_scores.parquet and report.html.
    """
    from rubricbench.certify.bridge import Form
    from rubricbench.certify.bridge_run import BridgeJob, bridge_files

    record = bridge_files(BridgeJob(a=a, b=b, out=out, form=Form(form)), say=output.note)
    import msgspec

    output.result(
        msgspec.to_builtins(record), f"{_bridge_text(record)}\nwrote {out}/bridge.json, report.html"
    )
    return 0


def _bridge_text(record: BridgeRecord) -> str:
    lines = [
        f"{record.a} to {record.b}, {record.form}, from {record.responses:,} responses to "
        f"{record.prompts:,} prompts both graded",
        f"  residual sd {record.residual_sd:.3f}, range {record.low:.3f} to {record.high:.3f}",
    ]
    if record.slope.value is not None:
        lines.append(f"  {_shown(record.intercept)} + {_shown(record.slope)} x score")
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
            f"  {g.name or '(no name)'}{unseen}: {_shown(g.a)} -> {_shown(g.bridged)}{outside}"
        )
    return "\n".join(lines)


@command.command()
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
    record = correct_files(job, say=output.note)
    output.result(
        msgspec.to_builtins(record), f"{_corrected_text(record)}\nwrote {out}/corrected.json"
    )
    return 0


def _corrected_text(record: CorrectedRecord) -> str:
    lines = [
        f"{kind}: credit {r.met:.3f} to what is met, {r.unmet:.3f} to what is not"
        + (" (rates of all criteria)" if r.pooled else "")
        for kind, r in record.rates.items()
    ]
    for g in record.generators:
        lines.append(f"{g.name or '(no name)'}: judged {_shown(g.judged)}")
        corrected = _shown(g.corrected)
        if g.corrected.value is None:
            corrected = f"between {g.low:.3f} and {g.high:.3f}, {g.unknown:.1%} unknown"
        lines.append(f"  corrected {corrected}")
        if g.prediction_powered.value is not None:
            lines.append(
                f"  prediction-powered {_shown(g.prediction_powered)}, {g.labelled:,} of "
                f"{g.responses:,} labelled"
            )
    return "\n".join(lines)


def _again(context: click.Context) -> str:
    """Return the command line that was given, in a form to paste."""
    parts = ["rubricbench", "certify"]
    for parameter in context.command.params:
        assert parameter.name is not None
        if context.get_parameter_source(parameter.name) is not ParameterSource.COMMANDLINE:
            continue
        given = context.params[parameter.name]
        if getattr(parameter, "is_flag", False):
            parts.append(parameter.opts[0])
            continue
        for value in given if isinstance(given, tuple) else (given,):
            parts += [parameter.opts[0], str(value)]
    return shlex.join(parts)
