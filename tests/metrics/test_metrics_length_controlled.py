"""Length-controlled win rate."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.linear_model import LogisticRegression

from rubricbench.errors import InputError
from rubricbench.metrics.comparisons import Comparisons
from rubricbench.metrics.length_controlled import length_controlled_win_rate
from rubricbench.metrics.result import walk


def simulated(n, *, theta=0.4, phi=1.2, psi=0.0, seed=0, hard=False):
    """Verdicts whose log-odds are theta + phi tanh(difference / sd) + psi difficulty."""
    rng = np.random.default_rng(seed)
    length = rng.integers(200, 3000, n)
    other = rng.integers(200, 2000, n)
    difficulty = rng.normal(size=n)
    delta = (length - other) / np.std(length - other, ddof=1)
    p = special.expit(theta + phi * np.tanh(delta) + psi * difficulty)
    wins = rng.random(n) < p if hard else rng.beta(4 * p, 4 * (1 - p))
    table = Comparisons.of(
        [f"p{i:06}" for i in range(n)], wins.astype(float), length=length, other_length=other
    )
    return table, np.tanh(delta), difficulty


def test_it_recovers_the_truth_where_length_inflates_the_win_rate():
    table, _, _ = simulated(20000)
    found = length_controlled_win_rate(table)
    assert found.form == "length-only"
    # truth: expit(0.4) = .5987; standard error about .5/sqrt(5 * 20000) = .0016, so 5 of them
    assert found.length_controlled.estimate == pytest.approx(special.expit(0.4), abs=0.008)
    assert found.length_effect.estimate == pytest.approx(1.2, abs=0.1)
    assert found.win_rate.estimate > 0.65
    assert found.length_controlled.low < special.expit(0.4) < found.length_controlled.high


def test_with_difficulty_it_recovers_the_mean_prediction():
    table, _, difficulty = simulated(20000, psi=2.0)
    found = length_controlled_win_rate(table, difficulty=difficulty)
    assert found.form == "length and difficulty"
    assert found.difficulty_effect.estimate == pytest.approx(2.0, abs=0.1)
    truth = special.expit(0.4 + 2 * difficulty).mean()
    assert found.length_controlled.estimate == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("hard", [False, True])
def test_equal_to_statsmodels_glm_with_clustered_errors(hard):
    table, tanh, _ = simulated(300, hard=hard)
    x = np.column_stack([np.ones(300), tanh])
    glm = sm.GLM(table.preference, x, family=sm.families.Binomial())
    fit = glm.fit(cov_type="cluster", cov_kwds={"groups": np.arange(300)})
    found = length_controlled_win_rate(table, ridge=1e-9)
    assert found.length_controlled.estimate == pytest.approx(special.expit(fit.params[0]), abs=1e-6)
    assert found.length_effect.estimate == pytest.approx(fit.params[1], abs=1e-6)
    # The same sandwich but for small-sample corrections, of the order k/n = 2/300
    half = np.diff(special.logit(found.length_controlled.interval))[0] / 2
    t = special.stdtrit(299, 0.975)
    assert half / t == pytest.approx(fit.bse[0], rel=0.02)


def test_the_interval_is_the_jackknifes():
    """Refit without each prompt in turn: Student's t around the jackknife's standard error."""
    table, _, _ = simulated(40)
    delta, keep = table.length - table.other_length, ~np.eye(40, dtype=bool)
    x = np.column_stack([np.ones(40), np.tanh(delta / delta.std(ddof=1))])
    refits = [
        sm.GLM(table.preference[k], x[k], family=sm.families.Binomial()).fit().params[0]
        for k in keep
    ]
    error = np.sqrt(39 / 40 * np.sum((refits - np.mean(refits)) ** 2))
    found = length_controlled_win_rate(table, ridge=1e-9).length_controlled
    half = np.diff(special.logit(found.interval))[0] / 2
    assert half == pytest.approx(special.stdtrit(39, 0.975) * error, rel=0.02)


def test_equal_to_scikit_learn_with_the_penalty():
    table, tanh, difficulty = simulated(200, psi=1.0)
    x = np.column_stack([np.ones(200), tanh, difficulty])
    # A fractional outcome y is a win of weight y and a loss of weight 1 - y.
    model = LogisticRegression(C=1 / 3.0, fit_intercept=False, tol=1e-10, max_iter=10_000)
    y = table.preference
    model.fit(np.vstack([x, x]), np.repeat([1, 0], 200), np.concatenate([y, 1 - y]))
    x[:, 1] = 0
    found = length_controlled_win_rate(table, difficulty=difficulty, ridge=3.0)
    assert found.length_controlled.estimate == pytest.approx(
        model.predict_proba(x)[:, 1].mean(), abs=1e-6
    )


def test_both_orders_of_a_pair_are_one_cluster():
    table, _, _ = simulated(100)
    twice = Comparisons.of(
        *(np.tile(v, 2) for v in (table.prompts, table.preference)),
        first=np.repeat([True, False], 100),
        length=np.tile(table.length, 2),
        other_length=np.tile(table.other_length, 2),
    )
    one, two = (length_controlled_win_rate(t).length_controlled for t in (table, twice))
    assert (one.n, two.n) == (100, 100)
    # Only the standard deviation of the lengths differs: its n - 1 is 99 of 100, or 199 of 200.
    assert two.interval == pytest.approx(one.interval, abs=2e-3)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_sides_are_complements_and_rows_have_no_order(seed, random):
    table, _, _ = simulated(40, seed=seed)
    order = random.sample(range(40), 40)
    shuffled = Comparisons.of(
        table.prompts[order],
        table.preference[order],
        length=table.length[order],
        other_length=table.other_length[order],
    )
    one, other, same = (length_controlled_win_rate(t) for t in (table, table.flipped(), shuffled))
    assert list(walk(one)) == list(walk(same))
    assert one.length_controlled.estimate + other.length_controlled.estimate == pytest.approx(
        1, abs=1e-6
    )
    assert one.length_effect.estimate == pytest.approx(other.length_effect.estimate, abs=1e-6)


def test_separated_outcomes_stay_finite_and_have_no_interval():
    # Every longer response wins and every shorter one loses: the slope has no finite maximum.
    n = 60
    length = np.where(np.arange(n) % 2, 2000, 500) + np.arange(n)
    table = Comparisons.of(range(n), length > 1000, length=length, other_length=[1000] * n)
    found = length_controlled_win_rate(table)
    for result in (found.length_controlled, found.length_effect):
        assert result.estimate is not None
        assert result.interval is None
        assert "separated" in {c.code for c in result.warnings}


def test_a_policy_that_always_wins_has_no_interval_either():
    table, _, _ = simulated(60)
    wins = Comparisons.of(
        table.prompts, np.ones(60), length=table.length, other_length=table.other_length
    )
    found = length_controlled_win_rate(wins).length_controlled
    assert found.estimate > 0.9
    assert found.interval is None


def test_data_that_are_not_separated_do_not_lean_on_the_penalty():
    table, _, _ = simulated(60, hard=True)
    weak, strong = (
        length_controlled_win_rate(table, ridge=r).length_controlled for r in (0.001, 0.01)
    )
    assert weak.estimate == pytest.approx(strong.estimate, abs=1e-3)
    assert "separated" not in {c.code for c in strong.warnings}


def test_lengths_that_do_not_vary_control_nothing():
    table = Comparisons.of(range(9), [1, 0, 1] * 3, length=[5] * 9, other_length=[3] * 9)
    found = length_controlled_win_rate(table)
    assert found.win_rate.estimate is not None
    assert found.length_controlled.estimate is None
    assert "does not vary" in found.length_controlled.reason


def test_equal_lengths_beyond_the_data_are_an_extrapolation():
    table, _, _ = simulated(60)
    for shorter, warned in ((0, False), (5000, True)):
        far = Comparisons.of(
            table.prompts,
            table.preference,
            length=table.length,
            other_length=table.other_length + shorter,
        )
        found = length_controlled_win_rate(far).length_controlled
        assert ("extrapolated" in {c.code for c in found.warnings}) == warned


def test_bad_input_is_refused():
    table, _, difficulty = simulated(20)
    with pytest.raises(InputError, match="no lengths"):
        length_controlled_win_rate(Comparisons.of(range(3), [1, 0, 1]))
    with pytest.raises(InputError, match="ridge=0"):
        length_controlled_win_rate(table, ridge=0)
    with pytest.raises(InputError, match="19 values of difficulty for 20 rows"):
        length_controlled_win_rate(table, difficulty=difficulty[1:])
    with pytest.raises(InputError, match="a difficulty is unknown"):
        length_controlled_win_rate(table, difficulty=np.full(20, np.nan))
    with pytest.raises(InputError, match="a length is a number"):
        Comparisons.of(["a"], [1], length=[np.nan], other_length=[1])
