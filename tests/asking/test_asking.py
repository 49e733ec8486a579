"""Questions are asked once, read strictly, and repaired once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from simserver.scripted import endpoint

from rubricbench.asking import Asker, Question
from rubricbench.asking.reading import read_json
from rubricbench.errors import EndpointError, SchemaError
from rubricbench.judging.config import JudgeConfig
from rubricbench.schema import Cause
from rubricbench.store import Store

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUBRICBENCH_JUDGE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def config(url: str, **fields: object) -> JudgeConfig:
    return JudgeConfig(model="m", base_url=url, retries=0, deadline=5, **fields)


def question(text: str) -> Question:
    return Question.of(text, schema=SCHEMA, tag=text)


def number(body: dict) -> str:
    return json.dumps({"n": len(body["messages"][0]["content"])})


def test_answers_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    texts = ["aaaa", "a", "aaa", "aa"]
    with endpoint(number) as server, Store.open(tmp_path / "s.sqlite") as store:
        found = Asker(config(server.base_url), store).ask_all(map(question, texts))
    assert [(a.question.tag, a.value["n"]) for a in found] == [(t, len(t)) for t in texts]


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    with endpoint(number) as server:
        for _ in range(2):
            with Store.open(tmp_path / "s.sqlite") as store:
                Asker(config(server.base_url), store).ask_all([question("a"), question("a")])
    assert len(server.bodies) == 1  # the equal one shares the call, the second run the store


def test_the_schema_is_sent_and_part_of_the_key(tmp_path: Path) -> None:
    with endpoint(number) as server, Store.open(tmp_path / "s.sqlite") as store:
        for enforced in (True, False):
            asker = Asker(config(server.base_url, response_format=enforced), store)
            asker.ask_all([question("a")])
    sent = [body.get("response_format") for body in server.bodies]
    assert sent[0]["json_schema"]["schema"] == SCHEMA
    assert sent[1] is None


def test_an_unreadable_answer_is_asked_about_once_more(tmp_path: Path) -> None:
    def answer(body: dict) -> str:
        return '{"n": 5}' if len(body["messages"]) == 3 else '{"n": "five"}'

    with endpoint(answer) as server, Store.open(tmp_path / "s.sqlite") as store:
        (found,) = Asker(config(server.base_url), store).ask_all([question("a")])
    assert found.value == {"n": 5}
    told = server.bodies[1]["messages"][2]["content"]
    assert "['n']: 'five' is not of type 'integer'" in told


def test_an_answer_that_stays_unreadable_has_a_fault_and_no_value(tmp_path: Path) -> None:
    refuses = endpoint(lambda body: "I would rather not.")
    with refuses as server, Store.open(tmp_path / "s.sqlite") as store:
        (found,) = Asker(config(server.base_url), store).ask_all([question("a")])
    assert found.value is None
    assert (found.fault, found.cause) == ("it holds no JSON object", None)
    assert len(server.bodies) == 2


def test_a_call_without_an_answer_has_its_cause_and_is_made_anew_next_time(tmp_path: Path) -> None:
    answers: list[str | int] = [503, '{"n": 1}']
    recovers = endpoint(lambda body: answers.pop(0))
    with recovers as server, Store.open(tmp_path / "s.sqlite") as store:
        first = Asker(config(server.base_url), store).ask_all([question("a")])[0]
        second = Asker(config(server.base_url), store).ask_all([question("a")])[0]
    assert (first.value, first.cause) == (None, Cause.SERVER_ERROR)
    assert second.value == {"n": 1}


def test_a_wrong_key_ends_the_run(tmp_path: Path) -> None:
    with endpoint(lambda body: 401) as server, Store.open(tmp_path / "s.sqlite") as store:
        asker = Asker(config(server.base_url), store)
        with pytest.raises(EndpointError):
            asker.ask_all([question("a")])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"n": 1}', 1),
        ('Sure:\n```json\n{"n": 2}\n```\nDone.', 2),
        ('{"m": 0} is wrong, {"n": 3} is right', 3),  # the first that keeps to the schema
        ('{ not json } {"n": 4}', 4),
    ],
)
def test_json_is_found_in_what_stands_around_it(text: str, value: int) -> None:
    assert read_json(text, SCHEMA) == {"n": value}


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"n": 1', '{"n": 1, "n": 2}', '{"n": NaN}', "{" * 5000, '{"n": 1.5}']
)
def test_what_is_not_the_json_asked_for_is_refused(text: str) -> None:
    with pytest.raises(SchemaError):
        read_json(text, SCHEMA)
