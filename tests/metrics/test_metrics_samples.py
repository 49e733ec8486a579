from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics.samples import Samples

IDS = ["b", "a", "b", "a", "b"]


def samples(**options) -> Samples:
    return Samples.of(IDS, [1, 2, 3, 4, 5], [10, 20, 30, 40, 50], **options)


def test_rows_are_grouped_by_prompt_and_keep_their_order_within():
    found = samples(length=[7, 8, 9, 10, 11])
    assert list(found.prompts) == ["a", "b"]
    assert list(found.starts) == [0, 2, 5]
    assert list(found.proxy) == [2, 4, 1, 3, 5]
    assert list(found.gold) == [20, 40, 10, 30, 50]
    assert list(found.columns["length"]) == [8, 10, 7, 9, 11]
    assert list(found.of_prompt) == [0, 0, 1, 1, 1]
    assert (found.size, list(found.counts)) == (5, [2, 3])


def test_means_and_calls_go_prompt_by_prompt():
    found = samples()
    assert list(found.means(found.gold)) == [30, 30]
    assert found.each(lambda rows: found.proxy[rows].max()) == [4, 5]


@given(st.permutations(range(5)))
def test_which_prompt_a_row_belongs_to_does_not_depend_on_the_order_of_rows(order):
    order = list(order)
    proxy, gold = np.arange(5.0), np.arange(5.0) ** 2
    found = Samples.of(np.array(IDS)[order], proxy[order], gold[order])
    assert list(found.prompts) == ["a", "b"]
    assert sorted(found.proxy[:2]) == [1, 3]
    assert np.array_equal(found.gold, found.proxy**2)


def test_an_unknown_reward_is_refused_with_its_row():
    with pytest.raises(InputError, match="1 of 2 samples lack a reward, row 2 first"):
        Samples.of(["a", "a"], [1, 2], [1, math.nan])


def test_or_its_row_is_dropped_and_counted():
    found = Samples.of(["a", "b", "b"], [1, math.nan, 3], [1, 2, 3], unknown="drop")
    assert (found.left_out, list(found.prompts), list(found.proxy)) == (1, ["a", "b"], [1, 3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "no sample with both rewards"),
        ((["a"], [math.nan], [1]), "lack a reward"),
        ((["a"], [1, 2], [1]), "2 values of proxy for 1 rows"),
        ((["a"], [math.inf], [1]), "the proxy of row 1 is infinite"),
        ((["a", "a"], [1, 2], [1e99, -1e300]), "the gold of row 2 is -1e\\+300"),
        ((["a"], ["good"], [1]), "a value of proxy is not a number"),
        ((["a"], [[1.0]], [1]), "a value of proxy is not a number"),
        ((["a", None], [1, 2], [1, 2]), "row 2 has no prompt id"),
        (([math.nan], [1], [1]), "row 1 has no prompt id"),
        ((pd.array(["a", None], dtype="string"), [1, 2], [1, 2]), "row 2 has no prompt id"),
    ],
)
def test_bad_input_is_one_line_that_says_what(arguments, message: str):
    with pytest.raises(InputError, match=message):
        Samples.of(*arguments)


def test_nothing_left_after_dropping_is_an_error():
    with pytest.raises(InputError, match="no sample with both rewards"):
        Samples.of(["a"], [math.nan], [1], unknown="drop")


def test_there_are_two_ways_with_unknown_rewards():
    with pytest.raises(InputError, match="unknown='zero'"):
        samples(unknown="zero")


def test_ids_of_other_kinds_become_text():
    assert list(Samples.of([2, 10, 2], [1, 2, 3], [1, 2, 3]).prompts) == ["10", "2"]
    assert list(Samples.of(np.array(["b", "a"]), [1, 2], [1, 2]).proxy) == [2, 1]


@pytest.mark.parametrize("spare", [0, 1])
def test_means_are_the_same_to_the_last_bit_in_any_order_of_rows(spare):
    rng = np.random.default_rng(0)
    values = rng.normal(size=200) * 10.0 ** rng.integers(-3, 3, size=200)
    ids = np.repeat(["a", "b", "c", "d"], [50 + spare, 50 - spare, 50, 50])
    first = Samples.of(ids, values, values)
    expected = [values[ids == prompt].mean() for prompt in "abcd"]
    np.testing.assert_allclose(first.means(first.gold), expected)
    for _ in range(5):
        order = rng.permutation(200)
        other = Samples.of(ids[order], values[order], values[order])
        assert other.means(other.gold).tolist() == first.means(first.gold).tolist()
