"""A row from a stranger is read strictly, and every contradiction has a name."""

from __future__ import annotations

import copy
import json
import string
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import SchemaError
from rubricbench.leaderboard import (
    METRICS,
    Cost,
    DatasetIdentity,
    JudgeIdentity,
    LeaderboardRow,
    Metric,
    from_json,
    json_schema,
    to_json,
)
from rubricbench.leaderboard.schema import FAULTS, MAX_BYTES, now

GOOD: dict[str, Any] = {
    "kind": "reward",
    "name": "rubric, 9 criteria",
    "dataset": {"name": "verifiable", "revision": "1.0.0", "split": "test", "rows": 40},
    "metrics": {
        "rubric_score": {"value": 0.4, "low": 0.3, "high": 0.5, "n": 40, "method": "bootstrap"},
        "pass_rate/word_count": {"value": None, "n": 0},
        "x_gold/last": {"value": 12, "n": 3},
    },
    "judge": {"model": "judge-1", "prompt_hash": "ab12cd34", "format": "json"},
    "seeds": [0, 1, 2],
    "label_budget": 630,
    "cost": {"calls": 40, "prompt_tokens": 9000, "completion_tokens": 800, "amount": 0.02},
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


def test_row_survives_both_ways_and_its_bytes_are_canonical():
    row = from_json(json.dumps(GOOD, indent=3))
    data = to_json(row)
    assert from_json(data) == row
    assert to_json(from_json(data)) == data
    assert data == json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode()
    assert row.metrics["x_gold/last"].value == 12.0
    assert (row.judge, row.cost.currency) == (
        JudgeIdentity(model="judge-1", prompt_hash="ab12cd34", format="json"),
        "USD",
    )


def test_exact_row_has_no_judge_and_no_cost():
    row = from_json(changed("judge", None))
    assert row.judge is None
    assert from_json(changed("cost", ...)).cost == Cost()


TEXT = st.text(st.sampled_from(string.ascii_letters + " é漢.-"), min_size=1, max_size=20).filter(
    str.strip
)
COUNTS = st.integers(0, 2**53)
NUMBERS = st.floats(-1e6, 1e6)


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    low, value, high = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    return draw(
        st.sampled_from(
            [
                Metric(value=value, low=low, high=high, n=3, level=0.9, method="bootstrap"),
                Metric(value=None, low=low, high=high, n=0, method="bounds"),
                Metric(value=value, n=1),
                Metric(value=None, n=0),
            ]
        )
    )


ROWS = st.builds(
    LeaderboardRow,
    kind=st.just("reward"),
    name=TEXT,
    revision=st.just("") | TEXT,
    dataset=st.builds(
        DatasetIdentity, name=TEXT, revision=TEXT, split=TEXT, rows=st.integers(1, 2**53)
    ),
    metrics=st.dictionaries(st.sampled_from(["x_a", "x_b/c", "auc"]), metrics(), min_size=1),
    judge=st.none()
    | st.builds(
        JudgeIdentity,
        model=TEXT,
        prompt_hash=st.text("0123456789abcdef", min_size=8, max_size=64),
        format=TEXT,
    ),
    seeds=st.lists(COUNTS, min_size=1, max_size=5, unique=True),
    label_budget=st.none() | COUNTS,
    cost=st.builds(Cost, calls=COUNTS, amount=st.none() | st.floats(0, 1e9)),
    created=st.datetimes().map(lambda t: f"{t.year:04}-{t:%m-%dT%H:%M:%S}Z"),
    rubricbench=TEXT,
    baseline=st.booleans(),
    notes=st.just("") | TEXT.map(lambda text: text + "\n\tand on"),
)


@given(ROWS)
def test_any_row_survives_both_ways_and_fits_the_exported_schema(row: LeaderboardRow) -> None:
    data = to_json(row)
    assert from_json(data) == row
    assert to_json(from_json(data)) == data
    jsonschema.validate(json.loads(data), json_schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "text",
    [
        changed("kind", "person"),
        changed("extra", 1),
        changed("metrics", {"vibes": {"value": 1.0, "n": 1}}),
        changed("metrics", {}),
        changed("seeds", []),
        changed("name", ""),
        changed("judge.prompt_hash", "AB12CD34"),
        changed("judge.prompt_hash", "ab12cd34\n"),
        changed("dataset.revision", ...),
    ],
)
def test_exported_schema_refuses_what_it_can_say(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(text), json_schema(), jsonschema.Draft202012Validator)
    with pytest.raises(SchemaError):
        from_json(text)


SCORE = "metrics.rubric_score"
FAULTY = [
    ("bad_json", "", json.dumps(GOOD)[:-1]),
    ("bad_json", "", json.dumps(GOOD)[:-1] + ', "kind": "model"}'),
    ("bad_json", "", json.dumps(GOOD).replace('"n": 40', '"n": 40, "n": 41')),
    ("bad_json", "", changed(f"{SCORE}.value", float("nan"))),
    ("bad_json", "", "[" * 50_000),
    ("bad_json", "", "9" * 5_000),  # beyond the digits that Python turns into a number
    ("bad_encoding", "", b"\xff"),
    ("bad_encoding", "", "\ud800"),
    ("text_too_long", "", " " * (MAX_BYTES + 1)),
    ("text_too_long", "name", changed("name", "x" * 201)),
    ("text_too_long", "notes", changed("notes", "x" * 4_001)),
    ("text_too_long", f"{SCORE}.method", changed(f"{SCORE}.method", "x" * 201)),
    (
        "too_many",
        "metrics",
        changed("metrics", {f"x_{i}": {"value": 1, "n": 1} for i in range(501)}),
    ),
    ("too_many", "seeds", changed("seeds", list(range(1_001)))),
    ("missing_key", "rubricbench", changed("rubricbench", ...)),
    ("missing_key", "dataset.revision", changed("dataset.revision", ...)),
    ("missing_key", f"{SCORE}.n", changed(f"{SCORE}.n", ...)),
    ("unknown_key", "extra", changed("extra", 1)),
    ("unknown_key", "judge.url", changed("judge.url", "http://x")),
    ("unknown_key", f"{SCORE}.std", changed(f"{SCORE}.std", 1)),
    ("wrong_type", "", "[]"),
    ("wrong_type", "name", changed("name", 3)),
    ("wrong_type", "baseline", changed("baseline", 1)),
    ("wrong_type", "seeds[1]", changed("seeds", [0, "1"])),
    ("wrong_type", "seeds[0]", changed("seeds", [True])),
    ("wrong_type", SCORE, changed(SCORE, 0.4)),
    ("wrong_type", f"{SCORE}.value", changed(f"{SCORE}.value", "0.4")),
    ("wrong_type", "judge", changed("judge", "gpt")),
    ("unknown_value", "kind", changed("kind", "person")),
    ("unknown_value", "format", changed("format", 2)),
    ("out_of_range", "dataset.rows", changed("dataset.rows", 0)),
    ("out_of_range", "cost.calls", changed("cost.calls", -1)),
    ("out_of_range", "cost.calls", changed("cost.calls", 2**53 + 1)),
    ("out_of_range", "cost.amount", changed("cost.amount", -0.5)),
    ("out_of_range", "cost.amount", changed("cost.amount", 5.5).replace("5.5", "1e999")),
    ("out_of_range", "seeds[0]", changed("seeds", [-1])),
    ("out_of_range", f"{SCORE}.level", changed(f"{SCORE}.level", 95)),
    ("out_of_range", f"{SCORE}.value", changed(SCORE, {"value": 1.5, "n": 1})),
    ("out_of_range", "metrics.all_met.value", changed("metrics.all_met", {"value": -0.1, "n": 1})),
    ("empty_text", "name", changed("name", "")),
    ("empty_text", "name", changed("name", " \u3000")),
    ("empty_text", "judge.model", changed("judge.model", "")),
    ("bad_text", "name", changed("name", "two\nlines")),
    ("bad_text", "name", changed("name", "nul\x00")),
    ("bad_text", "name", changed("name", "\x1b[31mred")),
    ("bad_text", "name", changed("name", "half \ud800")),
    ("bad_text", "name", changed("name", "gpt\u202e4")),
    ("bad_text", "name", changed("name", "gpt\u200b-4")),
    ("bad_text", "name", changed("name", "\ufeffgpt-4")),
    ("bad_text", "name", changed("name", "gpt\u2028-4")),
    ("empty_text", "name", changed("name", "\u200d")),
    ("bad_text", "notes", changed("notes", "bell\x07")),
    ("bad_hash", "judge.prompt_hash", changed("judge.prompt_hash", "not hex")),
    ("bad_hash", "judge.prompt_hash", changed("judge.prompt_hash", "ab12cd34\n")),
    ("bad_created", "created", changed("created", "yesterday")),
    ("bad_created", "created", changed("created", "2026-02-30T00:00:00Z")),
    ("bad_created", "created", changed("created", "２０２６-01-02T03:04:05Z")),
    ("bad_currency", "cost.currency", changed("cost.currency", "dollars")),
    ("no_metrics", "metrics", changed("metrics", {})),
    ("missing_key", "metrics", changed("metrics", ...)),
    ("unknown_metric", "metrics.vibes", changed("metrics.vibes", {"value": 1.0, "n": 1})),
    ("unknown_metric", "metrics.x_<b>", changed("metrics.x_<b>", {"value": 1.0, "n": 1})),
    ("unknown_metric", "metrics.x_a\\n", changed("metrics.x_a\n", {"value": 1.0, "n": 1})),
    ("unknown_metric", "metrics.auc/x", changed("metrics.auc/x", {"value": 1.0, "n": 1})),
    ("metric_not_finite", f"{SCORE}.value", changed(f"{SCORE}.value", 5.5).replace("5.5", "1e999")),
    ("half_interval", f"{SCORE}.low", changed(f"{SCORE}.low", ...)),
    ("half_interval", f"{SCORE}.low", changed(f"{SCORE}.high", None)),
    ("interval_reversed", f"{SCORE}.low", changed(f"{SCORE}.low", 0.6)),
    ("value_outside_interval", f"{SCORE}.value", changed(f"{SCORE}.value", 0.9)),
    ("interval_without_method", f"{SCORE}.method", changed(f"{SCORE}.method", "")),
    ("value_without_units", f"{SCORE}.n", changed(f"{SCORE}.n", 0)),
    ("missing_seeds", "seeds", changed("seeds", [])),
    ("missing_seeds", "seeds", changed("seeds", ...)),
    ("duplicate_seed", "seeds", changed("seeds", [1, 1])),
    ("label_budget_of_model", "label_budget", changed("kind", "model")),
]


@pytest.mark.parametrize(("code", "field", "text"), FAULTY)
def test_fault_is_named_and_placed(code: str, field: str, text: str | bytes) -> None:
    with pytest.raises(SchemaError) as caught:
        from_json(text, file="rows.jsonl", line=4)
    message = str(caught.value)
    assert (caught.value.code, caught.value.field or "") == (code, field)
    assert message.startswith("rows.jsonl:4" + (f", {field}: " if field else ": "))
    assert len(message) < 400
    assert message.isprintable()


def test_every_fault_has_a_case_and_every_case_a_documented_fault():
    assert {code for code, _, _ in FAULTY} == set(FAULTS)


HUGE = "k" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        changed(HUGE, 1),
        changed("kind", HUGE),
        changed(f"metrics.{HUGE}", {"value": 1, "n": 1}),
        changed(f"metrics.{HUGE}", 1),
        changed("\ud800\x1b", 1),
        changed("metrics.\ud800\x1b", {"value": 1, "n": 1}),
        changed(f"{SCORE}.\ud800", 1),
        changed("cost.\ud800", 1),
        changed("cost.calls", 10**400),
        changed(f"{SCORE}.value", 10**400),
    ],
)
def test_message_about_a_hostile_row_is_short_and_printable(text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        from_json(text)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def build(**changes: Any) -> LeaderboardRow:
    fields: dict[str, Any] = {
        "kind": "model",
        "name": "smollm2",
        "dataset": DatasetIdentity(name="verifiable", revision="1", split="test", rows=40),
        "metrics": {"all_met": Metric(value=0.25, n=40)},
        "seeds": [0],
        "created": now(),
        "rubricbench": "0.1.0",
    }
    return LeaderboardRow(**{**fields, **changes})


def test_row_built_in_python_equals_the_one_read():
    row = build()
    assert row.seeds == (0,)
    assert from_json(to_json(row)) == row


@pytest.mark.parametrize(
    ("code", "attempt"),
    [
        ("empty_text", lambda: build(name="")),
        ("missing_seeds", lambda: build(seeds=())),
        ("no_metrics", lambda: build(metrics={})),
        ("unknown_value", lambda: build(kind="person")),
        ("wrong_type", lambda: build(dataset={"name": 1})),
        ("metric_not_finite", lambda: Metric(value=float("nan"), n=1)),
        ("metric_not_finite", lambda: Metric(value=1.0, low=float("-inf"), high=2.0, n=1)),
        ("out_of_range", lambda: Metric(value=1.0, n=-1)),
        ("out_of_range", lambda: Cost(amount=float("inf"))),
        ("bad_hash", lambda: JudgeIdentity(model="m", prompt_hash="x", format="json")),
        ("bad_text", lambda: DatasetIdentity(name="a\rb", revision="1", split="s", rows=1)),
    ],
)
def test_row_built_in_python_passes_the_same_checks(code: str, attempt: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        attempt()
    assert caught.value.code == code


def test_every_metric_is_documented_and_says_which_way_is_better():
    for kind in METRICS.values():
        assert kind.doc
        assert kind.better in ("higher", "lower", "")
        assert kind.minimum < kind.maximum
