"""A row from a stranger is read strictly, and every contradiction has a name."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

from rubricbench.errors import SchemaError
from rubricbench.leaderboard.schema import MAX_BYTES, from_json, json_schema, to_json

GOOD = {
    "kind": "reward",
    "name": "rubric, 9 criteria",
    "dataset": {"name": "verifiable", "revision": "1.0.0", "split": "test", "prompts": 40},
    "metrics": {
        "rubric_score": {"value": 0.4, "low": 0.3, "high": 0.5, "n": 40, "method": "bootstrap"},
        "x_pass/word_count": {"value": None},
    },
    "judge": {"model": "judge-1", "prompt_hash": "ab12cd34", "format": "json"},
    "seeds": [0, 1, 2],
    "label_budget": 630,
    "created": "2026-01-02T03:04:05Z",
    "rubricbench": "0.1.0",
}


def changed(path: str, value: object) -> str:
    row = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = row
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(row)


def test_row_survives_both_ways():
    row = from_json(json.dumps(GOOD))
    assert from_json(to_json(row)) == row


def test_exported_schema_accepts_what_we_accept_and_refuses_an_unknown_kind():
    jsonschema.validate(json.loads(to_json(from_json(json.dumps(GOOD)))), json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(changed("kind", "person")), json_schema())


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("bad_row", changed("kind", "person")),
        ("bad_row", changed("name", "")),
        ("bad_row", changed("name", "x" * 201)),
        ("bad_row", changed("extra", 1)),
        ("bad_row", changed("dataset.prompts", 0)),
        ("bad_row", changed("dataset.revision", ...)),
        ("bad_row", changed("seeds", [])),
        ("bad_row", changed("seeds", ...)),
        ("bad_row", changed("created", "yesterday")),
        ("bad_row", changed("judge.prompt_hash", "not hex")),
        ("bad_row", changed("metrics", {})),
        ("bad_row", changed("metrics.rubric_score", 0.4)),
        ("bad_row", changed("cost", {"calls": -1})),
        ("bad_row", changed("format", 2)),
        ("bad_row", "[]"),
        ("unknown_metric", changed("metrics.vibes", {"value": 1.0})),
        ("unknown_metric", changed("metrics.x_<script>", {"value": 1.0})),
        ("half_interval", changed("metrics.rubric_score.low", ...)),
        ("interval_reversed", changed("metrics.rubric_score.low", 0.6)),
        ("value_outside_interval", changed("metrics.rubric_score.value", 0.9)),
        (
            "metric_not_finite",
            changed("metrics.rubric_score.value", 1e999).replace("Infinity", "1e999"),
        ),
        ("duplicate_seed", changed("seeds", [1, 1])),
        ("label_budget_of_model", changed("kind", "model")),
        ("bad_json", json.dumps(GOOD)[:-1]),
        ("bad_json", json.dumps(GOOD)[:-1] + ', "kind": "model"}'),
        ("bad_json", changed("metrics.rubric_score.value", float("nan"))),
        ("bad_json", "[" * 50_000),
        ("text_too_long", " " * (MAX_BYTES + 1)),
    ],
)
def test_fault_is_named_and_placed(code, text):
    with pytest.raises(SchemaError) as caught:
        from_json(text, file="rows.jsonl", line=4)
    assert caught.value.code == code
    assert str(caught.value).startswith("rows.jsonl:4")
