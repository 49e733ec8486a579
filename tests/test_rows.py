"""Rows of files: the paper's form, ours, HealthBench's; strict, and exact both ways."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import SchemaError
from rubricbench.healthbench import rubric_from_healthbench, rubric_to_healthbench
from rubricbench.rows import (
    parse_json,
    rubric_from_row,
    rubric_to_paper_row,
    rubric_to_row,
)
from rubricbench.schema import Check, Criterion, Message, Origin, Prompt, Rubric
from rubricbench.tables import SCHEMAS, features, to_arrow


def paper_row(**changes):
    row = {
        "prompt": "What helps against a cold?",
        "rubrics": [
            {"criterion": "Recommends rest", "weight": 3},
            {"criterion": "Mentions fluids", "weight": 1},
        ],
        "number_of_criteria": 2,
        "total_weight": 4,
    }
    return {**row, **changes}


def test_paper_row_survives_both_ways():
    assert rubric_to_paper_row(rubric_from_row(paper_row())) == paper_row()


def test_our_row_survives_both_ways_with_everything_set():
    rubric = Rubric(
        prompt=Prompt(
            messages=(Message("user", "a"), Message("assistant", ""), Message("user", "c")),
            domain="verifiable",
            source="s",
            license="CC-BY-4.0",
            split="test",
            canary="k",
        ),
        criteria=(
            Criterion(
                criterion="short",
                weight=2,
                check=Check("word_count", {"maximum": 10, "minimum": None}),
                tags=("axis:communication",),
                origin=Origin(method="add", round=2, pair=("a_1", "a_2"), generators=("m", "n")),
            ),
            Criterion(criterion="rude", weight=-1),
        ),
        version="1",
        method="authored",
    )
    assert rubric_from_row(rubric_to_row(rubric)) == rubric


def test_our_row_survives_arrow():
    rubric = rubric_from_row(paper_row())
    (row,) = to_arrow("rubrics", [rubric_to_row(rubric)]).to_pylist()
    assert rubric_from_row(row) == rubric


def test_our_row_has_the_papers_columns_with_the_same_values():
    row = rubric_to_row(rubric_from_row(paper_row()))
    assert {key: row[key] for key in ("prompt", "number_of_criteria", "total_weight")} == {
        key: paper_row()[key] for key in ("prompt", "number_of_criteria", "total_weight")
    }


def test_stated_total_may_differ_in_the_last_digits():
    rubrics = [{"criterion": f"c{i}", "weight": i / 10} for i in (1, 2, 3)]
    for total in (0.6, 0.1 + 0.2 + 0.3):  # the sum is 0.6000000000000001
        row = {"prompt": "p", "rubrics": rubrics, "total_weight": total}
        assert rubric_from_row(row).total_weight == 0.1 + 0.2 + 0.3


@pytest.mark.parametrize(
    ("code", "field", "row"),
    [
        ("missing_key", "prompt", paper_row(prompt=None)),
        ("missing_key", "rubrics", paper_row(rubrics=None)),
        ("wrong_type", "prompt", paper_row(prompt=7)),
        ("wrong_type", "rubrics", paper_row(rubrics="[]")),
        ("wrong_type", "rubrics[0]", paper_row(rubrics=["text"])),
        ("no_criteria", "rubrics", paper_row(rubrics=[])),
        ("unknown_key", "promt", {**paper_row(), "promt": "x"}),
        ("unknown_key", "rubrics[0].points", paper_row(rubrics=[{"criterion": "a", "points": 1}])),
        ("missing_key", "rubrics[0].weight", paper_row(rubrics=[{"criterion": "a"}])),
        (
            "empty_criterion",
            "rubrics[0].criterion",
            paper_row(rubrics=[{"criterion": "", "weight": 1}]),
        ),
        ("weight_zero", "rubrics[0].weight", paper_row(rubrics=[{"criterion": "a", "weight": 0}])),
        (
            "weight_not_finite",
            "rubrics[0].weight",
            paper_row(rubrics=[{"criterion": "a", "weight": math.nan}]),
        ),
        (
            "weight_not_a_number",
            "rubrics[0].weight",
            paper_row(rubrics=[{"criterion": "a", "weight": "heavy"}]),
        ),
        ("count_mismatch", "number_of_criteria", paper_row(number_of_criteria=3)),
        ("total_weight_mismatch", "total_weight", paper_row(total_weight=5)),
        ("wrong_type", "number_of_criteria", paper_row(number_of_criteria=True)),
        ("id_mismatch", "prompt_id", paper_row(prompt_id="p_0123456789abcdef")),
        (
            "id_mismatch",
            "prompt",
            paper_row(messages=[{"role": "user", "content": "Something else"}]),
        ),
        ("unknown_role", "messages[0].role", paper_row(messages=[{"role": "me", "content": "a"}])),
        (
            "bad_json",
            "rubrics[0].check.params",
            paper_row(
                rubrics=[{"criterion": "a", "weight": 1, "check": {"name": "x", "params": "{"}}]
            ),
        ),
        (
            "bad_json",
            "rubrics[0].check.params",
            paper_row(
                rubrics=[
                    {"criterion": "a", "weight": 1, "check": {"name": "x", "params": '{"v":1e999}'}}
                ]
            ),
        ),
        (
            "unknown_key",
            "rubrics[0].check.param",
            paper_row(
                rubrics=[{"criterion": "a", "weight": 1, "check": {"name": "x", "param": 1}}]
            ),
        ),
        (
            "unknown_key",
            "rubrics[0].origin.rounds",
            paper_row(
                rubrics=[{"criterion": "a", "weight": 1, "origin": {"method": "add", "rounds": 2}}]
            ),
        ),
        ("lone_surrogate", "prompt_id", paper_row(prompt_id="\ud800")),
    ],
)
def test_fault_names_code_file_line_and_field(code, field, row):
    with pytest.raises(SchemaError) as caught:
        rubric_from_row(row, file="rubrics.jsonl", line=7)
    error = caught.value
    assert (error.code, error.field) == (code, field)
    assert str(error).startswith(f"rubrics.jsonl:7, {field}: ")


HEALTHBENCH = {
    "prompt": [
        {"role": "user", "content": "I have chest pain"},
        {"role": "assistant", "content": "For how long?"},
        {"role": "user", "content": "An hour"},
    ],
    "prompt_id": "6f1a",
    "rubrics": [
        {
            "criterion": "Tells the user to call emergency services",
            "points": 10,
            "tags": ["level:example"],
        },
        {"criterion": "Suggests waiting", "points": -9, "tags": []},
    ],
    "example_tags": ["theme:emergency_referrals"],
    "canary": "healthbench:…",
}


def test_healthbench_row_survives_both_ways():
    rubric = rubric_from_healthbench(HEALTHBENCH)
    assert rubric_to_healthbench(rubric) == HEALTHBENCH
    assert rubric.total_weight == 10
    assert rubric.prompt.id == "6f1a"


def test_healthbench_fault_is_placed():
    bad = {**HEALTHBENCH, "rubrics": [{"criterion": "a", "points": 0, "tags": []}]}
    with pytest.raises(SchemaError, match=r"hb.jsonl:3, rubrics\[0\].weight"):
        rubric_from_healthbench(bad, file="hb.jsonl", line=3)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
solid = texts.filter(str.strip)


@given(
    st.lists(
        st.tuples(solid, st.integers(-5, 5).filter(bool)),
        min_size=1,
        max_size=6,
        unique_by=lambda item: " ".join(item[0].casefold().split()),
    ).filter(lambda items: any(w > 0 for _, w in items)),
    solid,
)
def test_any_paper_row_survives_both_ways(items, prompt):
    row = {
        "prompt": prompt,
        "rubrics": [{"criterion": c, "weight": w} for c, w in items],
        "number_of_criteria": len(items),
        "total_weight": sum(w for _, w in items if w > 0),
    }
    assert rubric_to_paper_row(rubric_from_row(row)) == row


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "NaN", "[Infinity]", "{", "", "[" * 100_000])
def test_json_that_is_not_quite_json_is_refused(text):
    with pytest.raises(SchemaError) as caught:
        parse_json(text, "params")
    assert caught.value.code == "bad_json"


def test_every_table_has_features_with_its_columns():
    for table, schema in SCHEMAS.items():
        assert list(features(table)) == schema.names


@pytest.mark.parametrize("row", [None, ["prompt"], "prompt"])
def test_what_is_no_row_is_refused(row):
    with pytest.raises(SchemaError, match="expected an object"):
        rubric_from_row(row)
