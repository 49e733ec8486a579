from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from sklearn import metrics
from worlds import VerdictWorld

from rubricbench.certify.agreement import OVERALL, agreement, confusion, overall
from rubricbench.certify.measure import Method, Prompts


def test_counts_are_kept_by_prompt():
    reference = np.array([1, 1, 0, 0, 1], bool)
    judged = np.array([1, 0, 1, 0, 1], bool)
    found = confusion(reference, judged, Prompts(list("aaabb")))
    assert found.tolist() == [[1, 1, 1, 0], [1, 0, 0, 1]]


def test_measures_of_a_worked_example():
    # 40 found, 10 missed, 5 wrongly passed, 45 rightly not:
    # sensitivity 40/50, specificity 45/50, precision 40/45, accuracy .85; chance agreement
    # (45·50 + 55·50)/100² = .5, kappa .35/.5 = .7; mcc (40·45 - 5·10)/sqrt(45·50·50·55) = .70353.
    found = agreement(np.array([[20, 2, 5, 23], [20, 3, 5, 22]], float))
    values = {name: measure.value for name, measure in found.items()}
    assert values == pytest.approx(
        {
            "sensitivity": 0.8,
            "specificity": 0.9,
            "precision": 40 / 45,
            "accuracy": 0.85,
            "balanced_accuracy": 0.85,
            "kappa": 0.7,
            "mcc": 1750 / math.sqrt(45 * 50 * 50 * 55),
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_measures_are_those_of_scikit_learn(seed: int):
    graded = VerdictWorld(0.8, 0.7).draw(np.random.default_rng(seed), 40, 2)
    reference, judged = graded.reference == 1, graded.credit == 1
    found = agreement(confusion(reference, judged, graded.prompts))
    oracle = {
        "sensitivity": metrics.recall_score(reference, judged),
        "specificity": metrics.recall_score(~reference, ~judged),
        "precision": metrics.precision_score(reference, judged),
        "accuracy": metrics.accuracy_score(reference, judged),
        "balanced_accuracy": metrics.balanced_accuracy_score(reference, judged),
        "kappa": metrics.cohen_kappa_score(reference, judged),
        "mcc": metrics.matthews_corrcoef(reference, judged),
    }
    assert {name: measure.value for name, measure in found.items()} == pytest.approx(oracle)


def test_many_counts_are_measured_at_once():
    counts = np.array([[[40, 5, 10, 45], [1, 0, 0, 1]], [[5, 5, 5, 5], [2, 1, 1, 2]]], float)
    assert overall(counts).shape == (2, 2, 3)
    assert overall(counts)[1, 0] == pytest.approx([0.5, 0, 0])


def test_without_unmet_references_only_the_sensitivity_is_known():
    found = agreement(np.array([[3, 0, 1, 0], [2, 0, 2, 0]], float))
    assert found["sensitivity"].value == 5 / 8
    assert found["specificity"].value is None
    assert found["balanced_accuracy"].value is None
    assert found["mcc"].value is None


def test_a_judge_that_says_met_to_everything_has_no_skill():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = agreement(np.array([[3, 3, 0, 0], [3, 3, 0, 0]], float))
    assert found["balanced_accuracy"].value == 0.5
    assert found["kappa"].value == 0
    assert found["mcc"].value is None


def test_perfect_agreement_has_values_and_no_false_certainty():
    found = agreement(np.array([[3, 0, 0, 3]] * 4, float))
    assert all(found[name].value == 1 for name in OVERALL)
    assert all(found[name].interval is None for name in OVERALL)
    assert found["sensitivity"].low < 1  # Wilson's


def test_intervals_of_correlations_stay_within_their_range():
    found = agreement(np.array([[9, 0, 0, 9], [9, 1, 0, 8], [8, 0, 1, 9]], float))
    assert found["kappa"].method is Method.JACKKNIFE
    assert -1 < found["kappa"].low < found["kappa"].value < found["kappa"].high < 1


def test_no_verdicts_make_no_measures():
    assert all(m.value is None for m in agreement(np.zeros((3, 4))).values())
