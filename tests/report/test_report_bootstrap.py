"""Intervals against scipy, brute force and published values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rubricbench.report.bootstrap import Method, Resamples, wilson


def clusters(seed: int, prompts: int = 60) -> list[tuple[str, float, float]]:
    """Return items of prompts that differ in level and in number of items (1-5)."""
    rng = np.random.default_rng(seed)
    items = []
    for i in range(prompts):
        level = rng.normal(0.5, 0.2)
        for _ in range(rng.integers(1, 6)):
            value = level + rng.normal(0, 0.05)
            items.append((f"p{i}", value, value))
    return items


def sums(items: list[tuple[str, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    names = sorted({p for p, _, _ in items})
    total = np.array([sum(v for p, v, _ in items if p == name) for name in names])
    count = np.array([sum(p == name for p, _, _ in items) for name in names])
    return total, count


def ratio(total: np.ndarray, count: np.ndarray, axis: int = -1) -> np.ndarray:
    return total.sum(axis=axis) / count.sum(axis=axis)


def test_mean_interval_is_the_cluster_bootstrap_of_scipy() -> None:
    items = clusters(1)
    resamples = Resamples((p for p, _, _ in items), resamples=20_000)
    ours = resamples.mean(resamples.tally(items))
    theirs = stats.bootstrap(
        sums(items),
        ratio,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    # Each end is a quantile of 20,000 draws of spread ~.02: its own error is about .0004.
    assert ours.interval == pytest.approx((theirs.low, theirs.high), abs=0.002)
    assert ours.value == pytest.approx(np.mean([v for _, v, _ in items]))
    assert (ours.prompts, ours.items, ours.method) == (60, len(items), Method.BOOTSTRAP)


def test_items_of_one_prompt_are_not_independent() -> None:
    # 20 prompts, each with 10 equal items: the interval is that of 20 observations, not of 200.
    rng = np.random.default_rng(2)
    levels = rng.uniform(size=20)
    many = [(f"p{i}", v, v) for i, v in enumerate(levels) for _ in range(10)]
    once = [(f"p{i}", v, v) for i, v in enumerate(levels)]
    resamples = Resamples(p for p, _, _ in once)
    clustered = resamples.mean(resamples.tally(many)).interval
    assert clustered == pytest.approx(resamples.mean(resamples.tally(once)).interval)


def test_difference_is_paired_by_prompt() -> None:
    # b is a minus a constant: every resample has the difference .1 exactly, so nothing varies.
    a = [(f"p{i}", v, v) for i, v in enumerate(np.linspace(0, 1, 30))]
    b = [(p, v - 0.1, v - 0.1) for p, v, _ in a]
    resamples = Resamples(p for p, _, _ in a)
    found = resamples.difference(resamples.tally(a), resamples.tally(b))
    assert found is not None
    assert found.value == pytest.approx(0.1)
    assert found.interval is None
    # Noise in b of sd .03 leaves a paired interval of about ±1.96 · .03 / √30 = ±.011, where an
    # unpaired one would be about ±.15.
    noise = np.random.default_rng(3).normal(0, 0.03, 30)
    c = [(p, v + e, v + e) for (p, v, _), e in zip(b, noise, strict=True)]
    found = resamples.difference(resamples.tally(a), resamples.tally(c))
    assert found is not None
    assert found.interval is not None
    assert 0.01 < found.interval[1] - found.interval[0] < 0.035


def test_difference_uses_shared_prompts_alone() -> None:
    resamples = Resamples(["p0", "p1", "p2"])
    a = resamples.tally([("p0", 1.0, 1.0), ("p1", 0.0, 0.0)])
    b = resamples.tally([("p1", 0.5, 0.5), ("p2", 9.0, 9.0)])
    found = resamples.difference(a, b)
    assert found is not None
    assert (found.value, found.prompts, found.interval) == (-0.5, 1, None)
    assert resamples.difference(a, resamples.tally([("p2", 1.0, 1.0)])) is None


def test_unknowns_widen_to_bounds() -> None:
    # Ten prompts, one with an item known only within [0, 1]: mean between 4/10 and 5/10.
    items = [(f"p{i}", float(i < 4), float(i < 5)) for i in range(10)]
    resamples = Resamples(p for p, _, _ in items)
    found = resamples.mean(resamples.tally(items), proportion=True)
    assert found.value is None
    assert (found.low, found.high) == (0.4, 0.5)
    low = resamples.mean(resamples.tally([(p, a, a) for p, a, _ in items]))
    high = resamples.mean(resamples.tally([(p, b, b) for p, _, b in items]))
    assert low.interval is not None
    assert high.interval is not None
    assert found.interval == (low.interval[0], high.interval[1])


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 10), (3, 10), (10, 10), (81, 263)])
def test_wilson_is_that_of_scipy(hits: int, n: int) -> None:
    theirs = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_newcombe() -> None:
    # Newcombe (1998), Table I: 81 of 263 has the interval .2553 to .3662.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_without_spread_gets_wilson_over_prompts(rate: float) -> None:
    items = [(f"p{i % 5}", rate, rate) for i in range(20)]
    resamples = Resamples(p for p, _, _ in items)
    found = resamples.mean(resamples.tally(items), proportion=True)
    assert found.method is Method.WILSON
    assert found.interval == wilson(rate, 5)  # five prompts, not twenty items


def test_no_interval_from_one_prompt_or_without_spread() -> None:
    one = Resamples(["p"])
    assert one.mean(one.tally([("p", 0.2, 0.2), ("p", 0.9, 0.9)])).interval is None
    same = Resamples(["p", "q", "r"])
    flat = same.mean(same.tally((p, 0.1, 0.1) for p in ("p", "q", "r")))
    assert (flat.interval, flat.method) == (None, Method.NONE)


def test_spearman_is_that_of_scipy_with_ties() -> None:
    rng = np.random.default_rng(4)
    x = rng.integers(0, 12, 80).astype(float)
    y = x + rng.integers(0, 9, 80)
    prompts = [f"p{i}" for i in range(80)]
    found = Resamples(prompts).rank_correlation(prompts, x, y)
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)


def test_spearman_resamples_are_those_of_repeated_samples() -> None:
    # Two samples per prompt; each draw must equal scipy on the samples written out again.
    rng = np.random.default_rng(5)
    x = rng.integers(0, 6, 24).astype(float)
    y = rng.integers(0, 6, 24).astype(float)
    prompts = [f"p{i // 2:02}" for i in range(24)]
    resamples = Resamples(prompts, resamples=200)
    found = resamples.rank_correlation(prompts, x, y)
    cluster = np.array([resamples.index[p] for p in prompts])
    draws = []
    for counts in resamples.counts:
        chosen = np.repeat(np.arange(24), counts[cluster].astype(int))
        draws.append(stats.spearmanr(x[chosen], y[chosen]).statistic)
    assert found is not None
    assert found.interval == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))


def test_spearman_of_a_constant_is_none() -> None:
    prompts = ["p", "q", "r"]
    assert Resamples(prompts).rank_correlation(prompts, [1, 1, 1], [1, 2, 3]) is None


def test_draws_depend_on_seed_and_prompts_not_on_order() -> None:
    forward, backward = Resamples(["a", "b", "c"]), Resamples(["c", "b", "a", "a"])
    assert (forward.counts == backward.counts).all()
    assert (Resamples(["a", "b", "c"], seed=1).counts != forward.counts).any()
    assert (forward.counts.sum(axis=1) == 3).all()


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # 200 experiments of 40 prompts with mean .5: 95% nominal; 3 sd of the count are 4.6 points,
    # and the percentile interval is known to fall a point or two short at this size.
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(200):
        items = [(f"p{i}", v, v) for i, v in enumerate(rng.beta(2, 2, 40))]
        resamples = Resamples((p for p, _, _ in items), resamples=400)
        interval = resamples.mean(resamples.tally(items)).interval
        assert interval is not None
        covered += interval[0] <= 0.5 <= interval[1]
    assert 0.88 <= covered / 200 <= 0.99
