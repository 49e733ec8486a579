"""Endpoints that want a request otherwise: understood where nothing is lost, else told how."""

from __future__ import annotations

import pytest
from judging_samples import config, items, make_rubric
from simserver.dialect import Dialect
from simserver.server import SimServer

from rubricbench.errors import EndpointError
from rubricbench.judging import Judge


def test_an_endpoint_that_wants_the_newer_name_of_the_limit_gets_it(store):
    with SimServer(dialect=Dialect(token_field="max_completion_tokens")) as server:
        judge = Judge(config(server, concurrency=1), store)
        graded = judge.grade_all(items(5))
        assert server.requests == 6  # the first was refused once
        assert server.bodies[-1]["max_completion_tokens"] == 2048
        assert "max_tokens" not in server.bodies[-1]
    assert all(j.score.value is not None for j in graded)
    assert judge.tally.failed == 0


def test_the_name_in_a_response_is_left_alone(store):
    with SimServer(dialect=Dialect(token_field="max_completion_tokens")) as server:
        Judge(config(server, max_tokens=None), store).grade(make_rubric(), '{"max_tokens": 5}')
        Judge(config(server), store).grade(make_rubric(), '{"max_tokens": 5}')
        for body in server.bodies:
            assert '{"max_tokens": 5}' in body["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("dialect", "changes", "hint"),
    [
        (Dialect(fixed_temperature=True), {}, "--temperature none"),
        (Dialect(logprobs="refused"), {"logprobs": 5}, "--logprobs 0"),
        (Dialect(schema="refused"), {}, "--no-response-format"),
        (
            Dialect(strict=True),
            {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
            "chat_template_kwargs",
        ),
    ],
)
def test_an_option_that_is_refused_is_named_with_what_to_do(store, dialect, changes, hint):
    with SimServer(dialect=dialect) as server:
        with pytest.raises(EndpointError, match=hint) as caught:
            Judge(config(server, **changes), store).grade_all(items(20))
        assert server.requests <= 32  # nobody goes on asking
    assert "\n" not in str(caught.value)


def test_without_the_option_it_works(store):
    with SimServer(dialect=Dialect(fixed_temperature=True, schema="refused")) as server:
        judge = Judge(config(server, temperature=None, response_format=False), store)
        assert judge.grade(make_rubric(), "x").score.value is not None
