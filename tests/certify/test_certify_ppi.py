from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rubricbench.certify.measure import Prompts, t_quantile
from rubricbench.certify.ppi import power_tuning, prediction_powered_mean
from rubricbench.errors import InputError


def one_each(values: np.ndarray, name: str) -> Prompts:
    return Prompts([f"{name}{i}" for i in range(len(values))])


def sample(seed: int, skill: float, labelled: int = 60, unlabelled: int = 400):
    rng = np.random.default_rng(seed)
    truth = rng.beta(2, 2, labelled + unlabelled)
    judged = skill * truth + (1 - skill) * rng.beta(2, 2, len(truth)) + 0.1
    return truth[:labelled], judged[:labelled], judged[labelled:]


@pytest.mark.parametrize("skill", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("power", [None, 0.0, 0.6, 1.0])
def test_it_is_the_authors_package_where_prompts_have_one_response(skill, power):
    ppi = pytest.importorskip("ppi_py")
    reference, judged, unlabelled = sample(1, skill)
    found = prediction_powered_mean(
        reference,
        judged,
        one_each(reference, "l"),
        unlabelled,
        one_each(unlabelled, "u"),
        power=power,
    )
    point = ppi.ppi_mean_pointestimate(reference, judged, unlabelled, lam=power)
    low, high = ppi.ppi_mean_ci(reference, judged, unlabelled, alpha=0.05, lam=power)
    assert found.mean.value == pytest.approx(float(point[0]), rel=1e-9)
    # Theirs is z times an error from 1/n; ours t times one from 1/(n - 1), and for a fitted power
    # each of 60 residuals is divided by one minus a leverage, 1/60 on average.
    error = float(high[0] - low[0]) / 2 / stats.norm.ppf(0.975)
    half = (found.mean.high - found.mean.low) / 2
    widest = t_quantile(59) * math.sqrt(60 / 59) * (1.0 if power is not None else 1.03)
    assert error * t_quantile(500) < half <= error * widest * (1 + 1e-9)


def test_with_a_given_power_the_standard_error_is_the_authors_formula():
    reference, judged, unlabelled = sample(4, 0.7)
    labels, others = one_each(reference, "l"), one_each(unlabelled, "u")
    found = prediction_powered_mean(reference, judged, labels, unlabelled, others, power=0.7)
    rectifier = np.var(reference - 0.7 * judged, ddof=1) / 60
    imputed = np.var(0.7 * unlabelled, ddof=1) / 400
    df = (rectifier + imputed) ** 2 / (rectifier**2 / 59 + imputed**2 / 399)
    half = t_quantile(int(df)) * math.sqrt(rectifier + imputed)
    assert (found.mean.high - found.mean.low) / 2 == pytest.approx(half)


def test_a_worthless_judge_does_no_harm():
    reference, judged, unlabelled = sample(2, 0.0)
    flat = prediction_powered_mean(
        reference, judged * 0, one_each(reference, "l"), unlabelled * 0, one_each(unlabelled, "u")
    )
    assert flat.power == 0
    assert flat.mean.value == pytest.approx(flat.labelled.value)
    assert flat.gain == pytest.approx(1)


def test_a_good_judge_is_worth_labels():
    reference, judged, unlabelled = sample(3, 0.9)
    found = prediction_powered_mean(
        reference, judged, one_each(reference, "l"), unlabelled, one_each(unlabelled, "u")
    )
    assert found.power > 0.8
    assert found.gain > 3


def test_a_judge_that_is_wrong_about_everything_is_ignored():
    reference, judged, unlabelled = sample(3, 0.9)
    assert power_tuning(reference, 1 - judged, 1 - unlabelled) == 0


def test_responses_of_one_prompt_count_together():
    reference, judged, unlabelled = sample(5, 0.5)
    twice = [np.repeat(x, 2) for x in (reference, judged, unlabelled)]
    prompts = [Prompts([f"{n}{i // 2}" for i in range(len(x))])
               for n, x in (("l", twice[0]), ("u", twice[2]))]  # fmt: skip
    once = prediction_powered_mean(
        reference,
        judged,
        one_each(reference, "l"),
        unlabelled,
        one_each(unlabelled, "u"),
        power=0.5,
    )
    doubled = prediction_powered_mean(
        twice[0], twice[1], prompts[0], twice[2], prompts[1], power=0.5
    )
    assert doubled.mean.interval == pytest.approx(once.mean.interval)


def test_too_few_labels_are_said_in_a_line():
    with pytest.raises(InputError, match="1 labelled and 3 unlabelled"):
        prediction_powered_mean(
            np.ones(1), np.ones(1), Prompts(["a"]), np.ones(3), Prompts(["b", "c", "d"])
        )


def test_an_unknown_score_is_not_guessed():
    two, three = Prompts(["a", "b"]), Prompts(["c", "d", "e"])
    with pytest.raises(InputError, match="a score is unknown"):
        prediction_powered_mean(np.array([1, np.nan]), np.ones(2), two, np.ones(3), three)
