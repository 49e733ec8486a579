"""Files people bring: read in a stream, matched without guessing, every fault placed."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rubricbench.errors import InputError, RubricbenchError, SchemaError
from rubricbench.readers import MatchReport, RubricIndex, read_responses, read_rows, read_rubrics

PAPER = {
    "prompt": "What helps against a cold?",
    "rubrics": [{"criterion": "Recommends rest", "weight": 3}],
    "number_of_criteria": 1,
    "total_weight": 3,
}
HEALTHBENCH = {
    "prompt": [{"role": "user", "content": "I have a cold"}],
    "prompt_id": "hb1",
    "rubrics": [{"criterion": "Recommends rest", "points": 5, "tags": []}],
}
ANSWERS = [
    {"prompt": "What helps against a cold?", "generator": "a", "response": "Rest.\nAnd, tea"},
    {"prompt": "What helps against a cold?", "generator": "b", "response": ""},
]


def write(path, rows):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            for row in rows:
                flat = {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
                writer.writerow(flat)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_responses_read_alike_from_every_format(tmp_path, suffix):
    rows = list(read_responses(write(tmp_path / f"r{suffix}", ANSWERS)))
    assert [(r.text, r.fields["generator"]) for r in rows] == [("Rest.\nAnd, tea", "a"), ("", "b")]


@pytest.mark.parametrize("row", [PAPER, HEALTHBENCH])
@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_rubrics_read_alike_from_every_format_and_form(tmp_path, suffix, row):
    ((line, rubric),) = read_rubrics(write(tmp_path / f"q{suffix}", [row]))
    assert line == 1
    assert rubric.criteria[0].criterion == "Recommends rest"


def test_response_table_keeps_its_fields(tmp_path):
    row = {
        "prompt_id": "p",
        "response_id": "a_1",
        "generator": "m",
        "sampling": '{"temperature": 1}',
        "text": "t",
        "finish_reason": "length",
        "usage": '{"completion_tokens": 3}',
    }
    (found,) = read_responses(write(tmp_path / "r.jsonl", [row]))
    response = found.response("p")
    assert (response.id, response.sampling, response.usage) == (
        "a_1",
        {"temperature": 1},
        {"completion_tokens": 3},
    )


def test_match_by_id_by_text_and_not_by_likeness(tmp_path):
    index = RubricIndex(write(tmp_path / "q.jsonl", [PAPER]))
    (rubric,) = index
    rows = [
        {"prompt_id": rubric.prompt_id, "text": "by id"},
        {"prompt": PAPER["prompt"] + "\n", "text": "by text"},
        {"prompt": PAPER["prompt"].upper(), "text": "alike only"},
    ]
    report = MatchReport()
    found = [index.match(r, report) for r in read_responses(write(tmp_path / "r.jsonl", rows))]
    assert found == [rubric, rubric, None]
    assert (report.matched, report.unmatched) == (2, 1)
    assert "line 3" in str(report)


def test_nothing_matched_is_an_error_that_says_how_matching_works(tmp_path):
    index = RubricIndex(write(tmp_path / "q.jsonl", [PAPER]))
    with pytest.raises(InputError, match="exact prompt text"):
        index.require_matches(MatchReport(unmatched=3, examples=["line 1: 'x'"]), "r.jsonl")


def test_two_rubrics_for_one_prompt_name_both_lines(tmp_path):
    with pytest.raises(SchemaError, match=r"q\.jsonl:2, prompt: the prompt of line 1 again"):
        RubricIndex(write(tmp_path / "q.jsonl", [PAPER, PAPER]))


def consume(path):
    for _ in read_responses(path):
        pass


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.jsonl", None, "no such file"),
        ("empty.jsonl", b"", "the file is empty"),
        ("blank.jsonl", b"\n\n", "no rows"),
        ("odd.xlsx", b"x", "cannot tell what kind"),
        ("none", b"x", "cannot tell what kind"),
        ("bad.jsonl", b'{"prompt": "p", "text": "t"}\n{"prompt"', r"bad\.jsonl:2.*not JSON"),
        ("list.jsonl", b"[1]\n", r"list\.jsonl:1: expected one JSON object a line"),
        ("latin.jsonl", b'{"prompt": "p", "text": "t"}\n\xe9\n', r"latin\.jsonl:2.*not UTF-8"),
        ("twice.jsonl", b'{"text": "a", "text": "b", "prompt": "p"}\n', "a key appears twice"),
        (
            "cols.jsonl",
            b'{"question": "p", "text": "t"}\n',
            "no column prompt_id or prompt.*question",
        ),
        ("cols2.jsonl", b'{"prompt": "p", "anser": "t"}\n', "no column text or response"),
        ("null.jsonl", b'{"prompt": "p", "text": null}\n', "an empty one is ''"),
        ("type.jsonl", b'{"prompt": "p", "text": 5}\n', "expected text, got int"),
        ("noprompt.jsonl", b'{"prompt": "", "text": "t"}\n', "nothing says what it answers"),
        ("sur.jsonl", b'{"prompt": "p", "text": "\\ud800"}\n', "surrogate"),
        ("nul.jsonl", b'{"prompt": "p", "text": "\\u0000"}\n', "NUL"),
        (
            "ids.jsonl",
            b'{"prompt_id":"p","text":"t","response_id":"a"}\n' * 2,
            r"ids\.jsonl:2, response_id: 'a' stands on line 1",
        ),
        ("use.jsonl", b'{"prompt": "p", "text": "t", "usage": [1]}\n', "usage: expected an object"),
        ("not.parquet", b"PAR1 but not really", "not a readable parquet file"),
        ("ragged.csv", b"prompt,text\na,b\nc\n", r"ragged\.csv:2: 1 fields, the header has 2"),
        ("double.csv", b"prompt,text,text\na,b,c\n", "'text' stands twice"),
        ("quote.csv", b'prompt,text\na,"b\n', "not CSV"),
        ("head.csv", b"prompt,text\n", "no rows"),
        ("huge.csv", b'prompt,text\na,"' + b"x" * 16_000_001 + b'"\n', "not CSV: field larger"),
    ],
)
def test_fault_is_one_line_with_its_place(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RubricbenchError, match=message) as caught:
        consume(path)
    assert caught.value.exit_code == 2
    assert name in str(caught.value)


def test_folder_is_not_a_file(tmp_path):
    with pytest.raises(InputError, match="this is a folder"):
        consume(tmp_path)


def test_parquet_without_rows(tmp_path):
    pq.write_table(pa.table({"prompt": pa.array([], pa.string())}), tmp_path / "e.parquet")
    with pytest.raises(InputError, match="no rows"):
        consume(tmp_path / "e.parquet")


def test_reading_streams(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text('{"prompt": "p", "text": "t"}\n' * 5 + "broken\n")
    rows = read_rows(path)
    assert [next(rows)[0] for _ in range(5)] == [1, 2, 3, 4, 5]
