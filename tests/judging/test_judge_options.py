"""A judge described on the command line, in a file, or half and half."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from rubricbench.cli.judge_options import judge_config, judge_options
from rubricbench.errors import InputError
from rubricbench.judging import JudgeConfig

URL = "http://127.0.0.1:8000/v1"


def described(*arguments: str) -> JudgeConfig | None:
    found = []

    @click.command()
    @judge_options
    @click.pass_context
    def command(context, /, **options):
        found.append(judge_config(context))

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return found[0]


def test_defaults_are_those_of_the_configuration():
    given = described("--judge-base-url", URL, "--judge-model", "m")
    assert given == JudgeConfig(base_url=URL, model="m")
    assert described() is None


def test_every_option_reaches_its_field():
    given = described(
        *("--judge-base-url", URL, "--judge-base-url", "http://b/v1", "--judge-model", "m"),
        *("--judge-revision", "r", "--judge-api-key-env", "KEY", "--format", "compact"),
        *("--layout", "response_first", "--criteria-per-call", "2", "--no-repair"),
        *("--no-response-format", "--logprobs", "5", "--temperature", "none"),
        *("--max-answer-tokens", "none", "--replicate", "3", "--concurrency", "4"),
        *(
            "--timeout",
            "5",
            "--deadline",
            "6",
            "--retries",
            "7",
            "--extra-body",
            '{"reasoning_effort": "low"}',
        ),
    )
    assert given == JudgeConfig(
        base_url=URL,
        endpoints=("http://b/v1",),
        model="m",
        revision="r",
        api_key_env="KEY",
        format="compact",
        layout="response_first",
        criteria_per_call=2,
        repair=False,
        response_format=False,
        logprobs=5,
        temperature=None,
        max_tokens=None,
        replicate=3,
        concurrency=4,
        timeout=5.0,
        deadline=6.0,
        retries=7,
        extra_body={"reasoning_effort": "low"},
    )


def test_a_model_may_be_called_all_and_a_revision_none():
    given = described("--judge-base-url", URL, "--judge-model", "all", "--judge-revision", "none")
    assert given == JudgeConfig(base_url=URL, model="all", revision="none")


def test_a_local_judge_needs_no_address():
    given = described("--judge-backend", "transformers", "--judge-model", "folder")
    assert given == JudgeConfig(backend="transformers", model="folder")


def test_a_file_describes_a_judge_and_options_have_the_last_word(tmp_path):
    file = tmp_path / "judge.yaml"
    file.write_text(f"base_url: {URL}\nmodel: m\nformat: reasoned\nmax_tokens: 77\n")
    assert described("--judge-config", str(file)) == JudgeConfig(
        base_url=URL, model="m", format="reasoned", max_tokens=77
    )
    changed = described("--judge-config", str(file), "--format", "json")
    assert changed == JudgeConfig(base_url=URL, model="m", max_tokens=77)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--judge-base-url", URL], "--judge-model is missing"),
        (["--judge-model", "m"], "--judge-base-url is missing"),
        (["--judge-backend", "vllm"], "--judge-model is missing"),
        (["--judge-base-url", URL, "--judge-model", "m", "--extra-body", "{"], "not JSON"),
        (["--judge-base-url", URL, "--judge-model", "m", "--extra-body", "[]"], "not a JSON obj"),
        (["--temperature", "warm"], "neither a number nor 'none'"),
        (["--criteria-per-call", "1.5"], "neither a whole number nor 'all'"),
    ],
)
def test_what_is_wrong_is_said(arguments, said):
    with pytest.raises((InputError, click.UsageError), match=said):
        described(*arguments)


@pytest.mark.parametrize(
    ("text", "said"),
    [("- 1", "not a mapping"), ("modle: m", "modle"), ("model: m", "no base URL")],
)
def test_a_wrong_file_is_named(tmp_path, text, said):
    file = tmp_path / "judge.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        described("--judge-config", str(file))
    assert str(file) in str(caught.value)
