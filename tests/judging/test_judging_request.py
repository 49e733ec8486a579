"""What is keyed, what is sent, and that the quick way to the key is the slow way's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_samples import make_rubric

from rubricbench.judging import JudgeConfig
from rubricbench.judging.formats import FORMATS, get_format
from rubricbench.judging.render import frame
from rubricbench.judging.request import Question
from rubricbench.store import request_key

RUBRIC = make_rubric()
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=80)


def config(**changes) -> JudgeConfig:
    return JudgeConfig(**{"base_url": "http://127.0.0.1:1/v1", "model": "m", **changes})


def question(secret: bytes = b"s", **changes) -> Question:
    return Question(config(**changes), RUBRIC, RUBRIC.criteria, secret)


@pytest.mark.parametrize("form", FORMATS)
@given(response=TEXT)
def test_the_key_is_that_of_the_store(form, response):
    asked = question(format=form)
    form_ = get_format(form)
    layout = config(format=form).arrangement
    messages = frame(RUBRIC.prompt, RUBRIC.criteria, asked.labels.canonical, form_, layout)
    identity = {
        **config().identity(),
        "messages": messages.messages(response),
        "response_format": form_.schema(asked.labels.canonical),
    }
    request = asked.request(response)
    assert (request.key, request.identity) == request_key(identity)


@given(response=TEXT)
def test_the_body_is_what_a_judge_must_see(response):
    asked = question()
    body = json.loads(asked.request(response).body)
    shown = frame(RUBRIC.prompt, RUBRIC.criteria, asked.labels.shown, get_format("json"))
    assert body["messages"] == shown.messages(response)
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.0, 2048)
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == list(asked.labels.shown)


def test_the_key_does_not_depend_on_secret_or_address():
    keys = {
        question(b"one").request("x").key,
        question(b"two").request("x").key,
        question(base_url="https://replica.example/v1", timeout=3.0).request("x").key,
    }
    assert len(keys) == 1


def test_bodies_of_two_secrets_differ():
    assert question(b"one").request("x").body != question(b"two").request("x").body


def test_everything_that_decides_the_answer_is_in_the_key():
    changes = [
        {},
        {"model": "other"},
        {"revision": "2"},
        {"format": "reasoned"},
        {"format": "paper"},
        {"temperature": 0.5},
        {"temperature": None},
        {"max_tokens": 10},
        {"replicate": 1},
        {"response_format": False},
        {"layout": "response_first"},
        {"logprobs": 5},
        {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
        {"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}},
    ]
    keys = {question(**change).request("x").key for change in changes}
    assert len(keys) == len(changes)
    assert question().request("y").key not in keys


def test_what_is_not_wanted_is_not_sent():
    asked = question(temperature=None, max_tokens=None, response_format=False)
    body = json.loads(asked.request("x").body)
    assert body.keys() == {"model", "messages"}


def test_a_repair_is_asked_and_kept_apart():
    again = Question(config(), RUBRIC, RUBRIC.criteria, b"s", repair=True)
    assert again.request("x").key != question().request("x").key


def test_further_fields_are_sent_as_they_are_and_the_limit_goes_by_the_endpoints_name():
    thinking = {"chat_template_kwargs": {"enable_thinking": False}}
    asked = question(extra_body=thinking, token_field="max_completion_tokens", logprobs=5)
    body = json.loads(asked.request("x").body)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert (body["logprobs"], body["top_logprobs"]) == (True, 5)
    assert body["max_completion_tokens"] == 2048
    assert "max_tokens" not in body
    assert asked.request("x").key == question(extra_body=thinking, logprobs=5).request("x").key


def test_no_label_reaches_the_stored_identity():
    asked = question()
    identity = asked.request("x").identity.decode()
    assert not any(label in identity for label in asked.labels.shown)
    assert all(label in identity for label in asked.labels.canonical)
