"""Rubrics in three forms, and how responses meet them: exactly or not at all."""

from __future__ import annotations

import sys
import types

import pytest

from rubricbench.errors import InputError, SchemaError
from rubricbench.healthbench import rubric_to_healthbench
from rubricbench.readers import MatchReport, RubricIndex, read_responses, read_rubrics
from rubricbench.rows import rubric_to_paper_row
from rubricbench.schema import Check, Criterion, Message, Prompt, Rubric

PAPER = {
    "prompt": "What helps against a cold?",
    "rubrics": [{"criterion": "Recommends rest", "weight": 3}],
    "number_of_criteria": 1,
    "total_weight": 3,
}
HEALTHBENCH = {
    "prompt": [{"role": "user", "content": "I have a cold"}],
    "prompt_id": "hb1",
    "rubrics": [
        {"criterion": "Recommends rest", "points": 5, "tags": ["axis:accuracy"]},
        {"criterion": "Recommends antibiotics", "points": -4, "tags": []},
    ],
    "example_tags": ["theme:x"],
}
OURS = Rubric(
    prompt=Prompt(
        messages=(Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bye")),
        domain="verifiable",
    ),
    criteria=(
        Criterion(criterion="No commas", weight=2, check=Check("no_commas")),
        Criterion(
            criterion="Says lemon",
            weight=-1,
            check=Check("keywords_include", {"keywords": ["lemon"]}),
            tags=("family:keywords_include",),
        ),
    ),
    method="authored",
)
SUFFIXES = pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])


@SUFFIXES
def test_the_papers_form_from_every_format(write, suffix):
    ((_, rubric),) = read_rubrics(write(f"q.{suffix}", [PAPER]))
    assert rubric_to_paper_row(rubric) == PAPER


@SUFFIXES
def test_healthbench_from_every_format(write, suffix):
    ((_, rubric),) = read_rubrics(write(f"q.{suffix}", [HEALTHBENCH]))
    assert [c.weight for c in rubric.criteria] == [5, -4]
    assert rubric.prompt_id == "hb1"
    if suffix != "csv":  # a flat file says nothing of the types of columns that are not ours
        assert rubric_to_healthbench(rubric) == HEALTHBENCH


@SUFFIXES
def test_our_form_from_every_format(write, suffix):
    ((_, rubric),) = read_rubrics(write(f"q.{suffix}", [OURS.to_row()]))
    assert rubric == OURS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": ""}, "prompt: .*empty"),
        ({"rubrics": []}, "rubrics: a rubric without criteria"),
        ({"rubrics": None}, "rubrics: 'rubrics' is required"),
        ({"rubrics": "[{'criterion': 'x', 'weight': 1}]"}, "rubrics: Python's notation, not JSON"),
        ({"rubrics": "rest"}, "rubrics: not JSON"),
        ({"rubrics": [{"criterion": "x"}]}, r"rubrics\[0\]\.weight: 'weight' is required"),
        ({"rubrics": [{"criterion": "x", "points": 0, "tags": []}]}, r"prompt: not JSON"),
        ({"number_of_criteria": "two"}, "number_of_criteria: expected a number, got 'two'"),
        ({"number_of_criteria": 2}, "number_of_criteria: it says 2, there are 1"),
        ({"extra": 1}, "extra: unknown key"),
    ],
)
def test_fault_names_file_line_and_field(write, changes, message):
    path = write("q.jsonl", [PAPER, {**PAPER, **changes}])
    with pytest.raises(SchemaError, match=rf"q\.jsonl:2, {message}"):
        list(read_rubrics(path))


def test_source_without_an_ending_is_a_dataset_name(monkeypatch):
    rows = {"train": [PAPER], "test": [{**PAPER, "prompt": "Other?"}]}
    hub = types.ModuleType("rubricbench.hub")
    hub.load = lambda name, split=None: rows[split] if split else rows  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rubricbench.hub", hub)
    assert len(RubricIndex("verifiable")) == 2
    (only,) = RubricIndex("verifiable:test")
    assert only.prompt.text == "Other?"


def test_path_that_is_not_there_is_not_taken_for_a_dataset():
    for source in ("absent.jsonl", "folder/absent"):
        with pytest.raises(InputError, match="no such file"):
            read_rubrics(source)


def test_match_by_id_by_text_and_not_by_likeness(write):
    index = RubricIndex(write("q.jsonl", [PAPER]))
    (rubric,) = index
    rows = [
        {"prompt_id": rubric.prompt_id, "text": "by id"},
        {"prompt": PAPER["prompt"] + " \n", "text": "by text"},
        {"prompt_id": "foreign", "prompt": PAPER["prompt"], "text": "by text, the id unknown"},
        {"prompt": PAPER["prompt"].upper(), "text": "alike only"},
        {"prompt": " " + PAPER["prompt"], "text": "alike only"},
    ]
    report = MatchReport()
    found = [index.match(r, report) for r in read_responses(write("r.jsonl", rows))]
    assert found == [rubric, rubric, rubric, None, None]
    assert (report.matched, report.unmatched, report.answered) == (3, 2, {rubric.prompt_id})
    assert str(report) == (
        "3 responses to 1 prompts matched, 2 have no rubric: "
        "line 4 ('WHAT HELPS AGAINST A COLD?'); line 5 (' What helps against a cold?')"
    )


def test_report_names_the_first_few_only(write):
    index = RubricIndex(write("q.jsonl", [PAPER]))
    report = MatchReport()
    for row in read_responses(write("r.jsonl", [{"prompt": "no" * 99, "text": "t"}] * 9)):
        index.match(row, report)
    assert report.as_dict()["unmatched"] == 9
    assert len(report.examples) == 5
    assert str(report).endswith("; …")
    assert all(len(example) < 80 for example in report.examples)


def test_nothing_matched_is_an_error_that_says_how_matching_works(write):
    index = RubricIndex(write("q.jsonl", [PAPER]))
    report = MatchReport()
    for row in read_responses(write("r.jsonl", [{"prompt": "What?", "text": "t"}])):
        index.match(row, report)
    with pytest.raises(InputError, match=r"none of 1 responses.*exact prompt text.*line 1 \('What"):
        index.require_matches(report, "r.jsonl")


@SUFFIXES
def test_two_rubrics_for_one_prompt_name_both_lines(write, suffix):
    path = write(f"q.{suffix}", [PAPER, HEALTHBENCH | {"x": 1}, PAPER][::2])
    first, second = (2, 3) if suffix == "csv" else (1, 2)
    message = rf"q\.{suffix}:{second}, prompt: this prompt has a rubric on line {first} already"
    with pytest.raises(SchemaError, match=message):
        RubricIndex(path)


def test_one_text_under_two_ids_is_found_by_id_and_refused_by_text(write):
    index = RubricIndex(
        write("q.jsonl", [{**PAPER, "prompt_id": "v1"}, {**PAPER, "prompt_id": "v2"}])
    )
    assert index.find(prompt_id="v2", prompt=PAPER["prompt"]) is index.get("v2")
    (row,) = read_responses(write("r.jsonl", [{"prompt": PAPER["prompt"], "text": "t"}]))
    with pytest.raises(
        InputError, match=r"r\.jsonl:1: 2 rubrics of .* name one by prompt_id: v1, v2"
    ):
        index.match(row, MatchReport())


def test_id_and_text_of_two_different_prompts_are_a_contradiction(write):
    other = {**PAPER, "prompt": "And a cough?"}
    index = RubricIndex(write("q.jsonl", [PAPER, other]))
    first, second = index
    with pytest.raises(InputError, match="same version"):
        index.find(prompt_id=first.prompt_id, prompt="And a cough?")
    # a text that no rubric has (a template around the prompt, say) does not contradict the id
    assert index.find(prompt_id=second.prompt_id, prompt="<s>And a cough?</s>") is second
