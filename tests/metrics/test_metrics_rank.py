"""Within-prompt Spearman correlation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rubricbench.errors import InputError
from rubricbench.metrics.rank import prompt_spearman, rank_correlation, top_samples
from rubricbench.metrics.result import walk
from rubricbench.metrics.samples import Samples


@st.composite
def scored(draw):
    """Samples of 1 to 5 prompts with 1 to 40 samples each, of few levels."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.sampled_from([1, 2, 5, 1000]))
    gold, proxy = rng.integers(0, levels, (2, sum(sizes)))
    return Samples.of(np.repeat([f"p{i}" for i in range(len(sizes))], sizes), proxy, gold)


def oracle(proxy, gold):
    if len(proxy) < 3 or len(set(proxy)) == 1 or len(set(gold)) == 1:
        return np.nan
    return stats.spearmanr(proxy, gold).statistic


@settings(max_examples=40)
@given(scored())
def test_equal_to_scipy_prompt_by_prompt(samples):
    top = top_samples(samples)
    expected = [
        [
            oracle(samples.proxy[a:b], samples.gold[a:b]),
            oracle(samples.proxy[a:b][top[a:b]], samples.gold[a:b][top[a:b]]),
        ]
        for a, b in zip(samples.starts[:-1], samples.starts[1:], strict=True)
    ]
    np.testing.assert_allclose(prompt_spearman(samples), expected, atol=1e-12)


def test_the_top_takes_ties_whole():
    # 20 samples, a tenth is 2: the highest one, and the three that tie for the second place
    proxy = [9, 8, 8, 8, *range(-16, 0)]
    samples = Samples.of(["p"] * 20, proxy, range(20))
    assert samples.proxy[top_samples(samples)].tolist() == [9, 8, 8, 8]


@pytest.mark.parametrize("n", [1, 9, 10, 11, 20, 30, 70, 1000])
def test_without_ties_the_top_is_a_tenth_rounded_up(n):
    samples = Samples.of(["p"] * n, range(n), np.zeros(n))
    assert top_samples(samples).sum() == -(-n // 10)


def test_prompts_are_averaged_and_never_pooled():
    # Within both prompts the proxy is perfectly right; pooled it would be wrong, as gold differs.
    samples = Samples.of(["a"] * 3 + ["b"] * 3, [1, 2, 3, 7, 8, 9], [7, 8, 9, 1, 2, 3])
    assert stats.spearmanr(samples.proxy, samples.gold).statistic < 0
    assert rank_correlation(samples).overall.estimate == 1


@settings(max_examples=40)
@given(scored(), st.randoms(use_true_random=False))
def test_row_order_and_increasing_maps_change_nothing(samples, random):
    order = random.sample(range(samples.size), samples.size)
    ids = samples.prompts[samples.of_prompt]
    changed = Samples.of(ids[order], samples.proxy[order] ** 3, np.sqrt(samples.gold[order]))
    assert list(walk(rank_correlation(changed))) == list(walk(rank_correlation(samples)))


def test_prompts_without_a_correlation_are_left_out_and_counted():
    ids = ["a"] * 4 + ["b"] * 4 + ["c"] * 2
    found = rank_correlation(Samples.of(ids, [1, 2, 3, 4] * 2 + [1, 2], [4, 3, 2, 1] + [5] * 6))
    assert (found.overall.estimate, found.overall.n) == (-1, 1)
    text = next(c.text for c in found.overall.warnings if c.code == "left_out")
    assert text.startswith("2 of 3 prompts")
    assert found.top.estimate is None
    assert "too few" in found.top.reason


@pytest.mark.parametrize("option", [{"top": 0.0}, {"top": 1.5}, {"least": 1}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(InputError):
        rank_correlation(Samples.of(["a"], [1], [1]), **option)
