"""The reward server's forms, limits and errors, in this process."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from reward_samples import WordServer, checks_only, column, config, rubric, running

from rubricbench.errors import InputError
from rubricbench.reward import rubric_reward
from rubricbench.reward.serving.app import RewardApp
from rubricbench.reward.serving.settings import ServerSettings


@asynccontextmanager
async def serving(
    faults: dict[str, Any], folder: Path, **options: Any
) -> AsyncIterator[tuple[TestClient, WordServer]]:
    """A reward server before a judge."""
    rubrics = options.pop("rubrics", None)
    latency = options.pop("latency", 0.0)
    async with running(WordServer(faults, latency=latency)) as judge:
        reward = rubric_reward(
            config(judge), store=folder / "s.sqlite", rubrics=rubrics, patience=None
        )
        app = RewardApp(reward, ServerSettings(**options)).application()
        async with TestClient(TestServer(app)) as client:
            yield client, judge
        reward.close()


async def post(client: TestClient, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    async with client.post(path, json=body, headers=headers) as reply:
        return reply.status, await reply.json()


def rows(*responses: str) -> dict[str, Any]:
    given = column(rubric())
    return {"rows": [{"prompt": "Q?", "response": text, "rubric": given} for text in responses]}


async def test_our_own_form_carries_null_and_says_why(tmp_path):
    faults = {"trick": "refusal", "late": "500", "you": "500"}
    async with serving(faults, tmp_path) as (client, _):
        status, answer = await post(client, "/reward", rows("blue", "trick", "late"))
    assert status == 200
    # Weights 3, 1, -2 over 4.
    assert answer["rewards"] == [3 / 4, -2 / 4, None]
    assert answer["causes"] == [None, "refusal", "server_error"]
    assert answer["standing"] == ["scored", "low_bound", "lost"]
    assert answer["coverage"] == [1.0, 0.0, 0.0]
    assert (answer["low"], answer["high"]) == ([3 / 4, -2 / 4, -2 / 4], [3 / 4, 1.0, 1.0])


async def test_prompts_and_responses_may_be_conversations(tmp_path):
    row = {
        "prompt": [{"role": "user", "content": "Q?"}],
        "response": [{"role": "assistant", "content": "blue"}],
        "rubric": [{"criterion": "Says blue", "weight": 1}],
        "more": "is passed over",
    }
    async with serving({}, tmp_path) as (client, _):
        assert (await post(client, "/reward", {"rows": [row]}))[1]["rewards"] == [1.0]
        assert (await post(client, "/reward", {"rows": []}))[1]["rewards"] == []


async def test_openrlhfs_remote_reward(tmp_path):
    """Queries are prompt and response in one text, decoded with the model's marks."""
    prompt = "<|im_start|>user\nQuestion 0?<|im_end|>\n<|im_start|>assistant\n"
    body = {
        "query": [prompt + "blue<|im_end|>", "<s>" + prompt + "red</s><pad><pad>", prompt],
        "prompts": [prompt] * 3,
        "labels": [column(rubric())] * 3,
    }
    async with serving({"trick": "refusal"}, tmp_path) as (client, judge):
        status, answer = await post(client, "/get_reward", body)
        assert sorted(judge.responses) == ["", "blue", "red"]
    assert status == 200
    assert answer["rewards"] == answer["scores"] == [3 / 4, 1 / 4, 0.0]
    assert answer["extra_logs"] == {
        "rubric_coverage": [1.0] * 3,
        "rubric_low_bound": [0.0] * 3,
        "rubric_lost": [0.0] * 3,
    }


async def test_labels_may_be_ids_of_prompts_the_server_has(tmp_path):
    known = [rubric(0), rubric(1)]
    body = {
        "query": ["Q: blue", "Q: red"],
        "prompts": ["Q: ", "Q: "],
        "labels": [known[0].prompt_id, known[1].prompt_id],
    }
    async with serving({}, tmp_path, rubrics=known) as (client, _):
        assert (await post(client, "/get_reward", body))[1]["rewards"] == [3 / 4, 1 / 4]


async def test_verls_reward_function_of_one_row_and_of_many(tmp_path):
    one = {
        "data_source": "x",
        "solution_str": "blue<|im_end|>",
        "ground_truth": '[{"criterion": "Says blue", "weight": 1}]',
        "extra_info": {"prompt": "Q?", "index": 3},
    }
    many = {
        "data_sources": ["x", "x"],
        "solution_strs": ["blue", "trick"],
        "ground_truths": [column(rubric())] * 2,
        "extra_infos": [None, {}],
    }
    async with serving({"trick": "refusal"}, tmp_path) as (client, _):
        assert (await post(client, "/compute_score", one))[1]["score"] == 1.0
        answer = (await post(client, "/compute_score", many))[1]
    assert answer["scores"] == [3 / 4, -2 / 4]
    assert answer["rubric_standing"] == ["scored", "low_bound"]
    assert answer["rubric_cause"] == [None, "refusal"]


LOST = {
    "query": ["Qblue", "Qblue red", "Qlate", "Rlate"],
    "prompts": ["Q", "Q", "Q", "R"],
    "labels": [column(rubric(0))] * 3 + [column(rubric(1))],
}


async def test_a_form_without_null_refuses_a_lost_row_and_pays_for_it_alone(tmp_path):
    async with serving({"late": "500", "you": "500"}, tmp_path) as (client, judge):
        async with client.post("/get_reward", json=LOST) as reply:
            assert reply.status == 503
            assert reply.headers["Retry-After"] == "1"
            told = (await reply.json())["error"]
        assert "owes the verdicts of 2 of 4 rows (server_error: HTTP 500" in told
        judge.faults = {}
        judge.responses.clear()
        assert (await post(client, "/get_reward", LOST))[1]["rewards"] == [3 / 4, 1.0, 0.0, 0.0]
        assert judge.responses == ["late", "late"]


async def test_or_gives_it_the_mean_of_its_prompt_and_says_so(tmp_path):
    async with serving({"late": "500", "you": "500"}, tmp_path, lost="mean") as (client, _):
        status, answer = await post(client, "/get_reward", LOST)
    assert status == 200
    # Of its own prompt (3/4 + 1) / 2; of a prompt without any, that of the request: the same here.
    assert answer["rewards"] == [3 / 4, 1.0, 7 / 8, 7 / 8]
    assert answer["extra_logs"]["rubric_lost"] == [0.0, 0.0, 1.0, 1.0]
    assert answer["causes"] == [None, None, "server_error", "server_error"]


async def test_where_nothing_is_known_there_is_no_mean(tmp_path):
    body = {"query": ["Qlate"], "prompts": ["Q"], "labels": [column(rubric())]}
    async with serving({"late": "500", "you": "500"}, tmp_path, lost="mean") as (client, _):
        assert (await post(client, "/get_reward", body))[0] == 503


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/reward", {"rows": [{"prompt": "Q?"}]}, "required field `response` - at `$.rows[0]`"),
        ("/reward", {"rows": [{"response": "a"}]}, "row 0, prompt '': a row has no rubric"),
        ("/reward", {"rows": [{"response": 7}]}, "got `int` - at `$.rows[0].response`"),
        ("/reward", [], "Expected `object`, got `array`"),
        (
            "/reward",
            {"rows": [{"response": "a", "prompt": "Q", "rubric": '[{"criterion": "x"}]'}]},
            "row 0.rubrics[0].weight: 'weight' is required",
        ),
        ("/reward", {"rows": [{"response": "a", "prompt": "Q", "rubric": "{"}]}, "not JSON"),
        (
            "/get_reward",
            {"query": ["a", "b"], "prompts": ["a"], "labels": ["x", "y"]},
            "not of one length: query 2, prompts 1, labels 2",
        ),
        (
            "/get_reward",
            {"query": ["Qa"], "prompts": ["X"], "labels": ["x"]},
            "query[0]: the query does not begin with its prompt",
        ),
        ("/get_reward", {"query": ["Qa"]}, "required field `prompts`"),
        ("/compute_score", {"solution_str": "a"}, "required field `ground_truth`"),
    ],
)
async def test_a_request_that_is_wrong_is_told_what_is_in_one_line(tmp_path, path, body, told):
    async with serving({}, tmp_path) as (client, judge):
        status, answer = await post(client, path, body)
        assert judge.requests == 0
    assert status == 400
    assert told in answer["error"]
    assert "\n" not in answer["error"]


async def test_what_is_no_json_is_told_so(tmp_path):
    async with serving({}, tmp_path) as (client, _):
        deep = b'{"rows": [{"response": "a", "rubric": ' + b"[" * 100_000
        for data in (b"{", b"\xff", b'{"rows": [{"response": "\\ud800"}]}', deep):
            headers = {"Content-Type": "application/json"}
            async with client.post("/reward", data=data, headers=headers) as reply:
                assert reply.status == 400
                assert "not JSON" in (await reply.json())["error"]


async def test_a_rubric_that_needs_a_judge_where_there_is_none_is_the_callers_fault(tmp_path):
    reward = rubric_reward(None, patience=None)
    app = RewardApp(reward, ServerSettings()).application()
    async with TestClient(TestServer(app)) as client:
        status, answer = await post(client, "/reward", rows("blue"))
        assert (status, "needs a judge" in answer["error"]) == (400, True)
        row = {"response": "a, b", "rubric": column(checks_only())}
        assert (await post(client, "/reward", {"rows": [row]}))[1]["rewards"] == [0.0]
    reward.close()


async def test_limits_of_body_and_rows(tmp_path):
    async with serving({}, tmp_path, max_body_bytes=10_000, max_rows=2) as (client, _):
        status, answer = await post(client, "/reward", rows("x" * 20_000))
        assert (status, answer["error"]) == (413, "the request is larger than 10,000 bytes")
        status, answer = await post(client, "/reward", rows("a", "b", "c"))
        assert (status, answer["error"]) == (413, "3 rows; at most 2")
        assert (await post(client, "/reward", rows("a", "b")))[0] == 200


async def test_batches_wait_for_room_and_not_everybody_may(tmp_path):
    settings = {"max_rows_at_once": 2, "max_waiting": 1, "latency": 0.3}
    async with serving({}, tmp_path, **settings) as (client, judge):
        asked = [post(client, "/reward", rows(f"blue {i}", f"red {i}")) for i in range(2)]
        tasks = [asyncio.create_task(one) for one in asked]
        await asyncio.sleep(0.15)
        status, answer = await post(client, "/reward", rows("a"))
        assert (status, answer["error"]) == (429, "too many requests wait already")
        assert [(await task)[0] for task in tasks] == [200, 200]
        # Three rows are more than the room; they get it all.
        assert (await post(client, "/reward", rows("c", "d", "e")))[0] == 200
        assert judge.most_in_flight == 3


async def test_a_token_is_wanted_in_either_form(tmp_path):
    basic = "Basic " + base64.b64encode(b"any:secret").decode()
    async with serving({}, tmp_path, token="secret") as (client, _):
        for header, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Basic !"}, 401),
            ({"Authorization": "Bearer sécret"}, 401),
            ({"Authorization": "Bearer secret"}, 200),
            ({"Authorization": basic}, 200),
        ):
            async with client.post("/reward", json=rows("blue"), headers=header) as reply:
                assert reply.status == status
            async with client.get("/metrics", headers=header) as reply:
                assert reply.status == status
        async with client.get("/health") as reply:
            assert reply.status == 200


async def test_a_page_in_a_browser_cannot_spend_the_judges_money(tmp_path):
    async with serving({}, tmp_path) as (client, judge):
        data = b'{"rows": []}'
        async with client.post("/reward", data=data, headers={"Content-Type": "text/plain"}) as r:
            assert r.status == 415
        async with client.post("/reward", json={"rows": []}, headers={"Host": "evil.example"}) as r:
            assert r.status == 403
        assert judge.requests == 0


async def test_strangers_paths_and_methods_are_told_so(tmp_path):
    async with serving({}, tmp_path) as (client, _):
        assert (await post(client, "/nowhere", {}))[0] == 404
        async with client.get("/reward") as reply:
            assert reply.status == 405
            assert (await reply.json())["error"] == "Method Not Allowed"


async def test_health_and_metrics(tmp_path):
    faults = {"trick": "refusal", "crash": "500"}
    async with serving(faults, tmp_path) as (client, _):
        await post(client, "/reward", rows("blue", "trick", "crash"))
        await post(client, "/reward", {"rows": 1})
        async with client.get("/health") as reply:
            health = await reply.json()
        async with client.get("/metrics") as reply:
            text = await reply.text()
    assert (health["status"], health["judge"], health["last_error"]) == ("ok", "m", None)
    lines = text.splitlines()
    for line in (
        'rubricbench_reward_requests_total{path="/reward",status="200"} 1',
        'rubricbench_reward_requests_total{path="/reward",status="400"} 1',
        'rubricbench_reward_rows_total{standing="scored"} 1',
        'rubricbench_reward_rows_total{standing="low_bound"} 2',
        'rubricbench_reward_unknown_total{cause="server_error"} 1',
        "rubricbench_reward_own_doing_total 1",
        'rubricbench_reward_batch_seconds_bucket{le="+Inf"} 1',
        "rubricbench_reward_rows_under_way 0",
    ):
        assert line in lines
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


async def test_a_judge_that_has_gone_is_seen_in_the_answer_and_in_health(tmp_path):
    async with running(WordServer({})) as judge:
        gone = config(judge)
    reward = rubric_reward(gone, store=tmp_path / "s.sqlite", patience=None)
    async with TestClient(TestServer(RewardApp(reward, ServerSettings()).application())) as client:
        status, answer = await post(client, "/reward", rows("blue"))
        assert (status, answer["rewards"], answer["causes"]) == (200, [None], ["not_judged"])
        assert "cannot be reached" in answer["error"]
        async with client.get("/health") as reply:
            assert "cannot be reached" in (await reply.json())["last_error"]
        status, answer = await post(
            client, "/compute_score", {"solution_str": "a", "ground_truth": column(rubric())}
        )
        assert status == 503
    reward.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_strangers_may_not_call_without_a_token(host):
    with pytest.raises(InputError, match="RUBRICBENCH_REWARD_TOKEN"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, token="secret").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_may(host):
    assert ServerSettings(host=host).is_local


@pytest.mark.parametrize(
    "wrong", [{"port": 70_000}, {"max_rows": 0}, {"lost": "zero"}, {"token": "a\nb"}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        ServerSettings(**wrong)
