"""The options that describe a judge, for every command that asks one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.judging.config import JudgeConfig

Command = TypeVar("Command", bound=Callable[..., Any])
FORMATS = ("json", "reasoned", "compact", "paper")
LAYOUTS = ("auto", "rubric_first", "response_first", "paper")


class NumberOrWord(click.ParamType):  # type: ignore[type-arg]
    """A number, or a word that stands for None.

    Args:
        number: int or float.
        word: the word.
    """

    def __init__(self, number: type[int] | type[float], word: str) -> None:
        self.number, self.word = number, word
        self.name = f"{'integer' if number is int else 'float'}|{word}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or None for the word."""
        if value == self.word:
            return None
        try:
            return self.number(value)
        except (TypeError, ValueError):
            kind = "whole number" if self.number is int else "number"
            return self.fail(f"{value!r} is neither a {kind} nor {self.word!r}", param, ctx)


# option -> field of JudgeConfig, where their names differ
_FIELDS = {
    "judge_model": "model",
    "judge_revision": "revision",
    "judge_backend": "backend",
    "judge_api_key_env": "api_key_env",
    "answer_format": "format",
}
_OPTIONS = (
    click.option(
        "--judge-config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="YAML of JudgeConfig's fields; options given beside it have the last word.",
    ),
    click.option(
        "--judge-base-url",
        multiple=True,
        help="OpenAI-compatible endpoint, up to /v1; again for replicas of the same model.",
    ),
    click.option("--judge-model", help="The model's name there; for a local backend, its folder."),
    click.option(
        "--judge-backend",
        type=click.Choice(["endpoint", "transformers", "vllm"]),
        default="endpoint",
        show_default=True,
        help="Where the model runs.",
    ),
    click.option("--judge-revision", default="", help="The model's revision, as you declare it."),
    click.option(
        "--judge-api-key-env", default="", help="Environment variable that holds the key."
    ),
    click.option(
        "--format",
        "answer_format",
        type=click.Choice(FORMATS),
        default="json",
        show_default=True,
        help="Form of the judge's answers.",
    ),
    click.option(
        "--layout",
        type=click.Choice(LAYOUTS),
        default="auto",
        show_default=True,
        help="Order of the prompt's parts.",
    ),
    click.option(
        "--criteria-per-call",
        type=NumberOrWord(int, "all"),
        default="all",
        show_default=True,
        help="Criteria asked about in one call.",
    ),
    click.option(
        "--no-repair", is_flag=True, help="Do not ask once more about what could not be read."
    ),
    click.option("--no-response-format", is_flag=True, help="Do not ask to enforce a JSON schema."),
    click.option(
        "--logprobs",
        type=int,
        default=0,
        show_default=True,
        help="Alternatives asked for at each token, for soft verdicts; 0 for none.",
    ),
    click.option(
        "--extra-body", help="JSON object of further request fields, sent as they are and keyed."
    ),
    click.option(
        "--temperature",
        type=NumberOrWord(float, "none"),
        default=0.0,
        show_default=True,
        help="Of the judge; none leaves it to the endpoint.",
    ),
    click.option(
        "--max-answer-tokens",
        "max_tokens",
        type=NumberOrWord(int, "none"),
        default=2048,
        show_default=True,
        help="Limit of one answer.",
    ),
    click.option("--replicate", type=int, default=0, help="Number of a repetition."),
    click.option("--concurrency", type=int, default=32, show_default=True, help="Calls in flight."),
    click.option(
        "--timeout", type=float, default=120.0, show_default=True, help="Of an attempt, s."
    ),
    click.option("--deadline", type=float, default=600.0, show_default=True, help="Of a call, s."),
    click.option(
        "--retries", type=int, default=4, show_default=True, help="Of a call that failed."
    ),
)


def judge_options(command: Command) -> Command:
    """Add the options that describe a judge to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def judge_config(context: click.Context) -> JudgeConfig | None:
    """Return the judge that a command's options describe; None where they name none.

    Args:
        context: of the command.

    Raises:
        InputError: half a judge is named, or a field cannot be used.
    """
    from rubricbench.judging.config import JudgeConfig
    from rubricbench.yaml_file import read_yaml, typed

    options = context.params
    path = options["judge_config"]
    fields = read_yaml(path) if path else {}
    if not isinstance(fields, dict):
        raise InputError("not a mapping of fields", where=str(path))
    given = {
        name: value
        for name, value in _given(options).items()
        if not path or context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    fields = {**fields, **_fields(given)}
    if not path and not _names_a_judge(options):
        return None
    return typed(fields, JudgeConfig, str(path)) if path else JudgeConfig(**fields)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    names = (
        *("judge_base_url", "judge_model", "judge_backend", "judge_revision"),
        *("judge_api_key_env", "answer_format", "layout", "criteria_per_call", "no_repair"),
        *("no_response_format", "logprobs", "extra_body", "temperature", "max_tokens"),
        *("replicate", "concurrency", "timeout", "deadline", "retries"),
        "rejudge",  # only where a command grades files
    )
    return {name: options[name] for name in names if name in options}


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `JudgeConfig` that options stand for."""
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if name == "judge_base_url":
            fields["base_url"], fields["endpoints"] = (value or ("",))[0], tuple(value[1:])
        elif name in ("no_repair", "no_response_format"):
            fields[name.removeprefix("no_")] = not value
        elif name == "extra_body":
            fields[name] = _json_object(value) if value else {}
        else:
            fields[_FIELDS.get(name, name)] = value
    return fields


def _names_a_judge(options: dict[str, Any]) -> bool:
    base_url, model = options["judge_base_url"], options["judge_model"]
    local = options["judge_backend"] != "endpoint"
    if not base_url and model is None and not local:
        return False
    if model is None or not (base_url or local):
        missing = "--judge-model" if model is None else "--judge-base-url"
        hint = "a judge is a model, and an endpoint unless it runs here (--judge-backend)"
        raise InputError(f"{missing} is missing", hint=hint)
    return True


def _json_object(text: str) -> dict[str, Any]:
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--extra-body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputError("--extra-body is not a JSON object")
    return value
