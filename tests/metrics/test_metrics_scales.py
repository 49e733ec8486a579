"""z-scores and base quantiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rubricbench.errors import InputError
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.scales import base_quantile, base_quantiles, scale_of

few_levels = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


def samples(groups, seed=0):
    """Samples of prompts p0, p1, … whose gold rewards are given."""
    gold = np.concatenate(groups).astype(float)
    ids = np.repeat([f"p{i}" for i in range(len(groups))], [len(g) for g in groups])
    return Samples.of(ids, np.random.default_rng(seed).normal(size=len(gold)), gold)


def test_a_z_score_counts_in_standard_deviations_of_the_base():
    # mean 2; squared deviations 1, 0, 1 over n - 1 = 2: sd 1
    scale = scale_of([1, 2, 3])
    assert (scale.mean, scale.sd) == (2, 1)
    assert scale.z([2, 4.5]).tolist() == [0, 2.5]


def test_a_scale_is_the_same_to_the_last_bit_in_any_order():
    rng = np.random.default_rng(0)
    values = rng.normal(size=300) * 10.0 ** rng.integers(-3, 3, size=300)
    assert {scale_of(rng.permutation(values)) for _ in range(8)} == {scale_of(values)}


@pytest.mark.parametrize("base", [[], [1.0], [2.0, 2.0], [0.1 + 0.2, 0.1 + 0.2], [0, 1e-200]])
def test_a_base_without_spread_has_no_scale(base):
    with pytest.raises(InputError, match="gold does not vary"):
        scale_of(base, "gold")


def test_the_quantile_is_the_chance_to_beat_a_base_sample_ties_one_half():
    # base 1 2 2 3: 0 beats none, 1 ties one of four, 2 beats one and ties two, 9 beats all
    assert base_quantile([0, 1, 2, 9], [1, 2, 2, 3]).tolist() == [0, 1 / 8, 2 / 4, 1]


def test_left_out_of_the_base_a_sample_does_not_tie_itself():
    # 1 2 2 3, each among the other three: 0; one below and one tie; the same; all three below
    found = base_quantile([1, 2, 2, 3], [1, 2, 2, 3], leave_one_out=True)
    assert found.tolist() == [0, 1.5 / 3, 1.5 / 3, 1]


@settings(max_examples=40)
@given(few_levels, few_levels)
def test_equal_to_scipys_percentile_of_a_score(values, base):
    expected = [stats.percentileofscore(base, v, kind="mean") / 100 for v in values]
    assert base_quantile(values, base) == pytest.approx(expected)


@settings(max_examples=40)
@given(st.lists(few_levels, min_size=1, max_size=5), st.booleans())
def test_prompts_never_mix(groups, leave_one_out):
    groups = [[*g, 0] for g in groups]  # two samples each at least
    found = base_quantiles(samples(groups), leave_one_out=leave_one_out)
    expected = [base_quantile(g, g, leave_one_out=leave_one_out) for g in groups]
    assert found.tolist() == np.concatenate(expected).tolist()


@settings(max_examples=40)
@given(few_levels)
def test_their_mean_over_the_base_itself_is_one_half(values):
    # Every pair is counted once from each side, 1 in all; every self-tie is one half.
    assert base_quantile(values, values).mean() == pytest.approx(0.5)


@settings(max_examples=40)
@given(few_levels, few_levels)
def test_increasing_maps_change_nothing(values, base):
    exp = base_quantile(np.exp(values), np.exp(base))
    assert exp.tolist() == base_quantile(values, base).tolist()


def test_an_external_base_is_found_by_prompt_id():
    policy = Samples.of(["b", "a"], [0, 0], [5, 5])
    base = Samples.of(["a", "a", "b", "c"], [0, 0, 0, 0], [5, 9, 4, 5])
    # a: ties one of two and loses to the other; b: beats its only one
    assert base_quantiles(policy, base).tolist() == [0.25, 1.0]


def test_a_prompt_without_base_samples_is_refused_by_name():
    policy, base = Samples.of(["a", "z"], [0, 0], [1, 1]), Samples.of(["a"], [0], [1])
    with pytest.raises(InputError, match="1 of 2 prompts have no base sample, 'z' first"):
        base_quantiles(policy, base)


def test_what_cannot_be_left_out_is_refused():
    with pytest.raises(InputError, match="not among the base"):
        base_quantile([7], [1, 2], leave_one_out=True)
    with pytest.raises(InputError, match="two samples a prompt"):
        base_quantile([1], [1], leave_one_out=True)
    with pytest.raises(InputError, match="1 of 2 prompts have one sample, 'p1' first"):
        base_quantiles(samples([[1, 2], [1]]), leave_one_out=True)
    with pytest.raises(InputError, match="no base sample"):
        base_quantile([1], [])
    with pytest.raises(InputError, match="unknown or infinite gold"):
        base_quantile([float("nan")], [1])
