"""Best-of-n against enumeration of every subset, and what must not change it."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from coverage_table import coverage
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics import Bootstrap, Samples, walk
from rubricbench.metrics.bestofn import best_of_n, default_n, weights
from rubricbench.metrics.divergence import best_of_n_bound

VALUES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-5, 5)), min_size=4, max_size=9)


def _samples(rows_by_prompt, shuffle=None):
    rows = [(f"p{i}", p, g) for i, rows in enumerate(rows_by_prompt) for p, g in rows]
    if shuffle is not None:
        rows = [rows[i] for i in np.random.default_rng(shuffle).permutation(len(rows))]
    ids, proxy, gold = zip(*rows, strict=True)
    return Samples.of(ids, proxy, gold)


def _few_draws(samples):
    return best_of_n(samples, None, Bootstrap(samples.prompts, resamples=20))


def _enumerated(rows, n):
    """Mean over all subsets of size n of the mean gold among the subset's best by proxy."""
    found = []
    for subset in combinations(rows, n):
        best = max(p for p, _ in subset)
        found.append(np.mean([g for p, g in subset if p == best]))
    return np.mean(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3))
def test_it_is_the_mean_over_all_subsets_ties_included(prompts):
    samples = _samples(prompts)
    limit = min(len(rows) for rows in prompts) // 2
    n_grid = range(1, limit + 1)
    found = best_of_n(samples, n_grid, Bootstrap(samples.prompts, resamples=0)).curves
    expected = [[_enumerated(rows, n) for n in n_grid] for rows in prompts]
    np.testing.assert_allclose(found.columns["gold"], expected, atol=1e-12)
    proxies = [[_enumerated([(p, p) for p, _ in rows], n) for n in n_grid] for rows in prompts]
    np.testing.assert_allclose(found.columns["proxy"], proxies, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=4), st.integers(0, 5))
def test_the_order_of_rows_changes_not_a_digit(prompts, seed):
    one, other = (_few_draws(_samples(prompts, s)) for s in (None, seed))
    assert one.points == other.points
    assert one.cautions == other.cautions


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=3))
def test_only_the_order_of_the_proxy_counts_for_gold_and_kl(prompts):
    plain = _few_draws(_samples(prompts))
    cubed = _few_draws(_samples([[(p**3 - 7, g) for p, g in rows] for rows in prompts]))
    for a, b in zip(plain.points, cubed.points, strict=True):
        assert (a.gold, a.gain, a.kl) == (b.gold, b.gain, b.kl)


def test_one_response_is_worth_the_mean_and_costs_no_kl():
    rng = np.random.default_rng(1)
    samples = _samples(rng.normal(size=(60, 8, 2)).tolist())
    first = best_of_n(samples).points[0]
    assert first.gold.estimate == pytest.approx(samples.gold.mean())
    assert (first.n, first.kl.estimate, first.gain.estimate) == (1, 0, 0)


def test_weights_are_the_binomial_ratios_and_survive_large_n():
    exact = [[comb(i - 1, n - 1) / comb(20, n) for n in (1, 3, 10)] for i in range(1, 21)]
    np.testing.assert_allclose(weights(20, np.array([1, 3, 10])), exact, rtol=1e-12)
    # C(40000, 20000) has 12,000 digits. The top sample is in a subset with chance n/N = 1/2.
    assert weights(40_000, np.array([20_000]))[-1, 0] == pytest.approx(0.5, rel=1e-9)


def test_the_default_grid_goes_to_half_the_samples_of_nine_prompts_in_ten():
    assert default_n(np.full(5, 32)).tolist() == [1, 2, 3, 4, 6, 8, 11, 16]
    assert default_n(np.array([32] * 9 + [4])).tolist() == [1, 2, 3, 4, 6, 8, 11, 16]
    assert default_n(np.array([32] * 8 + [4, 4])).tolist() == [1, 2]
    assert default_n(np.array([1, 1])).tolist() == [1]


def test_one_set_of_prompts_makes_the_whole_curve():
    rng = np.random.default_rng(2)
    sizes = [32] * 19 + [4]
    samples = _samples([rng.normal(size=(n, 2)).tolist() for n in sizes])
    curve = best_of_n(samples)
    assert {p.gold.n for p in curve.points} == {19}
    assert {p.gold.items for p in curve.points} == {19 * 32}
    assert "1 of 20 prompts have fewer than 32 samples" in curve.cautions[0].text
    assert np.isnan(curve.curves.columns["gold"][~curve.curves.kept]).all()


def test_an_n_beyond_half_the_samples_is_withheld_with_the_reason():
    curve = best_of_n(_samples(np.random.default_rng(3).normal(size=(3, 8, 2)).tolist()), [4, 5])
    one, four, five = curve.points
    assert (one.n, four.n, five.n) == (1, 4, 5)
    assert four.gold.estimate is not None
    assert five.gold.reason == "fewer than 90% of the prompts have the 10 samples that it takes"
    assert five.kl_bound.estimate == pytest.approx(np.log(5) - 0.8)
    assert curve.shown() == (one, four)


@pytest.mark.parametrize(
    ("prompts", "codes", "points"),
    [
        ([[(0.5, 1.0)], [(0.1, 0.0)]], {"few_prompts"}, 1),  # one sample a prompt: its mean
        ([[(0, 1), (1, 2), (2, 0), (3, 3)]], {"one_prompt"}, 2),
        ([[(1, i) for i in range(8)]] * 3, {"constant", "few_prompts", "ties"}, 4),
    ],
)
def test_poor_samples_give_what_can_be_had_and_say_what_is_wrong(prompts, codes, points):
    curve = best_of_n(_samples(prompts))
    assert len(curve.shown()) == points
    assert {c.code for r in walk(curve) for c in r.warnings} == codes


def test_a_constant_proxy_chooses_at_random():
    curve = best_of_n(_samples([[(1, i) for i in range(8)]] * 3))
    assert [p.gold.estimate for p in curve.points] == pytest.approx([3.5] * 4)
    assert [p.kl.estimate for p in curve.points] == pytest.approx([0] * 4, abs=1e-12)


@pytest.mark.parametrize("grid", [[0], [1.5], [], [[1, 2]], [float("nan")]])
def test_an_n_that_is_none_is_refused(grid):
    with pytest.raises(InputError, match="positive whole numbers"):
        best_of_n(_samples([[(0, 1), (1, 2)]]), grid)


def test_samples_without_a_reward_are_counted():
    samples = Samples.of(["a", "a", "b", "b"], [1, np.nan, 2, 3], [1, 1, 2, 2], unknown="drop")
    assert "1 samples without" in best_of_n(samples).cautions[0].text


def test_arms_are_paired_through_their_draws():
    rng = np.random.default_rng(4)
    gold = rng.normal(size=(80, 32)) + rng.normal(size=(80, 1)) * 3
    ids = np.repeat([f"p{i}" for i in range(80)], 32)
    arms = [
        best_of_n(
            Samples.of(ids, (gold + rng.normal(size=gold.shape) * noise).ravel(), gold.ravel())
        )
        for noise in (0.5, 2)
    ]
    a, b = (arm.curves.replicates["gold"].resampled[:, -1] for arm in arms)
    # Prompts differ by 3, so each arm alone varies by 3/√80; drawn together that cancels.
    assert np.std(a - b) < np.std(a) / 3


def _draw(rng, levels=None):
    """80 prompts of 16; proxy and gold correlate .8, prompts differ in mean."""
    proxy = rng.normal(size=(80, 16))
    gold = 0.8 * proxy + 0.6 * rng.normal(size=proxy.shape) + rng.normal(size=(80, 1))
    shown = proxy if levels is None else np.digitize(proxy, levels)
    return Samples.of(np.repeat([f"{i:02}" for i in range(80)], 16), shown.ravel(), gold.ravel())


def _last(samples):
    curve = best_of_n(samples, [4], Bootstrap(samples.prompts, resamples=0))
    return {"gold": curve.points[-1].gold, "gain": curve.points[-1].gain}


def test_intervals_cover_what_best_of_n_is_worth():
    # E max of 4 normals is 1.02938; gold follows at correlation .8.
    truth = {"gold": 0.8 * 1.02938, "gain": 0.8 * 1.02938}
    found = coverage("", simulate=_draw, estimate=_last, truth=truth, draws=300, show=False)
    for one in found.values():
        assert abs(one.share - 0.95) < 4 * one.error
        assert abs(one.bias) < 4 * one.width / (2 * 1.96) / np.sqrt(300)


def test_the_kl_of_untied_samples_is_the_bound():
    curve = best_of_n(_samples(np.random.default_rng(5).normal(size=(3, 64, 2)).tolist()))
    bound = best_of_n_bound([p.n for p in curve.points])
    assert [p.kl.estimate for p in curve.points] == pytest.approx(bound)
