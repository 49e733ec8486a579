"""Tail accuracy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from rubricbench.errors import InputError
from rubricbench.metrics.agreement import pair_agreement
from rubricbench.metrics.rank import rank_correlation
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import walk
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.scales import base_quantiles
from rubricbench.metrics.tail import tail_accuracy, tail_shares


@st.composite
def scored(draw):
    """Samples of 1 to 4 prompts with 20 samples each; gold and proxy of few levels."""
    prompts = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    gold = rng.integers(0, 30, prompts * 20)
    proxy = np.rint(gold / 4 + rng.normal(0, draw(st.sampled_from([0.1, 1, 5])), len(gold)))
    return Samples.of(np.repeat([f"p{i}" for i in range(prompts)], 20), proxy, gold)


def brute(samples):
    """Every pair of an excellent and a great response, one by one."""
    quantile, rows = base_quantiles(samples), []
    for a, b in zip(samples.starts[:-1], samples.starts[1:], strict=True):
        pairs = [
            np.sign(samples.proxy[i] - samples.proxy[j])
            for i in range(a, b)
            for j in range(a, b)
            if quantile[i] >= 0.9 and 0.75 <= quantile[j] < 0.9
        ]
        if pairs:
            won, tied = np.mean(np.equal(pairs, 1)), np.mean(np.equal(pairs, 0))
            rows.append([won + tied / 2, won, tied])
    return np.mean(rows, axis=0) if rows else None


def figures(found):
    return [found.accuracy.estimate, found.ties_as_wrong.estimate, found.tie_rate.estimate]


def test_a_hand_made_prompt():
    # Gold 0 … 9: U = (rank + .5) / 10, so 9 is excellent (.95) and 8 great (.85), 7 (.75) too.
    # The proxy puts 9 above 7 and ties it with 8: one win and one tie of two pairs.
    proxy = [0, 0, 0, 0, 0, 0, 0, 1, 2, 2]
    found = tail_accuracy(Samples.of(["p"] * 10, proxy, range(10)))
    assert figures(found) == [0.75, 0.5, 0.5]
    assert found.accuracy.items == 2
    assert {"one_prompt", "ties"} <= {c.code for c in found.accuracy.warnings}


@settings(max_examples=40)
@given(scored())
def test_equal_to_every_pair_counted(samples):
    expected = brute(samples)
    if expected is None:
        assert tail_accuracy(samples).accuracy.estimate is None
    else:
        assert figures(tail_accuracy(samples)) == pytest.approx(expected)


def test_within_a_prompt_it_is_the_area_under_the_roc_curve():
    rng = np.random.default_rng(0)
    gold = rng.normal(size=200)
    proxy = np.round(gold + rng.normal(size=200), 1)
    samples = Samples.of(["p"] * 200, proxy, gold)
    quantile = base_quantiles(samples)
    tail = quantile >= 0.75
    auc = roc_auc_score(quantile[tail] >= 0.9, proxy[tail])
    assert tail_accuracy(samples).accuracy.estimate == pytest.approx(auc)


@settings(max_examples=40)
@given(scored(), st.randoms(use_true_random=False))
def test_row_order_and_increasing_maps_change_nothing(samples, random):
    order = random.sample(range(samples.size), samples.size)
    ids = samples.prompts[samples.of_prompt]
    changed = Samples.of(
        ids[order], np.exp(samples.proxy[order] / 10), np.cbrt(samples.gold[order])
    )
    assert list(walk(tail_accuracy(changed))) == list(walk(tail_accuracy(samples)))


@settings(max_examples=40)
@given(scored())
def test_a_reversed_proxy_is_wrong_where_it_was_right(samples):
    reverse = Samples.of(samples.prompts[samples.of_prompt], -samples.proxy, samples.gold)
    one, other = tail_accuracy(samples), tail_accuracy(reverse)
    if one.accuracy.estimate is not None:
        assert one.accuracy.estimate + other.accuracy.estimate == pytest.approx(1)
        assert one.tie_rate == other.tie_rate


def test_a_constant_proxy_ties_all():
    samples = Samples.of(np.repeat(["a", "b"], 20), np.zeros(40), np.tile(range(20), 2))
    assert figures(tail_accuracy(samples)) == [0.5, 0, 1]


def test_prompts_without_a_pair_are_left_out_and_counted():
    gold = np.concatenate([np.arange(20), np.zeros(20)])  # of b no response is excellent
    found = tail_accuracy(Samples.of(np.repeat(["a", "b"], 20), gold, gold))
    assert (found.accuracy.estimate, found.accuracy.n) == (1, 1)
    assert found.prompts_used.estimate == 0.5
    text = next(c.text for c in found.accuracy.warnings if c.code == "left_out")
    assert text.startswith("1 of 2 prompts")


def test_rows_left_out_are_said_beside_prompts_left_out():
    gold = np.concatenate([np.arange(20), np.zeros(20)])
    proxy = np.where(np.arange(40) == 3, np.nan, gold)
    samples = Samples.of(np.repeat(["a", "b"], 20), proxy, gold, unknown="drop")
    tail = tail_accuracy(samples).accuracy
    others = (rank_correlation(samples).overall, pair_agreement(samples).ties_half)
    for found in (tail, *others):
        said = [c.text for c in found.warnings if c.code == "left_out"]
        assert len(said) == 2  # prompt b, constant in gold, and the row
        assert any(text.startswith("1 samples without") for text in said)


def test_no_pair_at_all_says_so():
    found = tail_accuracy(Samples.of(["a"] * 3, [1, 2, 3], [5, 5, 5]))
    assert found.accuracy.estimate is None
    assert "U >= 0.9" in found.accuracy.reason


def test_against_a_weaker_base_the_quantiles_saturate():
    rng = np.random.default_rng(0)
    ids = np.repeat([f"p{i}" for i in range(60)], 20)
    base = Samples.of(ids, np.zeros(1200), rng.normal(size=1200))
    gold = rng.normal(4, 0.5, size=1200)  # all but a few above all of the base's
    found = tail_accuracy(Samples.of(ids, gold, gold), base=base)
    assert found.saturation.excellent.estimate > 0.95
    assert found.saturation.beyond.estimate > 0.9
    assert "saturated" in {c.code for c in found.accuracy.warnings} or (
        found.accuracy.estimate is None
    )
    own = tail_accuracy(Samples.of(ids, gold, gold)).saturation
    # 20 samples without ties: U = (rank + .5) / 20 >= .9 for ranks 18 and 19, and never 1
    assert (own.excellent.estimate, own.beyond.estimate) == (pytest.approx(0.1), 0)


def test_thresholds_are_options_and_in_order():
    samples = Samples.of(["p"] * 4, [1, 2, 3, 4], [1, 2, 3, 4])
    # U .125 .375 .625 .875: above .5 two are excellent, from .25 one is great
    assert tail_accuracy(samples, excellent=0.5, great=0.25).accuracy.items == 2
    with pytest.raises(InputError, match="thresholds"):
        tail_accuracy(samples, excellent=0.7, great=0.8)


def test_two_proxies_are_compared_on_the_same_prompts():
    rng = np.random.default_rng(0)
    ids, gold = np.repeat([f"p{i:02}" for i in range(30)], 20), rng.normal(size=600)
    good, bad = (Samples.of(ids, gold + rng.normal(0, s, 600), gold) for s in (0.1, 3))
    boot = Bootstrap(good.prompts, resamples=0)
    both = np.column_stack([tail_shares(good)[:, 0], tail_shares(bad)[:, 0]])
    found = boot.means(both).map(lambda m: m[:, 0] - m[:, 1]).results(["difference"])[0]
    assert found.low > 0.2
    assert found.estimate == pytest.approx(
        tail_accuracy(good).accuracy.estimate - tail_accuracy(bad).accuracy.estimate
    )
