"""The reward function, called as TRL calls it, against a judge that errs on command."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from pathlib import Path
from typing import Any

import pytest
from reward_samples import Log, WordServer, checks_only, column, config, rubric
from simserver.server import mixed

from rubricbench.errors import EndpointError, InputError, SchemaError
from rubricbench.judging import Judge
from rubricbench.reward import RubricReward, combined, rubric_reward
from rubricbench.schema import Check, Criterion, Prompt, Rubric
from rubricbench.store import Store


def call(reward: Any, completions: list[Any], log: Log | None = None, **columns: Any) -> list[Any]:
    """Call it once, on an event loop that ends with the call."""
    log = log or Log()
    columns.setdefault("rubric", [column(rubric())] * len(completions))
    columns.setdefault("prompts", ["Question 0?"] * len(completions))
    return asyncio.run(
        reward(
            completions=completions,
            completion_ids=[[1]] * len(completions),
            trainer_state=None,
            log_metric=log.metric,
            log_extra=log.extra,
            **columns,
        )
    )


@pytest.fixture
def server():
    with WordServer({}) as running:
        yield running


@pytest.fixture
def reward(server, tmp_path):
    made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
    yield made
    made.close()


def test_rewards_are_the_scores(reward):
    # Weights 3, 1, -2 over 4.
    found = call(reward, ["blue", "red", "blue red", "blue ugly", "nothing", ""])
    assert found == [3 / 4, 1 / 4, 1.0, 1 / 4, 0.0, 0.0]


def test_it_has_the_form_that_trl_wants(reward):
    from trl.trainer.utils import get_callable_name, is_async_callable

    assert get_callable_name(reward) == "rubric_reward"
    assert is_async_callable(reward)
    assert list(inspect.signature(reward).parameters)[:3] == [
        "prompts",
        "completions",
        "completion_ids",
    ]


def test_conversations_are_graded_by_their_last_assistant_turn(reward):
    asked = [{"role": "user", "content": "Question 0?"}]
    said = [
        [{"role": "assistant", "content": "blue"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "red"}]}],
        [
            {"role": "assistant", "content": "blue"},
            {"role": "tool", "content": "red"},
            {"role": "assistant", "content": "ugly"},
        ],
        [{"role": "assistant", "content": None, "tool_calls": []}],
        [],
    ]
    assert call(reward, said, prompts=[asked] * 5) == [3 / 4, 1 / 4, -2 / 4, 0.0, 0.0]


def test_reasoning_is_not_graded(reward, server):
    found = call(reward, ["<think>blue</think>\n\nred", "blue</think>red", "<think>blue"])
    assert found == [1 / 4, 1 / 4, 0.0]
    assert sorted(server.responses) == ["", "red"]


def test_equal_responses_of_a_group_are_judged_once(reward, server):
    log = Log()
    found = call(reward, ["blue"] * 7 + ["red"], log)
    assert found == [3 / 4] * 7 + [1 / 4]
    assert server.requests == 2
    assert (log.numbers["rubric/calls"], log.numbers["rubric/shared"]) == (2, 6)
    call(reward, ["blue", "red"], again := Log())
    assert server.requests == 2
    assert (again.numbers["rubric/calls"], again.numbers["rubric/stored"]) == (0, 2)


def test_a_batch_is_concurrent(tmp_path):
    with WordServer({}, latency=0.2) as server:
        made = rubric_reward(config(server, concurrency=64), store=tmp_path / "s.sqlite")
        call(made, [f"blue {i}" for i in range(16)])
        made.close()
        assert server.most_in_flight == 16


@pytest.mark.parametrize(
    "fault", ["refusal", "garbage", "overflow", "prompt filtered", "truncated", "empty"]
)
def test_what_the_response_brings_about_takes_the_low_bound(tmp_path, fault):
    with WordServer({"trick": fault}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        log = Log()
        # The low bound of weights 3, 1, -2: -2/4.
        assert call(made, ["blue", "blue trick"], log) == [3 / 4, -2 / 4]
        made.close()
    assert log.numbers["rubric/low_bound"] == 1 / 2
    assert log.numbers["rubric/lost"] == 0
    assert log.numbers["rubric/coverage"] == 1 / 2
    assert log.columns["rubric_standing"] == ["scored", "low_bound"]
    assert log.columns["rubric_low"] == [3 / 4, -2 / 4]
    assert log.columns["rubric_high"] == [3 / 4, 1.0]


def test_what_a_program_decided_stands_in_the_low_bound(tmp_path):
    with WordServer({"trick": "refusal"}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        rows = [column(rubric(checked=True))] * 2
        # Of 3, 1, -2 and 4: 4 - 2 of 8 without a comma, -2 of 8 with one.
        assert call(made, ["trick", "a, trick"], rubric=rows) == [2 / 8, -2 / 8]
        made.close()


def test_what_the_service_owes_is_none(tmp_path):
    """The judge is down from the third call on, control included."""
    with WordServer({}) as server:
        made = rubric_reward(config(server, concurrency=1), store=tmp_path / "s.sqlite")
        log = Log()
        server.faults = {"late": "500", "you": "500"}  # "you" is in the control
        found = call(made, ["blue", "red", "late blue", "late red"], log)
        made.close()
    assert found == [3 / 4, 1 / 4, None, None]
    assert log.numbers["rubric/lost"] == 1 / 2
    assert log.numbers["rubric/unknown/server_error"] == 1 / 2
    assert log.numbers["rubric/own_doing"] == 0
    assert log.columns["rubric_unknown"] == ["", "", "server_error", "server_error"]


@pytest.mark.parametrize("fault", ["500", "cut off", "hang", "400"])
def test_who_breaks_the_judge_again_and_again_takes_the_low_bound(tmp_path, fault):
    with WordServer({"crash": fault}) as server:
        # An answer first: an endpoint that never gave one is taken to refuse the option it names.
        judge = config(server, timeout=0.3, concurrency=1)
        made = rubric_reward(judge, store=tmp_path / "s.sqlite")
        log = Log()
        found = call(made, ["blue", "blue crash", "red crash"], log)
        made.close()
    assert found == [3 / 4, -2 / 4, -2 / 4]
    assert log.numbers["rubric/own_doing"] == 2 / 3
    assert log.numbers["rubric/lost"] == 0


def test_the_control_is_of_the_same_rubric(tmp_path):
    """A rubric the judge always breaks on is not the fault of those who are graded by it."""
    with WordServer({}) as server:
        crash = Criterion(criterion="Says crash", weight=1)
        hard = Rubric(prompt=Prompt.from_text("Hard?"), criteria=(crash,))
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        honest = server._reply

        async def reply(request: Any, body: Any, question: Any, call: Any) -> Any:
            about = [text for _, text in question.criteria]
            server.fault_of = lambda _: "500" if "Says crash" in about else ""
            return await honest(request, body, question, call)

        server._reply = reply
        server.faults = {"trick": "500"}
        given = [column(rubric()), column(rubric()), column(hard), column(hard)]
        prompts = ["Question 0?", "Question 0?", "Hard?", "Hard?"]
        found = call(made, ["blue", "trick", "a", "b"], rubric=given, prompts=prompts)
        made.close()
    assert found == [3 / 4, -2 / 4, None, None]


def test_rows_held_up_by_a_limit_on_the_rate_are_asked_about_again(tmp_path):
    held = {"late": lambda attempt: "429 for an hour" if attempt == 1 else ""}
    with WordServer(held) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        log = Log()
        assert call(made, ["late blue", "red"], log) == [3 / 4, 1 / 4]
        made.close()
    assert log.numbers["rubric/lost"] == 0


def test_a_limit_on_the_rate_is_never_the_responses_doing(tmp_path):
    with WordServer({"late": "429 for an hour"}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        log = Log()
        assert call(made, ["late blue", "red"], log) == [None, 1 / 4]
        made.close()
    assert log.numbers["rubric/unknown/rate_limited"] == 1 / 2


def test_chance_is_no_guilt(tmp_path):
    """At three faults in ten calls, and none repeated, nobody is blamed: .3^6 of 300 is 0.2 rows.

    The faults are drawn by question and attempt, so the draw is the same each time.
    """
    with WordServer({}) as server:
        draw = mixed(["500", "502", "cut off"], 0.3)
        honest = server._reply

        async def reply(request: Any, body: Any, question: Any, call: Any) -> Any:
            server.fault_of = lambda _: draw(call)
            return await honest(request, body, question, call)

        server._reply = reply
        made = rubric_reward(config(server, retries=2), store=tmp_path / "s.sqlite")
        log = Log()
        found = call(made, [f"blue {i}" for i in range(300)], log)
        made.close()
    assert log.numbers["rubric/own_doing"] == 0
    assert found.count(3 / 4) == 300 - found.count(None)
    assert found.count(None) <= 3


def test_a_fault_that_passes_costs_a_second_asking_and_nothing_else(tmp_path):
    at_first = {"flaky": lambda attempt: "500" if attempt == 1 else ""}
    with WordServer(at_first) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        assert call(made, ["blue flaky", "red"]) == [3 / 4, 1 / 4]
        # Two, the control, and the one once more.
        assert server.requests == 4
        made.close()


def test_without_asking_again_every_fault_of_the_service_is_lost(tmp_path):
    with WordServer({"crash": "500"}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite", ask_again=False)
        assert call(made, ["blue", "blue crash"]) == [3 / 4, None]
        assert server.requests == 2
        made.close()


def test_a_calls_time_limits_are_cut_to_fit_two_askings_into_the_batch(tmp_path):
    with WordServer({"slow": "hang"}) as server:
        made = rubric_reward(
            config(server, timeout=60.0, deadline=60.0, retries=5),
            store=tmp_path / "s.sqlite",
            deadline=8.0,
        )
        # A call may take 0.4 of it: one that hangs is found out by the second asking.
        assert call(made, ["blue", "blue slow"]) == [3 / 4, -2 / 4]
        made.close()


def test_rows_cut_by_the_deadline_are_lost(tmp_path):
    with WordServer({"slow": "hang"}) as server, Store.open(tmp_path / "s.sqlite") as store:
        # A judge of one's own keeps its time limits.
        judge = Judge(config(server, timeout=30.0), store)
        made = rubric_reward(judge, deadline=0.5)
        log = Log()
        assert call(made, ["blue", "blue slow"], log) == [3 / 4, None]
        made.close()
    assert log.numbers["rubric/unknown/timeout"] == 1 / 2
    assert log.numbers["rubric/seconds"] < 5


def test_a_judge_that_cannot_be_reached_ends_the_first_batch(tmp_path):
    with WordServer({}) as server:
        gone = config(server)
    made = rubric_reward(gone, store=tmp_path / "s.sqlite")
    with pytest.raises(EndpointError, match="cannot be reached"):
        call(made, ["blue"])
    made.close()


def test_an_outage_later_on_costs_batches_and_then_the_run(tmp_path, caplog):
    with WordServer({}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite", patience=3)
        assert call(made, ["blue"]) == [3 / 4]
        server.faults = {"red": "500", "you": "500"}
        assert call(made, ["red 1", "red 2"]) == [None, None]
        assert "a whole batch of 2 rows is lost" in caplog.text
        assert call(made, ["red 3"]) == [None]
        with pytest.raises(EndpointError, match=r"3 batches in a row have no reward.*500"):
            call(made, ["red 4"])
        made.close()


def test_a_batch_that_comes_back_ends_the_count(tmp_path):
    with WordServer({}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite", patience=2)
        call(made, ["blue"])
        for i in range(3):
            server.faults = {"red": "500", "you": "500"}
            assert call(made, [f"red {i}"]) == [None]
            server.faults = {}
            assert call(made, [f"blue {i}"]) == [3 / 4]
        made.close()


def test_a_cause_once_seen_is_told_as_zero_from_then_on(tmp_path):
    with WordServer({"trick": "refusal"}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        logs = [Log(), Log(), Log()]
        for log, text in zip(logs, ["blue", "trick", "red"], strict=True):
            call(made, [text], log)
        made.close()
    found = [log.numbers.get("rubric/unknown/refusal") for log in logs]
    assert found == [None, 1.0, 0.0]


def test_tokens_and_attempts_are_told(reward):
    log = Log()
    call(reward, ["blue", "red"], log)
    told = {name.removeprefix("rubric/"): value for name, value in log.numbers.items()}
    # The simulator reports 100 and 10 tokens a call, 64 of them cached.
    assert (told["prompt_tokens"], told["completion_tokens"], told["cached_tokens"]) == (
        200,
        20,
        128,
    )
    assert (told["calls"], told["attempts"], told["failed"], told["stored"]) == (2, 2, 0, 0)


def test_checks_alone_need_no_judge_and_no_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = rubric_reward(None)
    assert call(made, ["a b", "a, b"], rubric=[column(checks_only())] * 2) == [1.0, 0.0]
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_a_rubric_that_needs_a_judge_says_so(tmp_path):
    made = rubric_reward(None)
    with pytest.raises(InputError, match="'Says blue' needs a judge"):
        call(made, ["a"])
    made.close()


def test_an_empty_batch_is_empty(reward):
    assert call(reward, []) == []


def test_one_reward_serves_many_event_loops_and_several_at_once(reward, server):
    async def both() -> list[Any]:
        def one(text: str) -> Any:
            return reward(prompts=["q"], completions=[text], rubric=[column(rubric())])

        return await asyncio.gather(one("blue"), one("red"))

    assert asyncio.run(both()) == [[3 / 4], [1 / 4]]
    assert asyncio.run(both()) == [[3 / 4], [1 / 4]]
    assert server.requests == 2


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_it_can_be_pickled_and_copied_while_in_use(reward, server, copied):
    assert call(reward, ["blue"]) == [3 / 4]
    other = copied(reward)
    other = pickle.loads(other) if isinstance(other, bytes) else other
    assert isinstance(other, RubricReward)
    reward.host._store.flush()
    assert call(other, ["blue", "red"]) == [3 / 4, 1 / 4]
    other.host._store.flush()
    assert call(reward, ["red"]) == [1 / 4]
    assert server.requests == 2  # the copy is on the same store
    other.close()


def test_a_cancelled_batch_leaves_the_reward_usable(tmp_path):
    with WordServer({"slow": "hang"}) as server:
        made = rubric_reward(config(server, timeout=30.0), store=tmp_path / "s.sqlite")

        async def cancelled() -> None:
            await asyncio.wait_for(
                made(prompts=["q"], completions=["slow"], rubric=[column(rubric())]), 0.3
            )

        with pytest.raises(TimeoutError):
            asyncio.run(cancelled())
        assert call(made, ["blue"]) == [3 / 4]
        made.close()


def test_each_rank_can_have_a_store_of_its_own(server, tmp_path, monkeypatch):
    for number in ("0", "1"):
        monkeypatch.setenv("RANK", number)
        made = rubric_reward(config(server), store=tmp_path / "s-{rank}.sqlite")
        call(made, ["blue"])
        made.close()
    assert sorted(path.name for path in tmp_path.glob("*.sqlite")) == ["s-0.sqlite", "s-1.sqlite"]


def test_a_judge_without_a_store_is_refused(server):
    with pytest.raises(InputError, match="no store"):
        rubric_reward(config(server))


def test_beside_other_rewards_it_warns_that_none_is_not_left_out(reward, caplog):
    class Trainer:
        reward_funcs = (reward, len)

        def log(self, name: str, value: float) -> None: ...

    given = {"prompts": ["q"], "completions": ["blue"], "rubric": [column(rubric())]}
    for _ in range(2):
        asyncio.run(reward(**given, log_metric=Trainer().log))
    assert caplog.text.count("stands beside 1 other reward functions") == 1


def test_combined_a_row_that_one_reward_lost_is_left_out(tmp_path):
    def length(completions: list[str], **more: Any) -> list[float]:
        return [float(len(text)) for text in completions]

    with WordServer({"late": "500", "you": "500"}) as server:
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        both = combined([made, length], weights=[1.0, 0.5])
        assert both.__name__ == "combined"
        # 3/4 + 4/2; the second is lost.
        assert call(both, ["blue", "late"]) == [2.75, None]
        made.close()


class TestRubrics:
    """Where a row's rubric comes from."""

    def test_columns_of_the_published_tables(self, reward):
        # As `datasets` gives them: absent keys of the structs are None.
        rubrics = [
            {"criterion": "Says blue", "weight": 3, "check": None, "tags": None},
            {
                "criterion": "Has no comma",
                "weight": 1,
                "check": {"name": "no_commas", "params": "{}"},
            },
        ]
        more = {"number_of_criteria": [2], "total_weight": [4], "prompt_id": ["mine-1"]}
        assert call(reward, ["blue , red"], rubric=[None], rubrics=[rubrics], **more) == [3 / 4]

    def test_a_sum_that_does_not_add_up_is_an_error(self, reward):
        rubrics = [[{"criterion": "Says blue", "weight": 3}]]
        with pytest.raises(SchemaError, match=r"column rubrics.*it says 4.* add up to 3"):
            call(reward, ["blue"], rubric=[None], rubrics=rubrics, total_weight=[4])

    def test_a_list_of_criteria_as_json(self, reward):
        given = '[{"criterion": "Says blue", "weight": 1}]'
        assert call(reward, ["blue", "red"], rubric=[given] * 2) == [1.0, 0.0]

    def test_a_mapping_from_prompts(self, server, tmp_path):
        mapping = {"A?": rubric(0), "B?": rubric(1)}
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite", rubrics=mapping)
        assert call(made, ["blue"] * 2, rubric=[None] * 2, prompts=["A?", "B?"]) == [3 / 4] * 2
        made.close()

    def test_a_file_met_by_the_prompts_own_text(self, server, tmp_path):
        Path(tmp_path, "r.jsonl").write_text(column(rubric(5)) + "\n")
        made = rubric_reward(
            config(server), store=tmp_path / "s.sqlite", rubrics=tmp_path / "r.jsonl"
        )
        turns = [{"role": "user", "content": "Question 5?"}]
        assert call(made, ["blue"], prompts=[turns]) == [3 / 4]
        with pytest.raises(InputError, match="no rubric has this prompt"):
            call(made, ["blue"], prompts=["Question 6?"])
        made.close()

    def test_two_rubrics_of_one_prompt_are_told_apart_by_id(self, server, tmp_path):
        def named(name: str, word: str) -> Rubric:
            criterion = Criterion(criterion=f"Says {word}", weight=1)
            return Rubric(prompt=Prompt.from_text("Q?", id=name), criteria=(criterion,))

        both = [named("x", "blue"), named("y", "red")]
        made = rubric_reward(config(server), store=tmp_path / "s.sqlite", rubrics=both)
        assert call(made, ["blue"] * 2, prompts=["Q?"] * 2, prompt_id=["x", "y"]) == [1.0, 0.0]
        with pytest.raises(InputError, match=r"several rubrics.*prompt_id"):
            call(made, ["blue"], prompts=["Q?"])
        made.close()

    def test_the_judge_reads_the_turns_the_rubric_was_written_for(self, reward, server):
        """A trainer may add a system prompt of its own, under which the id would be another."""
        own = rubric(3)
        asked = [
            {"role": "system", "content": "Think first."},
            {"role": "user", "content": "Question 3?"},
        ]
        messages = [{"role": "user", "content": "Question 3?"}]
        criteria = [{"criterion": c.criterion, "weight": c.weight} for c in own.criteria]
        call(
            reward,
            ["blue"],
            prompts=[asked],
            rubric=[None],
            rubrics=[criteria],
            messages=[messages],
            prompt_id=[own.prompt_id],
        )
        assert "Think first" not in str(server.bodies[-1])

    def test_columns_of_numpy_arrays(self, reward):
        import numpy as np

        criteria = np.array([{"criterion": "Says blue", "weight": 1}], dtype=object)
        assert call(reward, ["blue"], rubric=[None], rubrics=[criteria]) == [1.0]

    def test_a_row_without_a_rubric_is_an_error(self, reward):
        with pytest.raises(InputError, match="a row has no rubric"):
            call(reward, ["blue"], rubric=[None])

    def test_equal_rows_share_a_rubric(self, reward):
        given = {"rubric": [column(rubric())] * 2}
        first, second = reward.rows(["Question 0?"] * 2, ["a", "b"], given)
        assert first.rubric is second.rubric

    def test_a_check_that_does_not_exist_is_an_error(self, reward):
        wrong = Rubric(
            prompt=Prompt.from_text("Q?"),
            criteria=(Criterion(criterion="x", weight=1, check=Check("no_such_check")),),
        )
        with pytest.raises(InputError, match="no_such_check"):
            call(reward, ["blue"], rubric=[column(wrong)], prompts=["Q?"])
