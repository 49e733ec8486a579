"""A plan against the run it is the plan of, and against the simulator's own accounts."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from judging_samples import make_rubric, write_files
from msgspec.structs import replace
from simserver.prefix_cache import PrefixCache as ServedCache
from simserver.server import SimServer, mixed
from simserver.tokens import cut

from rubricbench.errors import InputError, StoreError
from rubricbench.judging import Item, Judge, JudgeConfig
from rubricbench.judging.files import Job, grade_files
from rubricbench.judging.files.planned import PlanOptions
from rubricbench.judging.files.planned import plan_files as plans_of
from rubricbench.judging.price.plan import Plan, Planner
from rubricbench.judging.price.prices import Price, PriceList
from rubricbench.judging.price.rules import RULES, CacheRule, cache_rule
from rubricbench.judging.price.text import plan_text
from rubricbench.judging.price.tokens import EstimatedCounter
from rubricbench.schema import Criterion, Prompt, Rubric
from rubricbench.store import Store

SECRET = b"0123456789abcdef"
WORDS = "the patient should rinse the burn under cool running water and cover it loosely then "


class SimCounter:
    """Counts as the simulator does."""

    name, exact = "the simulator's", True

    def count(self, texts):
        return [len(cut(text)) for text in texts]

    def gaps(self, roles, options):
        return (*(len(cut(f"<|{role}|>")) for role in roles), 1)


def config(url: str = "http://127.0.0.1:1/v1", **changes) -> JudgeConfig:
    fields = {"base_url": url, "model": "m", "timeout": 5.0, "retries": 0}
    return JudgeConfig(**{**fields, **changes})


def long_rubric(i: int) -> Rubric:
    criteria = tuple(
        Criterion(criterion=f"Statement {j} of {i}: {WORDS}", weight=1 + j % 3) for j in range(6)
    )
    return Rubric(prompt=Prompt.from_text(f"{i} is the question. {WORDS * 3}"), criteria=criteria)


def responses(rubrics: int, each: int) -> list[Item]:
    return [
        Item(rubric, f"{j} {i}: {WORDS * 2}")
        for i, rubric in enumerate(map(long_rubric, range(rubrics)))
        for j in range(each)
    ]


def plan_of(
    judge: JudgeConfig,
    store: Store,
    items: list[Item],
    *,
    counter=None,
    rule: CacheRule = RULES["none"],
    price: Price | None = None,
) -> Plan:
    planner = Planner(judge, counter or EstimatedCounter(), rule, price, len(items))
    planner.add(Judge(judge, store, secret=SECRET).stored(items))
    return planner.plan()


LAYOUTS = [
    {},
    {"criteria_per_call": 2},
    {"criteria_per_call": 1, "format": "compact"},
    {"criteria_per_call": 1, "layout": "rubric_first", "format": "reasoned"},
    {"layout": "paper"},
]


@pytest.mark.parametrize("changes", LAYOUTS)
def test_calls_and_tokens_are_those_of_the_run_that_follows(store, changes):
    with SimServer(count_tokens=True) as server:
        judge = config(server.base_url, concurrency=1, **changes)
        items = responses(4, 3)
        items += items[:2]  # equal ones: asked once
        Judge(judge, store, secret=SECRET).grade_all(items[:3])
        store.flush()
        before, asked = server.tokens["prompt_tokens"], server.requests
        plan = plan_of(judge, store, items, counter=SimCounter())
        Judge(judge, store, secret=SECRET).grade_all(items)
        made, took = server.requests - asked, server.tokens["prompt_tokens"] - before
    calls_each = len(long_rubric(0).criteria) // (judge.criteria_per_call or 6)
    assert (plan.calls, plan.answers) == (made, 14 * calls_each)
    assert (plan.stored, plan.shared) == (5 * calls_each, 0)  # the equal ones are in the store too
    # A cut between pieces costs a token at most; a prompt has four, of several hundred tokens.
    assert plan.prompt_tokens == pytest.approx(took, rel=0.01)
    assert plan.responses == 14
    assert plan.judged == 14 * 6


@pytest.mark.parametrize("changes", LAYOUTS)
@pytest.mark.parametrize(("minimum", "block"), [(16, 16), (128, 64), (384, 128)])
def test_the_prefix_cache_serves_what_the_simulator_serves(store, changes, minimum, block):
    served = ServedCache(block=block, minimum=minimum)
    with SimServer(prefix_cache=served) as server:
        judge = config(server.base_url, concurrency=1, **changes)
        items = responses(5, 4)
        rule = cache_rule(f"{minimum}:{block}")
        plan = plan_of(judge, store, items, counter=SimCounter(), rule=rule)
        Judge(judge, store, secret=SECRET).grade_all(items)
        cached, prompt = server.tokens["cached_tokens"], server.tokens["prompt_tokens"]
    # Within a block a call, since a cut can move where the last shared block ends.
    assert abs(plan.cached_tokens - cached) <= 0.02 * prompt
    assert plan.cached_tokens <= plan.shared_tokens <= plan.prompt_tokens


def test_answers_that_could_not_be_read_are_planned_as_repairs(store):
    with SimServer(fault=lambda call: "" if call.repair else "garbage") as server:
        broken = config(server.base_url, repair=False)
        items = responses(2, 2)
        Judge(broken, store, secret=SECRET).grade_all(items)
        store.flush()
        plan = plan_of(config(server.base_url), store, items)
        asked = server.requests
        Judge(config(server.base_url), store, secret=SECRET).grade_all(items)
        assert (plan.calls, plan.repairs, plan.stored) == (server.requests - asked, 4, 4)


def test_equal_responses_are_asked_about_once(store):
    items = [Item(make_rubric(i % 2), "the same") for i in range(10)]
    plan = plan_of(config(), store, items)
    assert (plan.answers, plan.calls, plan.shared, plan.stored) == (10, 2, 8, 0)


def test_checked_criteria_cost_nothing(store):
    plan = plan_of(config(), store, [Item(make_rubric(checked=True), "a")])
    assert (plan.judged, plan.checked, plan.calls) == (3, 1, 1)


def test_costs_are_tokens_at_their_prices(store):
    price = Price(
        model="m", currency="EUR", input=2.0, cached_input=0.5, output=8.0, batch_discount=0.5
    )
    judge = config(max_tokens=100, concurrency=1)
    plan = plan_of(judge, store, responses(3, 4), rule=RULES["vllm"], price=price)
    fresh, cached = plan.prompt_tokens - plan.cached_tokens, plan.cached_tokens
    assert cached > 0
    assert plan.cost == pytest.approx((2 * fresh + 0.5 * cached + 8 * plan.answer_tokens) / 1e6)
    assert plan.most_answer_tokens == 12 * 100
    assert plan.most_cost == pytest.approx((2 * plan.prompt_tokens + 8 * 1_200) / 1e6)
    full = (2 * plan.prompt_tokens + 8 * plan.answer_tokens) / 1e6
    assert plan.batch_cost == pytest.approx(full / 2)
    assert "EUR 0." in plan_text(plan)


def test_expected_answers_do_not_pass_their_limit(store):
    plan = plan_of(config(max_tokens=3), store, responses(1, 4))
    assert plan.answer_tokens == plan.most_answer_tokens == 12
    unlimited = plan_of(config(max_tokens=None), store, responses(1, 4))
    assert (unlimited.most_answer_tokens, unlimited.most_cost) == (None, None)
    assert "no limit is set" in plan_text(unlimited)


def test_earlier_answers_correct_what_is_expected(store):
    with SimServer(count_tokens=True) as server:
        judge = config(server.base_url)
        items = responses(10, 8)
        Judge(judge, store, secret=SECRET).grade_all(items[:40])
        store.flush()
        plan = plan_of(judge, store, items)
        before = dict(server.tokens)
        Judge(judge, store, secret=SECRET).grade_all(items)
        took = {name: count - before[name] for name, count in server.tokens.items()}
    assert plan.measured.answers == 40
    # The simulator's tokens are not of four bytes; what it reported says how many they are.
    assert plan.measured.prompt_factor != pytest.approx(1.0, abs=0.05)
    assert plan.prompt_tokens == pytest.approx(took["prompt_tokens"], rel=0.02)
    assert plan.answer_tokens == pytest.approx(took["completion_tokens"], rel=0.05)
    assert "corrected by 40 answers in the store" in plan_text(plan)


def test_a_few_earlier_answers_correct_nothing(store):
    with SimServer(count_tokens=True) as server:
        judge, items = config(server.base_url), responses(10, 3)
        Judge(judge, store, secret=SECRET).grade_all(items[:29])
        store.flush()
        plan = plan_of(judge, store, items)
    assert plan.measured.answers == 29
    assert plan.measured.prompt_factor == plan.measured.answer_factor == 1.0
    assert "corrected" not in plan_text(plan)


def test_a_rubric_too_short_for_the_provider_is_said_to_earn_nothing(store):
    plan = plan_of(config(concurrency=1), store, responses(2, 5), rule=RULES["openai"])
    assert plan.cached_tokens == 0
    assert 200 < plan.shared_tokens / plan.calls < 1_024
    assert "earns nothing (openai: from 1,024 tokens, in steps of 128" in plan_text(plan)


# Files


def plan_files(given: Job, options: PlanOptions | None = None, *, quiet: bool = True) -> Plan:
    [plan] = plans_of(given, options, quiet=quiet)
    return plan


def job(folder: Path, url: str = "http://127.0.0.1:1/v1", prompts: int = 5, **changes) -> Job:
    rubrics, given = write_files(folder, prompts)
    return Job(
        responses=given, rubrics=str(rubrics), out=folder / "out", config=config(url, **changes)
    )


def test_a_plan_sends_and_writes_nothing(tmp_path, monkeypatch):
    def refuse(*args: object) -> None:
        raise AssertionError("it opened a connection")

    planned = job(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = sorted(tmp_path.rglob("*"))
    plan = plan_files(planned, quiet=True)
    assert (plan.calls, plan.responses, plan.tokenizer) == (
        10,
        10,
        "estimated at 4 bytes a token",
    )
    assert sorted(tmp_path.rglob("*")) == before
    assert "the price file does not have this model" in plan_text(plan)


def test_a_plan_after_the_run_finds_everything_in_the_store(tmp_path):
    with SimServer() as server:
        planned = job(tmp_path, server.base_url)
        assert plan_files(planned, quiet=True).calls == 10
        grade_files(planned, quiet=True)
        asked = server.requests
        plan = plan_files(planned, quiet=True)
        assert server.requests == asked == 10
    assert (plan.calls, plan.stored, plan.cost) == (0, 10, None)
    assert "(the store has 10, 100.0%)" in plan_text(plan)


def test_an_interrupted_run_is_planned_for_the_rest(tmp_path):
    with SimServer(fault=mixed(["500"], 0.5)) as server:
        planned = job(tmp_path, server.base_url, prompts=20)
        grade_files(planned, quiet=True)
        lost = server.requests - server.answered
    plan = plan_files(planned, quiet=True)
    assert 0 < plan.calls == lost < 40


def test_without_a_judge_there_is_nothing_to_pay(tmp_path):
    planned = Job(responses=tmp_path / "r.jsonl", rubrics="verifiable:test", out=tmp_path / "o")
    from rubricbench.hub import load

    row = load("verifiable", split="test")[0]
    (tmp_path / "r.jsonl").write_text(json.dumps({"prompt": row["prompt"], "response": "a"}) + "\n")
    plan = plan_files(planned, quiet=True)
    assert (plan.calls, plan.responses, plan.judged) == (0, 1, 0)
    assert plan.checked == len(row["rubrics"])


def test_price_cache_and_tokenizer_can_be_named(tmp_path):
    prices = tmp_path / "mine.yaml"
    prices.write_text("models: {m: {input: 1, output: 2, prefix_cache: openai}}")
    planned = replace(job(tmp_path), prices=prices)
    assert plan_files(planned).prefix_cache.name == "openai"
    plan = plan_files(planned, PlanOptions(prefix_cache="vllm"))
    assert plan.prefix_cache.name == "vllm"
    # By default 32 calls are in flight; vLLM shares within them.
    assert plan.cached_tokens > 0
    assert plan.cost is not None
    for bad in (PlanOptions(prefix_cache="redis"), PlanOptions(tokenizer=str(tmp_path))):
        with pytest.raises(InputError):
            plan_files(planned, bad)
    with pytest.raises(InputError, match="No such file"):
        plan_files(replace(planned, prices=tmp_path / "none.yaml"))


def test_several_judges_are_planned_one_by_one(tmp_path):
    one = job(tmp_path)
    other = config(model="gpt-4.1-mini", format="compact")
    plans = plans_of(replace(one, further=(other,)), quiet=True)
    assert [(plan.judge, plan.calls) for plan in plans] == [("m", 10), ("gpt-4.1-mini", 10)]
    assert [plan.cost is None for plan in plans] == [True, False]


def test_bad_files_are_told_as_in_a_run(tmp_path):
    planned = job(tmp_path)
    planned.responses.write_text("{\n")
    with pytest.raises(InputError):
        plan_files(planned, quiet=True)
    good = job(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "store.sqlite").write_text("not a database" * 100)
    with pytest.raises(StoreError):
        plan_files(good, quiet=True)


def test_the_listed_judges_are_planned_with_their_price(tmp_path):
    plan = plan_files(job(tmp_path, model="gpt-4.1-mini-2025-04-14"), quiet=True)
    listed = PriceList().find("gpt-4.1-mini")
    assert plan.price == listed
    assert "prices of gpt-4.1-mini as of" in plan_text(plan)
