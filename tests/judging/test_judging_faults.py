"""The judge against an endpoint that does everything an endpoint can do wrong."""

from __future__ import annotations

import logging
import time

import pytest
from judging_samples import config, expected_raw, items, make_rubric
from simserver.faults import FAULTS, _is
from simserver.server import SimServer, always, at_first, mixed

from rubricbench.errors import EndpointError, InputError
from rubricbench.judging import Judge, JudgeConfig, Judged
from rubricbench.judging import breaker as breaker_module
from rubricbench.judging.endpoint import Endpoint
from rubricbench.judging.faults import error_text
from rubricbench.judging.pace import Slot
from rubricbench.judging.usage import Tally
from rubricbench.schema import Cause, Status
from rubricbench.store import Store

RUBRIC = make_rubric()


def after_the_first(name: str):
    """The first request is answered, so the endpoint is known to be one."""
    return lambda call: name if call.number > 1 else ""


SLOW = ("hang", "drip")  # what a time-out is for


def assert_right(judged: Judged) -> None:
    assert judged.score.raw == expected_raw(judged.item.rubric, judged.item.response)


@pytest.mark.parametrize("form", ["json", "reasoned", "paper"])
def test_verdicts_are_the_judges(store, form):
    with SimServer() as server:
        judged = Judge(config(server, format=form), store).grade(RUBRIC, 'An "answer" — ok\n```\nx')
    assert_right(judged)
    # Positive weights 3 + 1.
    assert judged.score.value == judged.score.raw / 4


@pytest.mark.parametrize(
    "dress",
    [
        "fenced",
        "think",
        "only the end of think",
        "reasoning",
        "parts",
        "whole at the limit",
        "half surrogate",
        "bad utf-8",
        "extra id",
    ],
)
def test_answers_in_unusual_dress_are_read(store, dress):
    with SimServer(fault=always(dress)) as server:
        assert_right(Judge(config(server), store).grade(RUBRIC, "x"))


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("garbage", Cause.UNPARSABLE),
        ("prose around", Cause.UNPARSABLE),
        ("list", Cause.UNPARSABLE),
        ("wrong values", Cause.UNPARSABLE),
        ("wrong ids", Cause.UNEXPECTED_ID),
        ("refusal", Cause.REFUSAL),
        ("refusal field", Cause.REFUSAL),
        ("filtered", Cause.FILTERED),
        ("truncated", Cause.TRUNCATED),
        ("unclosed think", Cause.TRUNCATED),
        ("reasoned to the limit", Cause.TRUNCATED),
        ("empty", Cause.EMPTY),
        ("null", Cause.EMPTY),
    ],
)
def test_an_answer_that_cannot_be_read_is_unknown_counted_and_paid_for_once(store, fault, cause):
    with SimServer(fault=always(fault)) as server:
        judge = Judge(config(server, repair=False), store)
        judged = judge.grade(RUBRIC, "x")
        again = judge.grade(RUBRIC, "x")
        assert server.requests == 1
    assert {v.cause for v in judged.verdicts} == {cause}
    assert again.verdicts == judged.verdicts
    assert not cause.is_infrastructure
    # Bounds over weights 3, 1, -2: worst -2/4, best 4/4.
    assert (judged.score.value, judged.score.low, judged.score.high) == (None, -0.5, 1.0)
    assert judged.usage == {"prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 64}
    assert judge.tally.tokens == judged.usage


@pytest.mark.parametrize(
    ("fault", "cause"), [("missing id", Cause.MISSING_ID), ("duplicate id", Cause.DUPLICATE_ID)]
)
def test_a_fault_of_one_criterion_stays_with_it(store, fault, cause):
    with SimServer(fault=always(fault)) as server:
        judged = Judge(config(server), store).grade(RUBRIC, "x")
    assert [v.cause for v in judged.verdicts] == [cause, None, None]


@pytest.mark.parametrize(
    "fault",
    [
        *("429", "429 in a second", "429 by date", "500", "502", "error in 200"),
        *("hang", "drip", "cut off", "flood"),
    ],
)
def test_a_passing_fault_is_tried_again(store, fault):
    with SimServer(fault=at_first(fault)) as server:
        judge = Judge(config(server, timeout=0.5 if fault in SLOW else 10.0), store)
        assert_right(judge.grade(RUBRIC, "x"))
        assert server.requests == judge.tally.attempts == 2


def test_a_turn_that_never_came_is_a_time_out_where_nobody_said_too_many(store):
    with SimServer(fault=always("hang")) as server:
        judge = Judge(config(server, timeout=5.0, deadline=0.5, concurrency=16), store)
        judged = judge.grade_all(items(16))
    assert {v.cause for j in judged for v in j.verdicts} == {Cause.TIMEOUT}


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [(529, {}, True), (503, {"Retry-After": "1"}, True), (503, {}, False), (500, {}, False)],
)
def test_an_overloaded_server_is_asked_more_slowly(store, monkeypatch, status, headers, told):
    refused = []
    monkeypatch.setattr(Slot, "refused", lambda self, *how: refused.append(how) or self.failed())
    monkeypatch.setitem(FAULTS, "busy", _is(status, "overloaded", **headers))
    with SimServer(fault=at_first("busy")) as server:
        assert_right(Judge(config(server), store).grade(RUBRIC, "x"))
    assert bool(refused) is told


def test_refusals_for_the_rate_use_up_no_retries(store):
    with SimServer(fault=at_first("429", 5)) as server:
        assert_right(Judge(config(server, retries=0), store).grade(RUBRIC, "x"))
        assert server.requests == 6


def test_a_wait_beyond_the_deadline_is_not_begun(store):
    with SimServer(fault=always("429 for an hour")) as server:
        start = time.monotonic()
        judged = Judge(config(server, deadline=30.0), store).grade(RUBRIC, "x")
        assert time.monotonic() - start < 5
        assert server.requests == 1
    assert {v.cause for v in judged.verdicts} == {Cause.RATE_LIMITED}


def test_the_deadline_ends_attempts_under_way_too(store):
    with SimServer(fault=always("hang")) as server:
        start = time.monotonic()
        judged = Judge(config(server, timeout=20.0, deadline=0.5), store).grade(RUBRIC, "x")
        assert time.monotonic() - start < 5
    assert {v.cause for v in judged.verdicts} == {Cause.TIMEOUT}


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("500", Cause.SERVER_ERROR),
        ("html", Cause.SERVER_ERROR),
        ("no choices", Cause.SERVER_ERROR),
        ("not json", Cause.SERVER_ERROR),
        ("flood", Cause.SERVER_ERROR),
        ("bomb", Cause.SERVER_ERROR),
        ("hang", Cause.TIMEOUT),
        ("drip", Cause.TIMEOUT),
        ("cut off", Cause.CONNECTION),
        ("400", Cause.REJECTED),
        ("403", Cause.REJECTED),
        ("404", Cause.REJECTED),
    ],
)
def test_a_fault_that_stays_is_unknown_and_asked_again_next_time(store, fault, cause):
    with SimServer(fault=after_the_first(fault)) as server:
        timeout = 0.4 if fault in SLOW else 10.0
        judge = Judge(config(server, timeout=timeout, retries=1, concurrency=1), store)
        first, second = judge.grade_all(items(2))
        assert_right(first)
        assert {v.cause for v in second.verdicts} == {cause}
        assert cause.is_infrastructure
        assert second.score.coverage == 0.0
        assert second.fault
        server.fault = always("")
        assert_right(judge.grade(second.item.rubric, second.item.response))
    store.flush()
    assert store.count() == 2


@pytest.mark.parametrize(
    ("fault", "cause"), [("overflow", Cause.OVERFLOW), ("prompt filtered", Cause.FILTERED)]
)
def test_what_the_response_itself_brings_about_is_no_fault_of_the_service(store, fault, cause):
    with SimServer(fault=always(fault)) as server:
        judged = Judge(config(server), store).grade(RUBRIC, "x")
        assert server.requests == 1
    assert {v.cause for v in judged.verdicts} == {cause}
    assert not cause.is_infrastructure


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("404", "HTTP 404: model_not_found.*does not exist.*is 'm' served there.*/v1"),
        ("html", "does not look like an OpenAI-compatible endpoint.*doctype.*usually ends in /v1"),
        ("not json", "does not look like an OpenAI-compatible endpoint.*upstream failed"),
        ("no choices", "does not look like an OpenAI-compatible endpoint"),
        ("403", "HTTP 403.*RUBRICBENCH_JUDGE_API_KEY or OPENAI_API_KEY"),
        ("quota", "HTTP 429: insufficient_quota.*quota is used up"),
        ("redirect", "HTTP 307.*points to 'http://127.0.0.1:9/v1'"),
    ],
)
def test_a_wrong_configuration_ends_the_run_at_once(store, fault, message):
    with SimServer(fault=always(fault)) as server:
        with pytest.raises(EndpointError, match=message) as caught:
            Judge(config(server), store).grade(RUBRIC, "x")
        assert server.requests == 1
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_a_model_that_is_not_served_is_named_with_those_that_are(store):
    with (
        SimServer(models=["big", "small"]) as server,
        pytest.raises(EndpointError, match="does not serve the model 'm'; it serves: big, small"),
    ):
        Judge(config(server), store).grade(RUBRIC, "x")


def test_names_of_served_models_are_fit_for_a_terminal(store):
    with (
        SimServer(models=["red\x1b[31m\nline" + "x" * 5000]) as server,
        pytest.raises(EndpointError, match=r"it serves: red\?\[31m linexxx") as caught,
    ):
        Judge(config(server), store).grade(RUBRIC, "x")
    assert len(str(caught.value)) < 400


def test_a_redirect_that_quotes_the_key_does_not_show_it(store, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "127.0.0.1:9")  # what the redirect holds
    with (
        SimServer(fault=always("redirect")) as server,
        pytest.raises(EndpointError, match=r"points to 'http://\[key\]/v1'"),
    ):
        Judge(config(server), store).grade(RUBRIC, "x")


def test_refusals_nobody_can_explain_end_the_run_after_a_few_calls(store):
    with SimServer(fault=always("400")) as server:
        judge = Judge(config(server, concurrency=1, response_format=False), store)
        with pytest.raises(EndpointError, match=r"3 calls in a row.*response_format is not"):
            judge.grade_all(items(50))
        assert server.requests == 3


def test_nobody_there_is_one_clear_line(store):
    with SimServer() as gone:
        pass
    start = time.monotonic()
    with pytest.raises(EndpointError, match=r"cannot be reached: .*is the server running"):
        Judge(config(gone), store).grade(RUBRIC, "x")
    assert time.monotonic() - start < 10


def test_no_such_host_is_one_clear_line(store):
    with SimServer() as server:
        judge = Judge(config(server, base_url="http://no-such-host.invalid/v1"), store)
        with pytest.raises(EndpointError, match=r"no-such-host\.invalid.*cannot be reached"):
            judge.grade(RUBRIC, "x")


def test_an_endpoint_that_dies_midway_stops_the_run(store, monkeypatch):
    monkeypatch.setattr(breaker_module, "LEAST_FAILURES_IN_A_ROW", 5)
    with SimServer(fault=lambda call: "500" if call.number > 10 else "") as server:
        judge = Judge(config(server, concurrency=1, retries=0), store)
        with pytest.raises(EndpointError, match="5 calls in a row failed, the last with: HTTP 500"):
            judge.grade_all(items(100))
        assert server.requests == 15
    store.flush()
    assert store.count() == 10


def test_what_was_answered_before_the_end_is_kept_and_calls_under_way_too(store):
    # The eleventh request is refused for good while the twelfth to the fourteenth are under way.
    quota = SimServer(latency=0.1, fault=lambda call: "quota" if call.number == 11 else "")
    with quota as server, pytest.raises(EndpointError):
        Judge(config(server, concurrency=4), store).grade_all(items(100))
    store.flush()
    assert store.count() == server.answered >= 13


def test_a_fifth_of_calls_disturbed_leaves_every_verdict_right_or_truly_unknown(store):
    passing = ["429", "500", "502", "hang", "cut off", "error in 200"]
    answers = {
        "garbage": Cause.UNPARSABLE,
        "wrong ids": Cause.UNEXPECTED_ID,
        "refusal": Cause.REFUSAL,
        "truncated": Cause.TRUNCATED,
        "empty": Cause.EMPTY,
    }
    draw = mixed(passing + list(answers), 0.2)
    ends: dict[str, str] = {}

    def fault(call):
        name = draw(call)
        ends[call.key] = name
        return name

    with SimServer(fault=fault) as server:
        judge = Judge(config(server, timeout=0.5, retries=9, repair=False), store)
        graded = judge.grade_all(items(400))
        log = server.log()
    unknown = dict.fromkeys(answers.values(), 0)
    for judged in graded:
        causes = {v.cause for v in judged.verdicts}
        if causes == {None}:
            assert_right(judged)
        else:
            (cause,) = causes
            unknown[cause] += 1
    # The server's own log: an answer is what a question's last reply was.
    for name, cause in answers.items():
        assert unknown[cause] == sum(end == name for end in ends.values())
    assert sum(unknown.values()) > 10
    assert log["replies"]["hang"] > 0
    assert judge.tally.attempts == log["requests"]
    assert judge.tally.calls == 400
    assert judge.tally.failed == 0


def test_checked_criteria_never_go_to_the_model(store):
    rubric = make_rubric(checked=True)
    with SimServer() as server:
        judged = Judge(config(server), store).grade(rubric, "one, two")
        assert "Has no comma" not in str(server.bodies[0])
    assert judged.verdicts[3].status is Status.UNMET
    assert judged.score.coverage == 1.0
    assert_right_but_checked = expected_raw(make_rubric(), "one, two")
    assert judged.score.raw == assert_right_but_checked


class TestKey:
    SECRET = "sk-very-secret"

    def test_it_is_sent_and_stands_nowhere_else(self, store, monkeypatch, caplog, tmp_path):
        caplog.set_level(logging.DEBUG)
        monkeypatch.setenv("OPENAI_API_KEY", self.SECRET)
        with SimServer(api_key=self.SECRET) as server:
            judged = Judge(config(server), store).grade(RUBRIC, "x")
        store.flush()
        assert self.SECRET not in caplog.text
        assert self.SECRET not in repr(judged)
        for file in tmp_path.iterdir():
            assert self.SECRET.encode() not in file.read_bytes()

    def test_our_own_variable_goes_first(self, store, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "other")
        monkeypatch.setenv("RUBRICBENCH_JUDGE_API_KEY", f" {self.SECRET}\n")
        with SimServer(api_key=self.SECRET) as server:
            assert Judge(config(server), store).grade(RUBRIC, "x").score.coverage == 1.0

    @pytest.mark.parametrize("variable", ["", "MY_KEY"])
    def test_a_wrong_one_is_one_clear_line(self, store, monkeypatch, variable):
        monkeypatch.setenv(variable or "OPENAI_API_KEY", "wrong-key")
        hint = variable or "RUBRICBENCH_JUDGE_API_KEY or OPENAI_API_KEY"
        with (
            SimServer(api_key=self.SECRET) as server,
            pytest.raises(EndpointError, match=rf"HTTP 401.*variable {hint}") as caught,
        ):
            Judge(config(server, api_key_env=variable), store).grade(RUBRIC, "x")
        assert "wrong-key" not in str(caught.value)  # though the endpoint quotes it
        assert "[key]" in str(caught.value)
        assert server.requests == 1

    def test_none_sends_no_header(self, store):
        with SimServer() as server:
            Judge(config(server), store).grade(RUBRIC, "x")
            assert "Authorization" not in server.headers[0]

    def test_a_named_variable_must_be_set(self, store):
        with SimServer() as server, pytest.raises(InputError, match="NO_SUCH_KEY is not set"):
            Judge(config(server, api_key_env="NO_SUCH_KEY"), store).grade(RUBRIC, "x")
        assert server.requests == 0

    def test_what_cannot_be_a_key_is_not_sent(self, store, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "sk-ключ")
        with SimServer() as server, pytest.raises(InputError, match="OPENAI_API_KEY") as caught:
            Judge(config(server), store).grade(RUBRIC, "x")
        assert "ключ" not in str(caught.value)


def test_a_proxy_of_the_environment_is_not_used_on_this_machine(store, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with SimServer() as server:
        assert_right(Judge(config(server), store).grade(RUBRIC, "x"))


def test_a_store_replays_without_an_endpoint(tmp_path):
    work = items(40)
    with SimServer() as server, Store.open(tmp_path / "s.sqlite") as store:
        first = Judge(config(server), store).grade_all(work)
    with Store.open(tmp_path / "s.sqlite") as store:
        again = Judge(config(server), store).grade_all(work)
    assert [j.verdicts for j in again] == [j.verdicts for j in first]
    assert {str(j.source) for j in again} == {"store"}


@pytest.mark.parametrize(
    "quoted",
    [
        '{"error": {"message": "no key a/b<c&d"}}',
        '{"error": {"message": "no key a\\/b<c&d"}}',  # as PHP writes it
        '{"error": {"message": "no key a/b\\u003cc\\u0026d"}}',  # as Go does
    ],
)
def test_a_key_that_is_quoted_with_escapes_is_not_shown(quoted):
    endpoint = Endpoint(JudgeConfig(base_url="http://x/v1", model="m"), Tally(), "a/b<c&d")
    assert error_text(endpoint._without_key(quoted.encode())) == "no key [key]"
