"""The pool: what is read, what is refused, what it says of itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pool_samples import pool_rows, write_pool

from rubricbench.audit.pool import read_pool, summarise
from rubricbench.errors import InputError, SchemaError


def test_parquet_and_jsonl_are_read_alike(tmp_path):
    rows = pool_rows(3, 4)
    one = read_pool(write_pool(tmp_path / "pool.parquet", rows))
    lines = tmp_path / "pool.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    other = read_pool(lines)
    assert one.texts == other.texts
    assert one.prompts == other.prompts
    np.testing.assert_array_equal(one.gold, other.gold)
    assert sorted(one.numbers) == ["broken", "good"]
    assert one.length[0] == len(rows[0]["text"].split())


def test_messages_say_what_was_asked_and_length_is_taken(tmp_path):
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    row = {"prompt_id": "p", "response_id": "r", "text": "So.", "gold": 1, "length": 7}
    pool = read_pool(write_pool(tmp_path / "pool.parquet", [{**row, "messages": turns}]))
    assert pool.prompts == ["Why?"]
    assert pool.length.tolist() == [7]
    assert [turn["role"] for turn in pool.turns[0]] == ["system", "user"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"gold": "much"}, "expected a number"),
        ({"gold": True}, "expected a number"),
        ({"text": None}, "expected text"),
        ({"prompt_id": ""}, "empty"),
        ({"response_id": "r000-00"}, "stands on line 1 already"),
    ],
)
def test_a_broken_row_is_refused_with_its_line(tmp_path, change, fault):
    rows = pool_rows(1, 2)
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (rows[0], {**rows[1], **change})))
    with pytest.raises(SchemaError, match=fault) as error:
        read_pool(path)
    assert error.value.line == 2
    assert "\n" not in str(error.value)


def test_an_infinite_number_is_refused(tmp_path):
    rows = pool_rows(1, 2)
    rows[1]["good"] = float("inf")
    with pytest.raises(SchemaError, match="infinite"):
        read_pool(write_pool(tmp_path / "pool.parquet", rows))


def test_a_missing_column_or_another_kind_of_file_is_refused(tmp_path):
    rows = [{"prompt_id": "p", "response_id": "r", "text": ""}]
    with pytest.raises(SchemaError, match="gold"):
        read_pool(write_pool(tmp_path / "pool.parquet", rows))
    with pytest.raises(InputError, match="parquet or JSONL"):
        read_pool(tmp_path / "pool.csv")


def test_it_says_what_it_allows(tmp_path):
    rows = [{**row, "generator": f"m{i % 2}"} for i, row in enumerate(pool_rows(4, 6))]
    rows[0]["gold"] = None
    summary = summarise(read_pool(write_pool(tmp_path / "pool.parquet", rows)))
    assert (summary.prompts, summary.responses, summary.per_prompt) == (4, 24, (6, 6))
    said = " ".join(summary.remarks)
    for what in ("4 prompts", "n = 3 at most", "effective 20", "2 generators", "1 responses have"):
        assert what in said
    assert summary.gold_unknown == 1
    assert summary.gold_levels == 23
