"""What each criterion does: by hand, by other libraries, by leaving it out for real."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rubricbench.errors import InputError
from rubricbench.metrics.criteria import COLUMNS, Graded, criterion_table, phi
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tail import tail_accuracy
from rubricbench.schema import Criterion, Message, Prompt, Rubric
from rubricbench.scoring import score_matrix


def rubric(weights: list[int], name: str = "Why?") -> Rubric:
    criteria = tuple(
        Criterion(criterion=f"{name} {i}", weight=w, id=f"c{i}") for i, w in enumerate(weights)
    )
    return Rubric(prompt=Prompt(messages=(Message("user", name),)), criteria=criteria)


def random_prompt(seed: int, n: int = 40, name: str = "Why?") -> Graded:
    rng = np.random.default_rng(seed)
    gold = rng.uniform(size=n)
    credits = (rng.uniform(size=(n, 4)) < gold[:, None] ** np.array([1, 2, 0, 1])).astype(float)
    credits[:, 2] = 1  # always met
    credits[:, 3] = 1 - credits[:, 3]  # a penalty that bad responses earn
    return Graded(rubric([3, 2, 1, -1], name), credits, gold)


def test_a_small_case_by_hand():
    # Four responses; criteria: met by the better two, by the worse two, by all.
    credits = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1]], dtype=float)
    table = criterion_table([Graded(rubric([3, 2, 1]), credits, np.array([4.0, 3.0, 2.0, 1.0]))])
    found = table.columns
    np.testing.assert_allclose(found["weight_share"], [3 / 6, 2 / 6, 1 / 6])
    np.testing.assert_allclose(found["met"], [0.5, 0.5, 1])
    np.testing.assert_allclose(found["saturated"], [0, 0, 1])
    # Top 27% of four is 1.08 responses: the best, and .08 of the second; both met. So 1 and -1.
    np.testing.assert_allclose(found["discrimination"], [1, -1, 0])
    # Without the first: (2·c2 + c3)/3 = 1/3, 1/3, 1, 1, against 1, 1, 0, 0.
    np.testing.assert_allclose(found["item_rest"], [-1, -1, np.nan])
    np.testing.assert_allclose(found["largest_phi"], [-1, -1, np.nan])
    assert table.whole["effective_criteria"][0] == pytest.approx(1)  # two that are one
    assert table.whole["saturated_weight"][0] == pytest.approx(1 / 6)
    assert table.whole["mean_phi"][0] == pytest.approx(-1)


def test_correlations_are_those_of_scipy_and_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    graded = random_prompt(1)
    found = criterion_table([graded]).columns
    turned = graded.credits.copy()
    turned[:, 3] = 1 - turned[:, 3]
    for k in (0, 1, 3):
        wanted = stats.pointbiserialr(turned[:, k], graded.gold).statistic
        assert found["item_gold"][k] == pytest.approx(wanted)
        others = [j for j in (0, 1, 3) if j != k]
        phis = [metrics.matthews_corrcoef(turned[:, k], turned[:, j]) for j in others]
        assert found["largest_phi"][k] == pytest.approx(max(phis))
        rest = score_matrix(_but(graded, k).rubric, _but(graded, k).credits).value
        assert found["item_rest"][k] == pytest.approx(np.corrcoef(turned[:, k], rest)[0, 1])


def _but(graded: Graded, k: int) -> Graded:
    left = tuple(c for i, c in enumerate(graded.rubric.criteria) if i != k)
    whole = Rubric(prompt=graded.rubric.prompt, criteria=left)
    return Graded(whole, np.delete(graded.credits, k, axis=1), graded.gold)


def test_what_a_criterion_adds_is_what_leaving_it_out_takes():
    prompts = [random_prompt(seed, name=f"Why {seed}?") for seed in range(3)]
    table = criterion_table(prompts)

    def measured(graded: Graded) -> tuple[float, float]:
        value = score_matrix(graded.rubric, graded.credits).value
        samples = Samples.of(["p"] * len(value), value, graded.gold)
        rank = stats.spearmanr(value, graded.gold).statistic
        return tail_accuracy(samples).accuracy.estimate, rank

    for p, graded in enumerate(prompts):
        full = measured(graded)
        assert table.whole["tail_accuracy"][p] == pytest.approx(full[0])
        assert table.whole["spearman"][p] == pytest.approx(full[1])
        for k in range(4):
            row = int(np.flatnonzero((table.prompt == p) & (table.criterion == k))[0])
            rest = measured(_but(graded, k))
            assert table.columns["adds_tail_accuracy"][row] == pytest.approx(full[0] - rest[0])
            assert table.columns["adds_spearman"][row] == pytest.approx(full[1] - rest[1])


def test_tail_information_is_of_excellent_less_great():
    # 40 responses by gold: U of the i-th is (i - ½)/40, so the best 4 are excellent (from .9125),
    # the 6 before them great (.7625 to .8875). Met by 3 of the 4 and by 2 of the 6.
    credits = np.zeros((40, 1))
    credits[[37, 38, 39, 30, 31], 0] = 1
    graded = Graded(rubric([1]), credits, np.arange(40.0))
    found = criterion_table([graded]).columns["tail_information"]
    assert found[0] == pytest.approx(3 / 4 - 2 / 6)


def test_an_unknown_verdict_leaves_the_response_out():
    graded = random_prompt(5)
    holed = graded.credits.copy()
    holed[::4, 1] = np.nan
    table = criterion_table([Graded(graded.rubric, holed, graded.gold)])
    kept = np.arange(40) % 4 != 0
    same = criterion_table([Graded(graded.rubric, graded.credits[kept], graded.gold[kept])])
    assert table.left_out == 10
    for name in COLUMNS:
        np.testing.assert_array_equal(table.columns[name], same.columns[name])


def test_without_gold_the_rest_of_the_rubric_is_the_measure():
    graded = random_prompt(2)
    table = criterion_table([Graded(graded.rubric, graded.credits)])
    assert np.isfinite(table.columns["discrimination"][:2]).all()
    for name in ("item_gold", "tail_information", "adds_tail_accuracy", "adds_spearman"):
        assert np.isnan(table.columns[name]).all()


def test_a_single_positive_criterion_cannot_be_left_out():
    graded = Graded(rubric([2, -1]), np.array([[1.0, 0], [0, 1], [1, 1]]), np.arange(3.0))
    found = criterion_table([graded]).columns
    assert np.isnan(found["item_rest"][0])
    assert np.isnan(found["adds_spearman"][0])
    assert np.isfinite(found["adds_spearman"][1])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(12)))
def test_the_order_of_responses_does_not_count(seed, order):
    graded = random_prompt(seed, n=12)
    moved = Graded(graded.rubric, graded.credits[order], graded.gold[order])
    one, other = criterion_table([graded]), criterion_table([moved])
    for name in COLUMNS:
        np.testing.assert_allclose(one.columns[name], other.columns[name], atol=1e-12)


def test_phi_of_a_saturated_criterion_is_none():
    found = phi(np.array([[1.0, 1], [1, 0], [1, 1]]))
    assert np.isnan(found[0]).all()
    assert found[1, 1] == pytest.approx(1)


def test_bad_input_is_refused():
    graded = random_prompt(1)
    with pytest.raises(InputError, match="no prompt"):
        criterion_table([])
    with pytest.raises(InputError, match="stands twice"):
        criterion_table([graded, graded])
    with pytest.raises(InputError, match="gold for some"):
        criterion_table([graded, Graded(rubric([1], "What?"), np.ones((2, 1)))])
    with pytest.raises(InputError, match="for 4 criteria"):
        Graded(graded.rubric, np.ones((2, 3)))
