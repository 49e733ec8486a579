"""Responses: our table, AlpacaEval's columns or names of one's own, from any kind of file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rubricbench.errors import InputError, RubricbenchError, SchemaError
from rubricbench.readers import read_responses
from rubricbench.readers import seen as seen_module
from rubricbench.readers.seen import SeenIds
from rubricbench.schema import Response

ANSWERS = [
    {"prompt": "What helps against a cold?", "generator": "a", "response": "Rest.\nAnd, tea"},
    {"prompt": "What helps against a cold?", "generator": "b", "response": ""},
]
OURS = {
    "prompt_id": "p",
    "response_id": "a_1",
    "generator": "m",
    "sampling": {"temperature": 1},
    "text": "t",
    "finish_reason": "length",
    "usage": {"completion_tokens": 3},
}


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_alpaca_eval_columns_read_alike_from_every_format(write, suffix):
    rows = list(read_responses(write(f"r.{suffix}", ANSWERS)))
    assert [(r.prompt, r.text, r.generator) for r in rows] == [
        (ANSWERS[0]["prompt"], "Rest.\nAnd, tea", "a"),
        (ANSWERS[1]["prompt"], "", "b"),
    ]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("as_text", [False, True])
def test_our_table_keeps_every_field(write, suffix, as_text):
    row = {
        key: json.dumps(value) if as_text and isinstance(value, dict) else value
        for key, value in OURS.items()
    }
    (found,) = read_responses(write(f"r.{suffix}", [row]))
    assert found.response("p") == Response(
        prompt_id="p",
        text="t",
        generator="m",
        sampling={"temperature": 1},
        finish_reason="length",
        usage={"completion_tokens": 3},
        id="a_1",
    )


def test_keys_that_parquet_adds_to_a_nested_column_are_dropped(write):
    rows = [{**OURS, "usage": {"a": 1}}, {**OURS, "response_id": "a_2", "usage": {"b": 2}}]
    assert [r.usage for r in read_responses(write("r.parquet", rows))] == [{"a": 1}, {"b": 2}]


def test_response_without_an_id_gets_the_id_of_its_content(write):
    (row,) = read_responses(write("r.jsonl", ANSWERS[:1]))
    expected = Response(prompt_id="p", text="Rest.\nAnd, tea", generator="a")
    assert row.response("p").id == expected.id


def test_null_in_optional_columns_is_absence(write):
    row = dict.fromkeys(OURS) | {"prompt": "q", "text": "t"}
    (found,) = read_responses(write("r.jsonl", [row]))
    assert (found.prompt_id, found.generator, found.usage, found.response_id) == ("", "", {}, "")


def test_rows_of_one_file_may_name_their_prompt_differently(write):
    rows = [{"prompt_id": "p", "text": "1"}, {"prompt": "q", "response": "2", "generator": "g"}]
    found = list(read_responses(write("r.jsonl", rows)))
    assert [(r.prompt_id, r.prompt, r.text, r.generator) for r in found] == [
        ("p", "", "1", ""),
        ("", "q", "2", "g"),
    ]


def test_later_row_without_an_answer_column_is_named(write):
    path = write("r.jsonl", [{"prompt": "p", "text": "1"}, {"prompt": "q", "reply": "2"}])
    with pytest.raises(InputError, match=r"r\.jsonl:2: no column with the answer.*prompt, reply"):
        list(read_responses(path))


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_conversation_in_messages_is_read_as_its_transcript(write, suffix):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    turns.append({"role": "user", "content": "Bye"})
    (row,) = read_responses(write(f"r.{suffix}", [{"messages": turns, "text": "t"}]))
    assert row.prompt == "User: Hi\n\nAssistant: Hello\n\nUser: Bye"


def test_columns_of_other_names_can_be_given(write):
    path = write("r.csv", [{"q": "what?", "a": "that", "who": "m", "text": "not this"}])
    columns = {"prompt": "q", "text": "a", "generator": "who"}
    (row,) = read_responses(path, columns=columns)
    assert (row.prompt, row.text, row.generator) == ("what?", "that", "m")


def test_given_column_that_is_not_there_is_named_with_those_found(write):
    path = write("r.csv", [{"prompt": "p", "text": "t"}])
    with pytest.raises(InputError, match=r"no column 'who' \(for generator\); found: prompt, text"):
        list(read_responses(path, columns={"generator": "who"}))
    with pytest.raises(InputError, match="a response has no field 'txt'; fields: text, prompt_id"):
        read_responses(path, columns={"txt": "text"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"question": "p", "text": "t"}', r"asked \(prompt_id or prompt or.*found: question, tex"),
        ('{"prompt": "p", "anser": "t"}', r"no column with the answer \(text or response.*anser"),
        ('{"a": 1}', r"no column with the answer .* or with what was asked .*found: a"),
        ("{}", "found: none"),
        ('{"prompt": "p", "text": null}', "text: no answer: an empty one is '', not null"),
        ('{"prompt": "p", "text": 5}', "text: expected text, got int"),
        ('{"prompt_id": 7, "text": "t"}', "prompt_id: expected text, got int"),
        ('{"prompt": "", "text": "t"}', "prompt: nothing says what it answers"),
        ('{"prompt": "p", "text": "\\ud800"}', "text: a text with half of a surrogate pair"),
        ('{"prompt": "p", "text": "\\u0000"}', "text: a text with a NUL character"),
        ('{"prompt": "p", "text": "t", "usage": [1]}', "usage: expected an object, got list"),
        ('{"prompt": "p", "text": "t", "usage": "3"}', "usage: expected an object, got int"),
        ('{"prompt": "p", "text": "t", "usage": "x"}', "usage: not JSON"),
        ('{"prompt": "p", "text": "t", "usage": {"n": -1}}', r"usage\.n: expected a token count"),
        ('{"prompt": "p", "text": "t", "usage": {"n": 1.5}}', r"usage\.n: expected a token count"),
        ('{"messages": "no", "text": "t"}', "messages: not JSON"),
        ('{"messages": {"role": "user"}, "text": "t"}', "messages: expected a list of messages"),
        ('{"messages": [{"role": "me", "content": "x"}], "text": "t"}', r"messages\[0\]\.role"),
    ],
)
def test_fault_names_file_line_and_field(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(content + "\n")
    with pytest.raises(RubricbenchError, match=rf"r\.jsonl:1.*{message}") as caught:
        list(read_responses(path))
    assert caught.value.exit_code == 2


def test_semicolons_for_commas_are_recognised(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("prompt;text\na;b\n")
    with pytest.raises(InputError, match="separate columns by commas"):
        list(read_responses(path))


def test_text_over_the_limit_is_refused_with_its_line(write):
    path = write("r.jsonl", [{"prompt": "p", "text": "x" * 2_000_001}])
    with pytest.raises(RubricbenchError, match=r"r\.jsonl:1, text: 2,000,001 characters, the lim"):
        list(read_responses(path))


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_one_id_on_two_rows_names_both(write, suffix):
    rows = [{"prompt_id": "p", "text": "t", "response_id": i} for i in ("a", "b", "c", "b")]
    line = 1 if suffix == "csv" else 0  # the header
    message = rf"r\.{suffix}:{4 + line}, response_id: 'b' stands on line {2 + line} already"
    with pytest.raises(RubricbenchError, match=message):
        list(read_responses(write(f"r.{suffix}", rows)))


def test_ids_of_equal_hash_are_not_taken_for_one(write, monkeypatch):
    monkeypatch.setattr(SeenIds, "add", lambda self, text: True)
    rows = [{"prompt_id": "p", "text": "t", "response_id": i} for i in ("a", "b")]
    assert len(list(read_responses(write("r.jsonl", rows)))) == 2


def test_seen_ids_remember_across_their_sorting(monkeypatch):
    monkeypatch.setattr(seen_module, "RECENT", 7)
    seen = SeenIds()
    names = [f"id {i}" for i in range(100)]
    assert not any(seen.add(name) for name in names)
    assert all(seen.add(name) for name in names)


@pytest.mark.shared
def test_the_alpaca_eval_file_is_read_whole():
    path = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval" / "responses.parquet"
    if not path.exists():
        pytest.skip("the AlpacaEval responses are not beside the checkout")
    rows = list(read_responses(path))
    assert len(rows) == 12_281
    assert len({r.generator for r in rows}) == 21
    assert all(r.prompt for r in rows)


@pytest.mark.parametrize(
    "sampling", ['{"temperature": 1e999}', '{"stop": "\\ud800"}'], ids=["infinite", "surrogate"]
)
def test_sampling_that_no_table_can_hold_is_refused(tmp_path, sampling):
    path = tmp_path / "r.jsonl"
    path.write_text('{"prompt": "a", "response": "b", "sampling": ' + sampling + "}\n")
    with pytest.raises(SchemaError) as caught:
        list(read_responses(path))
    assert (caught.value.code, caught.value.field, caught.value.line) == ("bad_json", "sampling", 1)
