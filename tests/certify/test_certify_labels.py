from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from label_samples import labelled, rubric, write_labels, write_lines

from rubricbench.certify.labels import Labelled, Reference, read_labels
from rubricbench.certify.readers.calibration import calibration_row
from rubricbench.errors import InputError, SchemaError
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Response
from rubricbench.tables import to_arrow


def calibration(**changes: Any) -> dict[str, Any]:
    row = {
        "prompt": "How do I cool a burn?",
        "text": "Run cool water over it.",
        "generator": "x",
        "rubrics": [
            {"criterion": "Advises cool water.", "weight": 3},
            {"criterion": "Advises butter.", "weight": -2, "tags": ["axis:safety"]},
        ],
        "verdicts": [
            {"criterion": "Advises cool water.", "status": "met", "annotators": 3, "agreement": 1},
            {"criterion": "Advises butter.", "status": "unmet"},
        ],
    }
    return {**row, **changes}


def health(**changes: Any) -> dict[str, Any]:
    row = {
        "prompt": [{"role": "user", "content": "My chest hurts."}],
        "prompt_id": "hb-1",
        "completion": "Call an ambulance.",
        "completion_id": "hb-1-a",
        "rubric": "Sends the user to emergency care.",
        "category": "cluster:emergency_referrals",
        "binary_labels": [True, True, False],
        "anonymized_physician_ids": ["d1", "d2", "d3"],
        "canary": "healthbench:0",
    }
    return {**row, **changes}


def professional(**changes: Any) -> dict[str, Any]:
    def criterion(name: str, weight_class: str, **weights: Any) -> dict[str, Any]:
        notes = {"weight_class": weight_class, "criteria_category": "Accuracy", **weights}
        return {"id": name, "title": f"Criterion {name}.", "annotations": notes}

    row = {
        "task": "pr-1",
        "turns": 2,
        "field": "Finance",
        "prompt_0": "What is beta?",
        "reference_texts_0": ["Beta is covariance over variance."],
        "response_0": "A slope.",
        "prompt_1": "Compute it.",
        "prompt_2": None,
        "rubric": [
            criterion("a", "critically important", critically_important_weight=9),
            # What is left of an earlier annotation does not count.
            criterion("b", "detrimental", detrimental_weight=-7, important_weight=4),
        ],
        "response": "Beta is 1.2.",
        "grades": [True, "false"],
    }
    return {**row, **changes}


def one(path: Path, row: dict[str, Any], **options: Any) -> Labelled:
    return read_labels(write_lines(path / "labels.jsonl", [row]), **options).rows[0]


def test_a_calibration_row_is_read(tmp_path: Path):
    found = one(tmp_path, calibration())
    assert found.response.text == "Run cool water over it."
    assert [c.weight for c in found.rubric.criteria] == [3, -2]
    assert found.references == (Reference(True, 3, 1), Reference(False))


def test_a_criterion_without_a_verdict_has_no_reference(tmp_path: Path):
    found = one(tmp_path, calibration(verdicts=calibration()["verdicts"][1:]))
    assert [r.met for r in found.references] == [None, False]


def test_criteria_are_named_by_id_as_well(tmp_path: Path):
    rubrics = [{**c, "id": f"c{i}"} for i, c in enumerate(calibration()["rubrics"])]
    verdicts = [{"criterion_id": "c1", "status": "met"}]
    found = one(tmp_path, calibration(rubrics=rubrics, verdicts=verdicts))
    assert [r.met for r in found.references] == [None, True]


def test_the_calibration_table_keeps_everything(tmp_path: Path):
    rows = labelled(3)
    table = to_arrow("calibration", [calibration_row(row) for row in rows])
    pq.write_table(table, tmp_path / "calibration.parquet")
    assert read_labels(tmp_path / "calibration.parquet").rows == tuple(rows)
    assert read_labels(write_labels(tmp_path / "calibration.jsonl", rows)).rows == tuple(rows)


def test_rows_without_a_rubric_take_it_from_the_file_of_rubrics(tmp_path: Path):
    rubrics = write_lines(tmp_path / "rubrics.jsonl", [rubric_to_row(rubric(0))])
    name = rubric(0).criteria[0].criterion
    row = {
        "prompt": "Question 0?",
        "text": "An answer.",
        "verdicts": [{"criterion": name, "status": "met"}],
    }
    assert one(tmp_path, row, rubrics=str(rubrics)).rubric == rubric(0)
    with pytest.raises(SchemaError, match="the row has no rubric"):
        one(tmp_path, row)
    with pytest.raises(SchemaError, match="no rubric for 'Question 9"):
        one(tmp_path, {**row, "prompt": "Question 9?"}, rubrics=str(rubrics))


def test_health_rows_of_one_completion_are_put_together(tmp_path: Path):
    other = "Asks since when it hurts."
    rows = [
        health(),
        health(completion="Rest.", completion_id="hb-1-b", binary_labels=[False, False]),
        health(rubric=other, category="cluster:context", binary_labels=[True, False]),
    ]
    found = read_labels(write_lines(tmp_path / "meta.jsonl", rows))
    first, second = found.rows
    assert found.form == "healthbench"
    assert [c.criterion for c in first.rubric.criteria] == [health()["rubric"], other]
    assert first.rubric.criteria[0].tags == ("cluster:emergency_referrals",)
    # Two of three physicians: met. One of two: a tie, so no reference.
    assert first.references[0] == Reference(True, 3, 2 / 3)
    assert first.references[1] == Reference(None, 2, 0.5, tied=True)
    assert found.ties == 1
    assert [r.met for r in second.references] == [False]
    assert (first.response.id, second.response.id) == ("hb-1-a", "hb-1-b")


def test_completions_that_leave_only_ties_are_left_out_and_counted(tmp_path: Path):
    rows = [health(), health(completion_id="hb-1-b", binary_labels=[True, False])]
    found = read_labels(write_lines(tmp_path / "meta.jsonl", rows))
    assert (len(found.rows), found.unlabelled, found.references) == (1, 1, 1)


def test_prbench_rows_are_read_with_their_grades(tmp_path: Path):
    found = one(tmp_path, professional())
    turns = [(m.role, m.content) for m in found.rubric.prompt.messages]
    first = "Reference text 1:\nBeta is covariance over variance.\n\nWhat is beta?"
    assert turns == [("user", first), ("assistant", "A slope."), ("user", "Compute it.")]
    assert [(c.id, c.weight) for c in found.rubric.criteria] == [("a", 9), ("b", -7)]
    assert found.rubric.criteria[1].tags == ("category:Accuracy", "weight_class:detrimental")
    assert [r.met for r in found.references] == [True, False]
    assert found.rubric.prompt.domain == "finance"


def test_prbench_rows_are_rubrics_without_grades_too(tmp_path: Path):
    from rubricbench.readers import read_rubrics

    path = write_lines(tmp_path / "prbench.jsonl", [professional(response=None, grades=None)])
    ((_, found),) = read_rubrics(path)
    assert [c.weight for c in found.criteria] == [9, -7]


BAD = {
    "a stranger's verdict": (
        calibration(verdicts=[{"criterion": "Advises ice.", "status": "met"}]),
        "labels.jsonl:1, verdicts[0].criterion: the rubric has no criterion 'Advises ice.'",
    ),
    "two verdicts": (
        calibration(verdicts=[{"criterion": "Advises butter.", "status": "met"}] * 2),
        "verdicts[1].criterion: two verdicts for criterion 'Advises butter.'",
    ),
    "a status of one's own": (
        calibration(verdicts=[{"criterion": "Advises butter.", "status": "partly"}]),
        "verdicts[0].status: status 'partly' [bad_verdict]; met, unmet or unknown",
    ),
    "an agreement below one half": (
        calibration(verdicts=[{"criterion": "Advises butter.", "status": "met", "agreement": 0.3}]),
        "verdicts[0].agreement: 0 annotators of whom 0.3 agree",
    ),
    "no verdict that is known": (
        calibration(verdicts=[{"criterion": "Advises butter.", "status": "unknown"}]),
        "labels.jsonl: no criterion has a reference verdict",
    ),
    "verdicts that are no list": (calibration(verdicts={}), "expected a list of verdicts"),
    "no text": (calibration(text=None), "labels.jsonl:1, text: 'text' is required"),
    "labels that are no booleans": (
        health(binary_labels=[1, 0]),
        "labels.jsonl:1, binary_labels: expected a list of true and false",
    ),
    "a completion without id": (health(completion_id=None), "'completion_id' is required"),
    "too few grades": (
        professional(grades=[True]),
        "labels.jsonl:1, grades: expected a list of 2 grades, one for each criterion",
    ),
    "a grade between": (
        professional(grades=[True, 0.5]),
        "grades[1]: expected true, false or null, got 0.5",
    ),
    "an unknown class of weights": (
        professional(
            rubric=[{"id": "a", "title": "A.", "annotations": {"weight_class": "crucial"}}]
        ),
        "rubric[0].annotations.weight_class: unknown weight class 'crucial'",
    ),
    "neither of the forms": (
        {"prompt": "a", "answer": "b"},
        "labels.jsonl: no column with reference verdicts; one of these is it: verdicts",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, fault: str):
    row, message = BAD[fault]
    with pytest.raises(InputError) as caught:
        one(tmp_path, row)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_same_response_twice_is_refused(tmp_path: Path):
    path = write_lines(tmp_path / "labels.jsonl", [calibration(), calibration()])
    with pytest.raises(SchemaError, match="is there twice"):
        read_labels(path)


def test_the_same_criterion_of_a_completion_twice_is_refused(tmp_path: Path):
    path = write_lines(tmp_path / "labels.jsonl", [health(), health()])
    with pytest.raises(SchemaError, match=r"labels\.jsonl:2, rubric: this completion has"):
        read_labels(path)


def test_two_texts_of_one_completion_are_refused(tmp_path: Path):
    rows = [health(), health(completion="Something else.", rubric="Other.")]
    with pytest.raises(SchemaError, match="completion 'hb-1-a' has two texts"):
        read_labels(write_lines(tmp_path / "labels.jsonl", rows))


def test_a_form_of_ones_own_is_refused(tmp_path: Path):
    path = write_lines(tmp_path / "labels.jsonl", [calibration()])
    with pytest.raises(InputError, match="unknown form of labels 'medbench'"):
        read_labels(path, form="medbench")


def test_nested_columns_of_a_csv_file_are_json(tmp_path: Path):
    row = calibration()
    values = [json.dumps(v) if not isinstance(v, str) else v for v in row.values()]
    cells = ['"' + v.replace('"', '""') + '"' for v in values]
    path = tmp_path / "labels.csv"
    path.write_text(",".join(row) + "\n" + ",".join(cells) + "\n")
    assert read_labels(path).rows[0].references == (Reference(True, 3, 1), Reference(False))


def test_votes_make_a_majority():
    assert Reference.majority([]) == Reference(None)
    assert Reference.majority([False]) == Reference(False, 1, 1.0)
    assert Reference.majority([True, False, False]) == Reference(False, 3, 2 / 3)
    assert isinstance(labelled(1)[0].response, Response)
