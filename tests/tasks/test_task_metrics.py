"""Metrics of one document from its audits, and how they are averaged."""

from __future__ import annotations

import math

import pytest

from rubricbench.lmeval.audit import audit_all, check_all
from rubricbench.lmeval.generation import Generation
from rubricbench.schema import Criterion, Prompt, Rubric, met
from rubricbench.tasks import metrics


def results(rubric, *responses, grade=check_all):
    pairs = [(rubric, text) for text in responses]
    return [[audit.to_json() for audit in audit_all(pairs, grade)]]


def test_metrics_of_a_document(rubrics, answers):
    rubric = rubrics[0]
    found = metrics.process_results({}, results(rubric, answers[rubric.prompt_id]))
    assert found["rubric_score"] == pytest.approx(1 / 3)
    assert found["pass_rate"] == pytest.approx(1 / 3)
    assert found["rubric_score_low"] == found["rubric_score_high"] == found["rubric_score"]
    assert (found["all_met"], found["coverage"]) == (0.0, 1.0)
    assert (found["response_words"], found["unfinished_reasoning"]) == (12.0, 0.0)
    assert math.isnan(found["truncation"])


def test_repeats_are_averaged(rubrics, answers):
    rubric = rubrics[1]
    # 3/4 for the answer, 0 for an empty one.
    found = metrics.process_results({}, results(rubric, answers[rubric.prompt_id], ""))
    assert found["rubric_score"] == pytest.approx(3 / 8)


def test_unknown_verdict_leaves_bounds_and_no_score():
    judged = Criterion(criterion="It is kind.", weight=3)
    other = Criterion(criterion="It is short.", weight=1)
    rubric = Rubric(prompt=Prompt.from_text("Hello"), criteria=(judged, other))
    found = metrics.process_results(
        {}, results(rubric, "Hi", grade=lambda pairs: [[met(other.id)] for _ in pairs])
    )
    assert math.isnan(found["rubric_score"])
    assert math.isnan(found["all_met"])
    # The short one is met (1 of 4), the kind one may be: 1/4 to 4/4, a quarter of the weight known.
    assert (found["rubric_score_low"], found["rubric_score_high"]) == (0.25, 1.0)
    assert found["coverage"] == 0.25
    assert found["pass_rate"] == 1.0


def test_truncation_is_known_where_the_response_says_how_it_ended(rubrics):
    cut, whole = Generation("a b c", "length"), Generation("a b c", "stop")
    assert metrics.process_results({}, results(rubrics[0], cut))["truncation"] == 1.0
    assert metrics.process_results({}, results(rubrics[0], whole))["truncation"] == 0.0


def test_pass_rates_have_one_key_per_family_for_every_document(rubrics, answers):
    names = metrics.families([rubric.to_row() for rubric in rubrics])
    assert names == (
        "all_lowercase",
        "bullet_count",
        "end_phrase",
        "keywords_include",
        "no_commas",
        "word_count",
    )
    for rubric in rubrics:
        found = metrics.pass_rates(results(rubric, answers[rubric.prompt_id]), names)
        assert list(found) == [f"pass_rate/{name}" for name in names]
        present = {c.check.name for c in rubric.criteria}
        assert {n for n in names if not math.isnan(found[f"pass_rate/{n}"])} == present


def test_penalty_that_is_met_does_not_pass(rubrics, answers):
    rubric = rubrics[0]
    found = metrics.pass_rates(results(rubric, answers[rubric.prompt_id]), ["keywords_include"])
    assert found == {"pass_rate/keywords_include": 0.0}


def test_criteria_of_one_family_are_averaged_within_a_document(rubrics, answers):
    rubric = rubrics[3]  # two word counts, one kept
    found = metrics.pass_rates(results(rubric, answers[rubric.prompt_id]), ["word_count"])
    assert found == {"pass_rate/word_count": 0.5}


@pytest.mark.parametrize(
    ("values", "expected"), [([1.0, math.nan, 0.0], 0.5), ([math.nan], math.nan), ([], math.nan)]
)
def test_known_mean_leaves_out_what_is_not_known(values, expected):
    assert metrics.known_mean(values) == pytest.approx(expected, nan_ok=True)
