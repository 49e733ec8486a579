from __future__ import annotations

import pytest

from rubricbench.report.settings import WITHHELD, flatten


def test_nested_settings_become_dotted_names_in_order() -> None:
    found = list(flatten({"b": {"y": 1, "x": [1, 2]}, "a": None, "empty": {}, "t": "text"}))
    assert found == [("b.y", "1"), ("b.x", "[1, 2]"), ("a", "null"), ("empty", "{}"), ("t", "text")]


@pytest.mark.parametrize(
    "name", ["api_key", "OPENAI_API_KEY", "judge.apikey", "Authorization", "hf_token", "password"]
)
def test_secrets_are_withheld(name: str) -> None:
    assert list(flatten({name: "s3cret"})) == [(name, WITHHELD)]


def test_headers_are_withheld_as_a_whole() -> None:
    assert list(flatten({"headers": {"x": "s3cret"}})) == [("headers", WITHHELD)]


@pytest.mark.parametrize("name", ["max_gen_toks", "tokens", "author", "keywords", "pad_token"])
def test_harmless_names_are_shown(name: str) -> None:
    assert list(flatten({name: "5"})) == [(name, "5")]


def test_logins_in_urls_are_cut() -> None:
    found = list(flatten({"urls": ["http://me:pw@host:8000/v1"], "url": "https://tok@host/a@b"}))
    assert found == [("urls", '["http://host:8000/v1"]'), ("url", "https://host/a@b")]


def test_secrets_are_found_inside_lists_and_argument_strings() -> None:
    settings = {
        "judges": [{"url": "http://h", "api_key": "s3cret"}],
        "model_args": "pretrained=m,api_key=s3cret,max_tokens=5",
    }
    assert list(flatten(settings)) == [
        ("judges", '[{"url": "http://h", "api_key": "(withheld)"}]'),
        ("model_args", "pretrained=m,api_key=(withheld),max_tokens=5"),
    ]


def test_long_values_are_cut() -> None:
    ((_, text),) = flatten({"prompt": "x" * 9000})
    assert text == "x" * 2000 + "…"
