"""Reading chat completions, as endpoints really send them."""

from __future__ import annotations

import json

import pytest

from rubricbench.judging.faults import Reply, error_text
from rubricbench.judging.usage import Tally, token_counts
from rubricbench.judging.wire import TokenLogprob, read_answer


def reply(message: dict, **more) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return json.dumps({"id": "x", "choices": [choice], "model": "m-1", **more}).encode()


@pytest.mark.parametrize(
    ("message", "text", "reasoning", "finish"),
    [
        ({"content": "a"}, "a", "", "stop"),
        ({"content": None}, "", "", "stop"),
        ({}, "", "", "stop"),
        ({"content": "a", "reasoning_content": "r"}, "a", "r", "stop"),
        ({"content": "a", "reasoning": "r"}, "a", "r", "stop"),
        ({"content": None, "refusal": "No."}, "No.", "", "refusal"),
        ({"content": "a", "refusal": None}, "a", "", "stop"),
        ({"content": [{"text": "a"}, {"type": "text", "text": "b"}]}, "ab", "", "stop"),
        ({"content": [{"type": "thinking", "thinking": "t"}, "odd", {"text": 3}]}, "", "", "stop"),
    ],
)  # fmt: skip
def test_text_reasoning_and_refusal_are_told_apart(message, text, reasoning, finish):
    answer = read_answer(reply(message))
    assert (answer.text, answer.reasoning, answer.finish_reason) == (text, reasoning, finish)
    assert answer.model == "m-1"


@pytest.mark.parametrize("odd", [[], {"a": 1}, 7, True, "[" * 3])
def test_odd_values_beside_the_answer_do_not_lose_it(odd):
    message = {"content": "a", "reasoning": odd, "refusal": odd}
    answer = read_answer(reply(message, usage=odd, model=odd))
    assert (answer.text, answer.usage) == ("a", {})
    assert isinstance(answer.reasoning, str)
    assert isinstance(answer.model, str)


def test_half_surrogates_and_broken_bytes_do_not_lose_a_paid_answer():
    assert read_answer(reply({"content": "a\ud83d"})).text == "a\ud83d"
    assert read_answer(reply({"content": "a@@"}).replace(b"@@", b"\xff")).text == "a\ufffd"


def with_logprobs(logprobs: object) -> bytes:
    choice = {"message": {"content": "Y N"}, "finish_reason": "stop", "logprobs": logprobs}
    return json.dumps({"choices": [choice]}).encode()


def test_tokens_of_an_answer_come_with_the_alternatives_in_their_place():
    first = {
        "token": "Y",
        "logprob": -0.25,
        "bytes": [89],
        "top_logprobs": [
            {"token": "Y", "logprob": -0.25, "bytes": [89]},
            {"token": "N", "logprob": -2},
        ],
    }
    second = {"token": " N", "logprob": 1e-7, "bytes": None, "top_logprobs": None}
    part = {"token": "\ufffd", "logprob": -1.0, "bytes": [226, 128]}
    assert read_answer(with_logprobs({"content": [first, second, part]})).logprobs == (
        TokenLogprob(b"Y", -0.25, (("Y", -0.25), ("N", -2.0))),
        TokenLogprob(b" N", 0.0),
        TokenLogprob(b"\xe2\x80", -1.0),
    )


TOKEN = {"token": "Y", "logprob": -0.25}


@pytest.mark.parametrize(
    "odd",
    [
        None, [], {}, 7, "x", True, {"content": None}, {"content": []}, {"content": "Y N"},
        {"tokens": ["Y"], "token_logprobs": [-0.25]},  # the form of another protocol
        {"content": [TOKEN, None]},
        {"content": [TOKEN, {"token": "N"}]},
        {"content": [{**TOKEN, "logprob": "-0.25"}]},
        {"content": [{**TOKEN, "logprob": None}]},
        {"content": [{**TOKEN, "logprob": 0.5}]},
        {"content": [{**TOKEN, "logprob": float("nan")}]},
        {"content": [{**TOKEN, "logprob": float("-inf")}]},
        {"content": [{**TOKEN, "bytes": [256]}]},
        {"content": [{**TOKEN, "bytes": "Y"}]},
        {"content": [{**TOKEN, "top_logprobs": [["Y", -0.25]]}]},
        {"content": [{**TOKEN, "top_logprobs": {"Y": -0.25}}]},
    ],
)  # fmt: skip
def test_logprobs_that_cannot_be_used_do_not_lose_the_answer(odd):
    answer = read_answer(with_logprobs(odd))
    assert (answer.text, answer.logprobs) == ("Y N", ())


def test_half_surrogates_in_a_token_do_not_lose_the_answer():
    data = with_logprobs({"content": [{"token": "\ud83d", "logprob": -1.0}]})
    answer = read_answer(data)
    assert (answer.text, answer.logprobs) == ("Y N", ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b"<html></html>",
        b"data: {}",
        b"[" * 100_000,
        b'{"choices": [{"message": {}}], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_completion_is_said_to_be_none(data):
    with pytest.raises(ValueError, match=r"."):
        read_answer(data)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, {}),
        ({}, {}),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
         {"prompt_tokens": 3, "completion_tokens": 2}),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
         {"prompt_tokens": 3, "cached_tokens": 1}),
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}},
         {"completion_tokens": 9, "reasoning_tokens": 7}),
        ({"prompt_tokens": None, "prompt_tokens_details": None}, {}),
        ({"prompt_tokens": "3", "completion_tokens": True, "prompt_tokens_details": [1]}, {}),
        ({"prompt_tokens": -1}, {}),
    ],
)  # fmt: skip
def test_token_counts_are_taken_from_where_they_are(usage, counts):
    assert token_counts(usage) == counts


def test_tally_counts_answers_without_usage():
    tally = Tally()
    tally.answered({"prompt_tokens": 3})
    tally.answered({})
    assert (tally.calls, tally.without_usage, tally.tokens) == (2, 1, {"prompt_tokens": 3})


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"error": {"message": "No\\n way", "code": "bad", "type": "t"}}', "bad t No way"),
        (b'{"message": "vLLM says", "code": 404}', "404 vLLM says"),
        (b'{"error": "flat"}', "flat"),
        (b'{"detail": "FastAPI"}', '{"detail": "FastAPI"}'),
        (b"plain  text\n", "plain text"),
        (b"\x1b[31mred\x07", "?[31mred?"),
        (b"\xff", "\ufffd"),
        (b"", ""),
    ],
)
def test_an_error_body_becomes_one_line(data, text):
    assert error_text(data) == text


def test_a_page_is_not_quoted():
    assert Reply(502, b"  <html>long page</html>").detail == "HTTP 502: a page of HTML"
