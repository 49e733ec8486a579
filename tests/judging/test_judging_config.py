"""A judge's configuration is checked where it is made, and says what decides the verdicts."""

from __future__ import annotations

import ast
import inspect

import pytest

from rubricbench.errors import InputError
from rubricbench.judging import JudgeConfig
from rubricbench.judging import config as config_module

GOOD = {"base_url": "http://127.0.0.1:8000/v1", "model": "m"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_url": "localhost:8000/v1"}, "http:// or https://"),
        ({"base_url": ""}, "no base URL; give the endpoint up to /v1, such as http://"),
        ({"endpoints": ("x:1",)}, "http:// or https://"),
        ({"endpoints": "http://x/v1"}, "endpoints must be a list"),
        ({"backend": "llama"}, "endpoint, transformers, vllm"),
        ({"backend": "vllm"}, "has no base URL"),
        ({"criteria_per_call": 0}, "criteria_per_call"),
        ({"layout": "circle"}, "auto, rubric_first"),
        ({"layout": "paper", "format": "reasoned"}, "do not go together"),
        ({"layout": "rubric_first", "format": "paper"}, "do not go together"),
        ({"rejudge": "some"}, "all, changed"),
        ({"logprobs": 21}, "logprobs must be a whole number from 0 to 20"),
        ({"extra_body": []}, "must be a JSON object"),
        ({"extra_body": {"messages": []}}, "may not hold 'messages'"),
        ({"extra_body": {"a": {"api_key": "sk-secret"}}}, "may not hold 'api_key'"),
        ({"extra_body": {"a": float("nan")}}, "not plain JSON"),
        ({"token_field": "tokens"}, "max_completion_tokens"),
        ({"base_url": "ftp://x/v1"}, "http:// or https://"),
        ({"base_url": "http:///v1"}, "http:// or https://"),
        ({"base_url": "http://[::1/v1"}, "not a URL"),
        ({"base_url": "http://x:port/v1"}, "not a URL"),
        ({"base_url": "https://sk-secret@x/v1"}, "no user name"),
        ({"base_url": "https://x/v1?key=sk-secret"}, "no user name, query"),
        ({"model": ""}, "model must be text"),
        ({"model": " "}, "model must be text"),
        ({"model": 7}, "model must be text"),
        ({"model": "a\nb"}, "cannot be printed"),
        ({"format": "xml"}, "json, reasoned,"),
        ({"temperature": -0.1}, "temperature must be a number from 0 to 2"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": "0"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens must be a whole number from 1"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 1_000_000}, "concurrency"),
        ({"concurrency": None}, "concurrency"),
        ({"timeout": 0.0}, "timeout"),
        ({"deadline": -1}, "deadline"),
        ({"retries": -1}, "retries"),
        ({"replicate": -1}, "replicate"),
    ],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(InputError, match=message) as caught:
        JudgeConfig(**{**GOOD, **change})
    assert "sk-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8000/v1",
        "http://127.0.0.1:8000/v1/",
        "http://127.0.0.1:8000/v1/chat/completions",
    ],
)
def test_the_address_may_be_given_as_people_give_it(base_url):
    config = JudgeConfig(base_url=base_url, model="m")
    assert config.url == "http://127.0.0.1:8000/v1/chat/completions"


def test_several_endpoints_are_each_known_once():
    config = JudgeConfig(**GOOD, endpoints=("http://b/v1", "http://127.0.0.1:8000/v1/"))
    assert config.base_urls == (config.url, "http://b/v1/chat/completions")


def test_a_local_judge_needs_no_address():
    config = JudgeConfig(model="m", backend="transformers")
    assert (config.url, config.base_urls) == ("local:transformers", ())


def test_the_papers_layout_brings_its_answer_form():
    assert JudgeConfig(**GOOD, layout="paper").format == "paper"
    assert JudgeConfig(**GOOD, format="paper").arrangement == "paper"


def test_identity_has_no_address_and_no_pace():
    identity = str(JudgeConfig(**GOOD, concurrency=77, timeout=88.0).identity())
    assert "127.0.0.1" not in identity
    assert "77" not in identity
    assert "88" not in identity


def test_name_joins_model_and_revision():
    assert JudgeConfig(**GOOD).name == "m"
    assert JudgeConfig(**GOOD, revision="2025-04").name == "m@2025-04"


def test_every_field_is_documented():
    tree = ast.parse(inspect.getsource(config_module))
    body = next(n for n in tree.body if getattr(n, "name", "") == "JudgeConfig").body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            documented = isinstance(following, ast.Expr) and isinstance(
                following.value, ast.Constant
            )
            assert documented, ast.unparse(node.target)
