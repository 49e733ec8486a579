"""Agreement of a reward with preferences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rubricbench.errors import InputError
from rubricbench.metrics.agreement import agreement, pair_agreement
from rubricbench.metrics.result import walk
from rubricbench.metrics.samples import Samples

LEVELS = st.integers(0, 3).map(float)


def figures(found):
    return [r.estimate for r in walk(found)]


@st.composite
def pairs(draw):
    """Columns of up to 30 pairs of up to 5 prompts."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 4).map(str), LEVELS, LEVELS, st.sampled_from([0, 0.3, 0.5, 1.0])
            ),
            min_size=1,
            max_size=30,
        ).filter(lambda rows: any(r[3] != 0.5 for r in rows))
    )
    return [np.array(c) for c in zip(*rows, strict=True)]


@st.composite
def scored(draw):
    """Samples of 1 to 5 prompts with 1 to 40 samples each, of few levels or many."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    gold, proxy = rng.integers(0, draw(st.sampled_from([2, 5, 1000])), (2, sum(sizes)))
    return Samples.of(np.repeat([f"p{i}" for i in range(len(sizes))], sizes), proxy, gold)


def test_hand_counted():
    # a: right and a tie; b: right; c: wrong, by the larger side of a probability.
    found = agreement(["a", "a", "b", "c"], [2, 1, 0, 5], [1, 1, 3, 4], [1, 0, 0, 0.2])
    # means over prompts: half (.75 + 1 + 0)/3, strict (.5 + 1 + 0)/3, ties (.5 + 0 + 0)/3,
    # decided: strict / (1 - ties) = .5 / (5/6)
    assert figures(found) == pytest.approx([1.75 / 3, 0.5, 0.5 / 3, 0.6])


@settings(max_examples=40)
@given(pairs())
def test_equal_to_a_count_pair_by_pair(columns):
    by_prompt = {}
    for prompt, one, two, label in zip(*columns, strict=True):
        if label != 0.5:
            outcome = 0.5 if one == two else float((one > two) == (label > 0.5))
            by_prompt.setdefault(prompt, []).append(outcome)
    half, strict, ties, _ = figures(agreement(*columns))
    assert half == pytest.approx(np.mean([np.mean(v) for v in by_prompt.values()]))
    assert strict == pytest.approx(np.mean([np.mean(np.equal(v, 1)) for v in by_prompt.values()]))
    assert ties == pytest.approx(np.mean([np.mean(np.equal(v, 0.5)) for v in by_prompt.values()]))


@settings(max_examples=40)
@given(pairs(), st.randoms(use_true_random=False))
def test_row_order_sides_and_increasing_maps_change_nothing(columns, random):
    ids, one, two, label = columns
    order = random.sample(range(len(ids)), len(ids))
    found = list(walk(agreement(*columns)))
    assert list(walk(agreement(*(c[order] for c in columns)))) == found
    assert list(walk(agreement(ids, two, one, 1 - label))) == found
    assert list(walk(agreement(ids, np.exp(one), np.exp(two), label))) == found


@settings(max_examples=40)
@given(pairs())
def test_the_opposite_reward_agrees_where_it_disagreed(columns):
    ids, one, two, label = columns
    half, opposite = (
        agreement(ids, a, b, label).ties_half.estimate for a, b in ((one, two), (-one, -two))
    )
    assert half + opposite == pytest.approx(1)


def test_labels_without_a_preference_are_left_out_and_counted():
    found = agreement(["a", "b"], [1, 1], [0, 0], [1, 0.5]).ties_half
    assert (found.estimate, found.items) == (1, 1)
    assert "1 pairs without preference" in next(
        c.text for c in found.warnings if c.code == "left_out"
    )


def test_a_reward_that_ties_all_decides_nothing():
    found = agreement(["a", "b"], [1, 1], [1, 1], [1, 0])
    assert figures(found) == [0.5, 0, 1, None]
    assert "ties every pair" in found.decided.reason


def test_unknown_rewards_are_refused_or_counted():
    columns = (["a", "b"], [1, np.nan], [0, 0], [1, 1])
    with pytest.raises(InputError, match="1 of 2 rows lack a number, row 2 first"):
        agreement(*columns)
    found = agreement(*columns, unknown="drop").ties_half
    assert (found.estimate, found.n) == (1, 1)
    assert "left_out" in {c.code for c in found.warnings}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ((["a"], [np.inf], [0], [1]), "reward_1 of row 1 is infinite"),
        ((["a"], [1], [0], [2]), "preference 2 in row 1"),
        ((["a"], [1], [0], [0.5]), "no pair with a preference"),
        ((["a"], [1, 2], [0], [1]), "2 values"),
    ],
)
def test_bad_pairs_are_refused(columns, said):
    with pytest.raises(InputError, match=said):
        agreement(*columns)


@settings(max_examples=40)
@given(scored())
def test_pairs_of_samples_are_counted_as_one_by_one(samples):
    expected = []
    for a, b in zip(samples.starts[:-1], samples.starts[1:], strict=True):
        order = np.sign(np.subtract.outer(samples.gold[a:b], samples.gold[a:b]))
        guess = np.sign(np.subtract.outer(samples.proxy[a:b], samples.proxy[a:b]))
        if (order > 0).any():
            right, tied = (np.mean(guess[order > 0] == s) for s in (1, 0))
            expected.append([right + tied / 2, right, tied])
    found = figures(pair_agreement(samples))[:3]
    if expected:
        assert found == pytest.approx(np.mean(expected, axis=0))
    else:
        assert found == [None] * 3


def test_without_ties_it_is_kendalls_tau():
    rng = np.random.default_rng(0)
    gold = rng.normal(size=500)
    proxy = gold + rng.normal(size=500)
    tau = stats.kendalltau(gold, proxy).statistic
    found = pair_agreement(Samples.of(["a"] * 500, proxy, gold))
    assert found.ties_half.estimate == pytest.approx((tau + 1) / 2)  # (C - D) / (C + D) = tau
    assert found.ties_half.items == 500 * 499 // 2


def test_an_empty_table_is_refused():
    with pytest.raises(InputError, match="no pair"):
        agreement([], [], [], [])
