"""The simulator itself: what the other tests take its word for."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.request
from typing import Any

import pytest
from judging_samples import make_rubric
from simserver.answers import pieces, values, written
from simserver.asked import Question as Asked
from simserver.asked import outline, read_question
from simserver.dialect import Dialect
from simserver.faults import FAULTS, Says
from simserver.latent import LatentJudge, truth
from simserver.prefix_cache import PrefixCache
from simserver.process import SimProcess
from simserver.server import SimServer, always, mixed
from simserver.tokens import STYLES, answer_tokens, cut

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.formats import FORMATS
from rubricbench.judging.request import Question
from rubricbench.schema import Criterion, Message, Prompt, Rubric

RUBRIC = make_rubric()
TEXTS = [c.criterion for c in RUBRIC.criteria]
# (format, layout) that go together: the published order has its own form
COMBINATIONS = [
    (form, layout)
    for form in FORMATS
    for layout in ("rubric_first", "response_first", "paper")
    if (form == "paper") == (layout == "paper")
]


def request_body(
    response: str, rubric: Rubric = RUBRIC, *, repair: bool = False, **fields: Any
) -> dict[str, Any]:
    config = JudgeConfig(base_url="http://127.0.0.1:9/v1", model="m", **fields)
    question = Question(config, rubric, rubric.criteria, b"secret", repair=repair)
    return json.loads(question.request(response).body)


def send(server: SimServer, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"{server.base_url}/chat/completions", data) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def content_of(server: SimServer, body: dict[str, Any]) -> str:
    return send(server, body)[1]["choices"][0]["message"]["content"]


class TestReading:
    @pytest.mark.parametrize(("form", "layout"), COMBINATIONS)
    def test_every_form_and_layout_is_read_as_it_was_meant(self, form, layout):
        criteria = (
            Criterion(criterion="One line [x] here", weight=1),
            Criterion(criterion="Two\n[fake] lines", weight=1),
        )
        turns = (
            Message("user", "First?"),
            Message("assistant", "# Response\n"),
            Message("user", "?"),
        )
        rubric = Rubric(prompt=Prompt(messages=turns), criteria=criteria)
        response = "Fine.\n```\n# Criteria\n[c1] no\n```\n"
        body = request_body(response, rubric, format=form, layout=layout)
        asked = read_question(body["messages"])
        assert asked is not None
        assert [text for _, text in asked.criteria] == [c.criterion for c in criteria]
        assert (asked.response, asked.form) == (response, form)
        assert asked.conversation == ("First?", "# Response\n", "?")
        assert not asked.repair
        first = asked.order.index("criteria") < asked.order.index("response")
        assert first == (layout == "rubric_first")

    def test_a_repair_is_told_apart_and_is_a_question_of_its_own(self):
        plain, repair = (
            read_question(request_body("x", repair=told)["messages"]) for told in (False, True)
        )
        assert plain
        assert repair
        assert repair.repair
        assert repair.criteria == plain.criteria
        assert repair.key != plain.key

    def test_labels_do_not_make_another_question(self):
        one = Asked((("a", "t"),), "r", "json")
        assert one.key == Asked((("b", "t"),), "r", "json").key
        assert one.key != Asked((("a", "t"),), "s", "json").key

    def test_what_asks_for_no_grading_is_no_question(self):
        assert read_question([{"role": "user", "content": "Hello\n```\n# Response\n```"}]) is None

    def test_a_fence_is_closed_by_its_like_alone(self):
        parts = list(outline("a\n````\n```\nx\n```\n````\nb"))
        assert parts[0] == "a"
        assert parts[1].text == "```\nx\n```"
        assert parts[2] == "b"
        assert list(outline("```\nnever closed")) == ["```", "never closed"]


class TestLatentJudge:
    PAIRS = tuple((f"criterion {i % 40}", f"response {i}") for i in range(4_000))

    def share(self, judge: LatentJudge, is_met: bool) -> float:
        pairs = [pair for pair in self.PAIRS if truth(*pair) is is_met]
        return sum(judge.verdict(*pair) for pair in pairs) / len(pairs)

    def test_it_errs_at_its_rates(self):
        judge = LatentJudge(sensitivity=0.9, specificity=0.8, seed=3)
        # About 2,000 pairs each: standard errors sqrt(.9 * .1 / 2000) = .0067 and .0089.
        assert abs(self.share(judge, True) - 0.9) < 4 * 0.0067
        assert abs(self.share(judge, False) - 0.2) < 4 * 0.0089

    def test_a_criterion_may_have_rates_of_its_own(self):
        judge = LatentJudge(by_criterion={"criterion 7": (0.0, 0.0)})
        for criterion, response in self.PAIRS[:400]:
            found = judge.verdict(criterion, response)
            assert found is (truth(criterion, response) != (criterion == "criterion 7"))

    def test_the_same_response_gets_the_same_verdict_at_temperature_0(self):
        judge = LatentJudge(sensitivity=0.7, specificity=0.7, noise=1.0)
        for pair in self.PAIRS[:200]:
            found = {judge.verdict(*pair, draw=str(i)) for i in range(5)}
            assert found == {judge.log_odds(*pair) > 0}
            assert (judge.p_met(*pair) > 0.5) is found.pop()

    def test_noise_disturbs_and_flips_as_often_as_the_formulas_say(self):
        judge = LatentJudge(noise=2.0)
        # h = 2, M = 8: (2/8)(ln 2 - ln(1 + e^-4)) = .25 * (.693147 - .018150) = .168749;
        # flips (2 * 2 / 8)(1 / (1 + e^-4) - .5) = .5 * .482014 = .241007.
        assert judge.disturbed(1.0) == pytest.approx(0.168749, abs=1e-6)
        assert judge.flips(1.0) == pytest.approx(0.241007, abs=1e-6)
        draws = [
            [judge.verdict(*pair, temperature=1.0, draw=draw) for pair in self.PAIRS]
            for draw in ("1", "2")
        ]
        firm = [judge.verdict(*pair) for pair in self.PAIRS]
        n = len(self.PAIRS)
        disturbed = sum(a != b for a, b in zip(draws[0], firm, strict=True)) / n
        flipped = sum(a != b for a, b in zip(*draws, strict=True)) / n
        # Standard errors sqrt(.169 * .831 / 4000) = .0059 and .0068.
        assert abs(disturbed - 0.1687) < 4 * 0.0059
        assert abs(flipped - 0.2410) < 4 * 0.0068

    def test_without_noise_every_temperature_gives_the_same(self):
        judge = LatentJudge()
        assert judge.disturbed(2.0) == judge.flips(2.0) == 0.0
        assert all(judge.verdict(*p, temperature=2.0) == truth(*p) for p in self.PAIRS[:100])

    def test_replicates_vary_by_seed_or_by_attempt(self):
        judge = LatentJudge(noise=20.0)
        with SimServer(judge=judge) as server:
            body = request_body("x", temperature=1.0)
            by_attempt = {content_of(server, body) for _ in range(12)}
            by_seed = [content_of(server, {**body, "seed": i}) for i in range(12)]
            again = [content_of(server, {**body, "seed": i}) for i in range(12)]
        # Three near-fair coins: twelve equal answers have a chance of 8^-11.
        assert len(by_attempt) > 1
        assert len(set(by_seed)) > 1
        assert by_seed == again


class TestLogprobs:
    JUDGE = LatentJudge(seed=5, margin=3.0)

    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize("form", FORMATS)
    def test_verdicts_have_the_judges_probabilities_and_tokens_make_the_text(self, form, style):
        dialect = Dialect(tokens=style)
        with SimServer(judge=self.JUDGE, dialect=dialect) as server:
            body = request_body("some response", format=form, logprobs=20)
            choice = send(server, body)[1]["choices"][0]
        text, tokens = choice["message"]["content"], choice["logprobs"]["content"]
        assert "".join(token["token"] for token in tokens) == text
        assert all(bytes(token["bytes"]).decode() == token["token"] for token in tokens)
        decided = [t for t in tokens if len(t["top_logprobs"]) > 4]
        assert len(decided) == 3
        for token, criterion in zip(decided, TEXTS, strict=True):
            mass = {True: 0.0, False: 0.0}
            for option in token["top_logprobs"]:
                word = option["token"].strip(' :"').lower()
                if word in ("true", "yes", "y", "t"):
                    mass[True] += math.exp(option["logprob"])
                elif word in ("false", "no", "n", "f"):
                    mass[False] += math.exp(option["logprob"])
            assert mass[True] + mass[False] == pytest.approx(0.97)
            p_met = self.JUDGE.p_met(criterion, "some response")
            assert mass[True] / (mass[True] + mass[False]) == pytest.approx(p_met)

    def test_alternatives_are_cut_at_the_number_asked_for_best_first(self):
        with SimServer() as server:
            body = request_body("x", logprobs=2)
            tokens = send(server, body)[1]["choices"][0]["logprobs"]["content"]
        for token in tokens:
            found = [option["logprob"] for option in token["top_logprobs"]]
            assert len(found) <= 2
            assert found == sorted(found, reverse=True)

    def test_styles_cut_differently(self):
        asked = Asked((("ab", "c"), ("cd", "d")), "r", "json")
        found = {
            style: [t.text for t in answer_tokens(pieces(asked, [True, False]), style)]
            for style in STYLES
        }
        assert found == {
            "spaced": ['{"', "ab", '":', " true", ",", ' "', "cd", '":', " false", "}"],
            "bare": ['{"', "ab", '":', " ", "true", ",", ' "', "cd", '":', " ", "false", "}"],
            "merged": ['{"', "ab", '": true', ",", ' "', "cd", '": false', "}"],
            "letters": [
                *('{"', "ab", '":', " ", "t", "r", "u", "e", ",", ' "'),
                *("cd", '":', " ", "f", "a", "l", "s", "e", "}"),
            ],
        }

    @pytest.mark.parametrize("form", FORMATS)
    def test_pieces_make_the_answer(self, form):
        asked = Asked((("a", "c"), ("b", "d")), 'quote "this"\nplease', form)
        verdicts = [True, False]
        text = "".join(piece.text for piece in pieces(asked, verdicts))
        assert text == written(form, values(asked, verdicts))

    @pytest.mark.parametrize("kind", ["ignored", "refused"])
    def test_they_may_be_ignored_or_refused(self, kind):
        with SimServer(dialect=Dialect(logprobs=kind)) as server:
            status, reply = send(server, request_body("x", logprobs=5))
        if kind == "ignored":
            assert "logprobs" not in reply["choices"][0]
        else:
            assert (status, server.replies["logprobs"]) == (403, 1)
            assert "not allowed to request logprobs" in reply["error"]["message"]

    def test_thoughts_have_tokens_too(self):
        for thinking in ("inline", "apart"):
            with SimServer(dialect=Dialect(thinking=thinking)) as server:
                choice = send(server, request_body("x", logprobs=1))[1]["choices"][0]
            message = choice["message"]
            text = "".join(t["token"] for t in choice["logprobs"]["content"])
            assert text.startswith("<think>")
            assert text.endswith(message["content"])
            assert (thinking == "apart") == bool(message.get("reasoning_content"))


class TestPrefixCache:
    def test_whole_blocks_of_a_shared_beginning_are_cached(self):
        cache = PrefixCache(block=4)
        first = list("abcdefghij")  # ten tokens: two whole blocks
        assert cache.take(first) == 0
        assert cache.take(list("abcdefghXY")) == 8
        assert cache.take(list("abcdeXghij")) == 4
        assert cache.take(list("Xbcdefghij")) == 0

    def test_the_last_token_is_always_computed(self):
        cache = PrefixCache(block=4)
        cache.take(list("abcdefgh"))
        assert cache.take(list("abcdefgh")) == 4  # the second block holds the last token
        assert cache.take(list("abcdefghi")) == 8

    def test_a_block_counts_only_behind_the_same_beginning(self):
        cache = PrefixCache(block=2)
        cache.take(list("aabbcc"))
        assert cache.take(list("xxbbcc_")) == 0

    def test_below_the_minimum_nothing_is_cached(self):
        cache = PrefixCache(block=4, minimum=8)
        cache.take(list("abcdefghijkl"))
        assert cache.take(list("abcdXXXXXXXX")) == 0
        assert cache.take(list("abcdefghXXXX")) == 8

    def test_the_least_recently_used_go_and_ends_before_beginnings(self):
        cache = PrefixCache(block=1, capacity=3)
        cache.take(list("abc"))
        cache.take(list("x"))  # one must go: the end of abc
        assert cache.take(list("abcd")) == 2

    def test_usage_is_true_to_it_and_the_log_adds_up(self):
        with SimServer(prefix_cache=PrefixCache(block=16)) as server:
            bodies = [request_body(f"response {i} {'word ' * 40}") for i in range(3)]
            usages = [send(server, body)[1]["usage"] for body in bodies]
            log = server.log()
        for body, usage in zip(bodies, usages, strict=True):
            texts = [f"<|{m['role']}|>\n{m['content']}\n" for m in body["messages"]]
            assert usage["prompt_tokens"] == sum(len(cut(text)) for text in texts)
        cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
        before = bodies[0]["messages"][1]["content"].index("response 0")
        shared = [bodies[0]["messages"][0]["content"], bodies[0]["messages"][1]["content"][:before]]
        tokens = len(cut(f"<|system|>\n{shared[0]}\n")) + len(cut(f"<|user|>\n{shared[1]}"))
        # The number of the response is the second token of its line: "resp", "onse", " 0".
        assert cached == [0, (tokens + 2) // 16 * 16, (tokens + 2) // 16 * 16]
        assert log["tokens"]["cached_tokens"] == sum(cached)
        assert log["tokens"]["prompt_tokens"] == sum(u["prompt_tokens"] for u in usages)

    def test_counted_answers_end_at_their_limit(self):
        with SimServer(count_tokens=True) as server:
            choice = send(server, request_body("x", max_tokens=3))[1]["choices"][0]
            whole = content_of(server, request_body("x", max_tokens=100))
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"] == "".join(cut(whole)[:3])


class TestSchema:
    SAYS = tuple(name for name, fault in FAULTS.items() if isinstance(fault, Says))

    @pytest.mark.parametrize("form", ["json", "reasoned", "paper"])
    def test_enforced_no_whole_answer_violates_it(self, form):
        import jsonschema

        for name in self.SAYS:
            with SimServer(fault=always(name), dialect=Dialect(schema="enforced")) as server:
                body = request_body('He said "so"', format=form)
                choice = send(server, body)[1]["choices"][0]
            content = choice["message"]["content"]
            if choice["finish_reason"] != "stop" or not isinstance(content, str):
                continue
            schema = body["response_format"]["json_schema"]["schema"]
            jsonschema.validate(json.loads(content.rpartition("</think>")[2]), schema)

    def test_enforced_faults_that_could_not_happen_are_counted_as_good(self):
        with SimServer(fault=always("garbage"), dialect=Dialect(schema="enforced")) as server:
            content_of(server, request_body("x"))
            content_of(server, request_body("x", response_format=False))
            assert server.replies == {"good": 1, "garbage": 1}

    def test_enforced_a_schema_that_is_none_is_refused(self):
        with SimServer(dialect=Dialect(schema="enforced")) as server:
            body = request_body("x")
            body["response_format"]["json_schema"]["schema"] = {"type": "no such type"}
            status, reply = send(server, body)
        assert status == 400
        assert "Invalid schema" in reply["error"]["message"]

    def test_ignored_it_shows_in_the_answer(self):
        with SimServer(dialect=Dialect(schema="ignored")) as server:
            assert content_of(server, request_body("x")).startswith("```json\n{")
            assert content_of(server, request_body("x", response_format=False)).startswith("{")

    def test_refused_it_is_named(self):
        with SimServer(dialect=Dialect(schema="refused")) as server:
            status, reply = send(server, request_body("x"))
        assert (status, reply["error"]["param"]) == (400, "response_format")


class TestDialect:
    def refusal(self, dialect: Dialect, **fields: Any) -> dict[str, Any] | None:
        with SimServer(dialect=dialect) as server:
            status, reply = send(server, request_body("x", **fields))
        return reply["error"] if status == 400 else None

    def test_max_completion_tokens_may_be_the_only_name(self):
        dialect = Dialect(token_field="max_completion_tokens")
        error = self.refusal(dialect)
        assert error is not None
        assert (error["code"], error["param"]) == ("unsupported_parameter", "max_tokens")
        assert "Use 'max_completion_tokens' instead." in error["message"]
        assert self.refusal(dialect, token_field="max_completion_tokens") is None

    def test_a_temperature_may_be_refused(self):
        dialect = Dialect(fixed_temperature=True)
        error = self.refusal(dialect)
        assert error is not None
        assert (error["code"], error["param"]) == ("unsupported_value", "temperature")
        assert "does not support 0 with this model" in error["message"]
        assert self.refusal(dialect, temperature=None) is None
        assert self.refusal(dialect, temperature=1.0) is None

    def test_fields_that_are_not_openais_may_be_refused(self):
        extra = {"chat_template_kwargs": {"enable_thinking": False}}
        error = self.refusal(Dialect(strict=True), extra_body=extra)
        assert error is not None
        assert error["message"] == "Unrecognized request argument supplied: chat_template_kwargs"
        assert self.refusal(Dialect(strict=True)) is None

    def test_thinking_can_be_turned_off_and_fields_are_counted(self):
        off = {"chat_template_kwargs": {"enable_thinking": False}}
        with SimServer(dialect=Dialect(thinking="inline")) as server:
            assert content_of(server, request_body("x")).startswith("<think>")
            assert content_of(server, request_body("x", extra_body=off)).startswith("{")
            assert server.log()["fields"]["chat_template_kwargs"] == 1
            assert server.log()["fields"]["messages"] == 2


def test_every_reply_is_counted_once_under_what_it_was():
    quick = [name for name in FAULTS if name not in ("hang", "drip", "cut off", "flood", "bomb")]
    names: list[str] = []
    draw = mixed(quick, 0.7)

    def fault(call):
        names.append(draw(call))
        return names[-1]

    with SimServer(fault=fault, dialect=Dialect(token_field="max_completion_tokens")) as server:
        opener = urllib.request.build_opener(_Stay)
        for i in range(120):
            field = "max_tokens" if i % 4 == 0 else "max_completion_tokens"
            body = json.dumps(request_body(f"r{i}", token_field=field)).encode()
            try:
                opener.open(f"{server.base_url}/chat/completions", body).read()
            except urllib.error.HTTPError as refused:
                refused.read()
        log = server.log()
    expected = {name or "good": names.count(name) for name in names}
    assert log["replies"] == {**expected, "limit": 30}
    assert sum(log["replies"].values()) == log["requests"] == 120


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def test_the_process_takes_the_same_options():
    options = [
        *("--schema", "ignored", "--logprobs", "ignored", "--thinking", "inline", "--strict"),
        *("--token-field", "max_completion_tokens", "--prefix-cache", "100", "--block", "8"),
        *("--sensitivity", "0", "--specificity", "0", "--seed", "4"),
    ]
    with SimProcess(*options) as server:
        body = request_body("x", token_field="max_completion_tokens", logprobs=3)
        replies = [send(server, body)[1] for _ in range(2)]
    choice = replies[0]["choices"][0]
    thought, _, answer = choice["message"]["content"].partition("</think>\n\n")
    assert thought.startswith("<think>")
    assert answer.startswith("```json\n")
    found = json.loads(answer.strip("`json\n"))
    assert list(found.values()) == [not truth(text, "x") for text in TEXTS]
    assert "logprobs" not in choice
    usages = [reply["usage"] for reply in replies]
    whole = (usages[0]["prompt_tokens"] - 1) // 8 * 8
    assert [u["prompt_tokens_details"]["cached_tokens"] for u in usages] == [0, whole]
