"""``rubricbench judge``: grade responses against rubrics with a judge model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.judging.config import JudgeConfig
    from rubricbench.judging.files import Graded

PATH = click.Path(path_type=Path)


@click.command()
@click.option("--responses", required=True, type=PATH, help="Parquet, JSONL or CSV.")
@click.option("--rubrics", required=True, help="A file, or a dataset such as verifiable:test.")
@click.option("--out", required=True, type=PATH, help="Run directory for the results.")
@click.option("--judge-base-url", help="OpenAI-compatible endpoint, up to /v1.")
@click.option("--judge-model", help="The model's name there.")
@click.option("--judge-revision", default="", help="The model's revision, as you declare it.")
@click.option("--judge-api-key-env", default="", help="Environment variable that holds the key.")
@click.option(
    "--format",
    "answer_format",
    type=click.Choice(["json", "reasoned", "paper"]),
    default="json",
    show_default=True,
    help="Form of the judge's answers.",
)
@click.option("--no-response-format", is_flag=True, help="Do not ask to enforce a JSON schema.")
@click.option("--temperature", type=float, default=0.0, show_default=True)
@click.option("--max-tokens", type=int, default=2048, show_default=True, help="Of one answer.")
@click.option("--replicate", type=int, default=0, show_default=True, help="Number of a repetition.")
@click.option("--concurrency", type=int, default=32, show_default=True, help="Calls in flight.")
@click.option("--timeout", type=float, default=120.0, show_default=True, help="Of an attempt, s.")
@click.option("--deadline", type=float, default=600.0, show_default=True, help="Of a call, s.")
@click.option("--retries", type=int, default=4, show_default=True, help="Of a call that failed.")
@click.option("--strategy", default="weighted_mean", show_default=True, help="Aggregation.")
@click.option("--limit", type=int, help="Grade only the first so many responses.")
@click.option("--store", type=PATH, help="Completion store [default: OUT/store.sqlite].")
@output_options
@click.pass_context
def command(context: click.Context, /, output: Output, **options: Any) -> int:
    """Grade responses against rubrics; write verdicts.parquet and scores.parquet.

    Criteria with a check are decided by a program; the others are put to the judge, all of a
    rubric in one call. The API key is read from RUBRICBENCH_JUDGE_API_KEY or OPENAI_API_KEY, or
    from the variable you name. A run that was stopped, or lost verdicts to the service, goes on
    when it is started again: no answer is paid for twice.

    Exit code 0 when all is done, 1 when verdicts are missing because of the service.
    """
    from rubricbench.judging.files import Job, grade_files

    job = Job(
        **{name: options[name] for name in ("responses", "rubrics", "out", "store")},
        **{name: options[name] for name in ("limit", "strategy")},
        config=_config(options),
    )
    try:
        graded = grade_files(job, quiet=output.quiet, say=output.note)
    except KeyboardInterrupt:
        output.shortfall(f"stopped; every answer received is kept. To go on:\n  {_again(context)}")
        return 130
    _print(graded, job.out, output)
    if graded.summary.complete:
        return 0
    examples = "; ".join(f"{cause}: {detail}" for cause, detail in sorted(graded.faults.items()))
    output.shortfall(
        f"{graded.summary.lost:,} responses lost verdicts to the service ({examples}). "
        f"To ask for those again:\n  {_again(context)}"
    )
    return 1


def _config(options: dict[str, Any]) -> JudgeConfig | None:
    from rubricbench.judging.config import JudgeConfig

    base_url, model = options["judge_base_url"], options["judge_model"]
    if base_url is None and model is None:
        return None
    if base_url is None or model is None:
        missing = "--judge-base-url" if base_url is None else "--judge-model"
        raise InputError(f"{missing} is missing", hint="a judge is an endpoint and a model")
    same = ("temperature", "max_tokens", "replicate")
    pace = ("concurrency", "timeout", "deadline", "retries")
    return JudgeConfig(
        base_url=base_url,
        model=model,
        revision=options["judge_revision"],
        api_key_env=options["judge_api_key_env"],
        format=options["answer_format"],
        response_format=not options["no_response_format"],
        **{name: options[name] for name in (*same, *pace)},
    )


def _print(graded: Graded, out: Path, output: Output) -> None:
    import msgspec

    summary, tally = graded.summary, graded.tally
    if graded.match.unmatched:
        output.note(str(graded.match))
    document = {
        **msgspec.to_builtins(summary),
        "complete": summary.complete,
        "match": graded.match.as_dict(),
        "this_run": msgspec.to_builtins(tally),
        "faults": graded.faults,
    }
    now = (
        f"this time {tally.calls:,} calls answered, {tally.failed:,} failed, "
        f"{tally.stored:,} answers from the store"
    )
    output.result(
        document, f"{summary.text()}\n{now}\nwrote {out}/verdicts.parquet, scores.parquet"
    )


def _again(context: click.Context) -> str:
    """Return the command line that was given, in a form to paste."""
    parts = ["rubricbench", "judge"]
    for parameter in context.command.params:
        assert parameter.name is not None
        if context.get_parameter_source(parameter.name) is not ParameterSource.COMMANDLINE:
            continue
        parts.append(parameter.opts[0])
        if not getattr(parameter, "is_flag", False):
            parts.append(str(context.params[parameter.name]))
    return shlex.join(parts)
