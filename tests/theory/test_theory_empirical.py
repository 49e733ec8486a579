"""Predictions from samples: known worlds, brute force, invariances, ties, and what is withheld."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats
from theory_worlds import MAP, NORMAL, RUBRIC, WORLDS

from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Method, walk
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tilt import Tilted
from rubricbench.theory import theorem
from rubricbench.theory.empirical import predict
from rubricbench.theory.estimated import THRESHOLDS, estimated_map, tail_error
from rubricbench.theory.maps import IDENTITY, Misspecification, top_wrong, worst_wrong
from rubricbench.theory.optimum import ExactTilt, Moments, RankTilt
from rubricbench.theory.proposition import Discrete, tilt
from rubricbench.theory.ranks import quantiles, tied_pairs, wins


def of(proxies, golds):
    """Return samples of prompts given as rows."""
    ids = np.concatenate([[f"p{i}"] * len(row) for i, row in enumerate(proxies)])
    return Samples.of(ids, np.concatenate(proxies), np.concatenate(golds))


ROWS = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9),
    min_size=1,
    max_size=4,
)


def from_rows(rows):
    return of([[p / 4 for p, _ in row] for row in rows], [[g / 4 for _, g in row] for row in rows])


# -- ranks


@given(ROWS)
def test_quantiles_against_scipy_ranks(rows):
    samples = from_rows(rows)
    expected = samples.each(
        lambda s: (stats.rankdata(samples.gold[s]) - 0.5) / len(samples.gold[s])
    )
    np.testing.assert_allclose(quantiles(samples, samples.gold), np.concatenate(expected))


@given(ROWS)
def test_wins_are_games_against_the_other_samples(rows):
    samples = from_rows(rows)
    expected = []
    for row in rows:
        gold = [g for _, g in row]
        for i, mine in enumerate(gold):
            games = [(mine > g) + (mine == g) / 2 for j, g in enumerate(gold) if j != i]
            expected.append(sum(games) / len(games))
    np.testing.assert_allclose(wins(samples), expected)
    np.testing.assert_allclose(samples.means(wins(samples)), 0.5)


def test_the_share_of_tied_pairs_by_hand():
    # 1 1 1 2: three of six pairs tie
    samples = of([[1, 1, 1, 2]], [[1, 2, 3, 4]])
    assert tied_pairs(samples, samples.proxy).tolist() == [0.5]


# -- the exact tilt


@given(ROWS, st.floats(0, 6))
def test_without_the_correction_it_is_proposition_1_on_the_samples(rows, strength):
    samples = from_rows(rows)
    found = Moments(samples, corrected=False).at(strength)
    for i, row in enumerate(rows):
        # Proposition 1 with one value a sample; the proxy of each stands beside it, so that the
        # map is a look-up. The win rate there counts the sample itself: N·U − ½ of N − 1 others.
        n = len(row)
        proxy = np.array([p / 4 for p, _ in row])
        w = np.exp(proxy * strength)
        w /= w.sum()
        gold = np.array([g / 4 for _, g in row])
        u = (stats.rankdata(gold) - 0.5) / n
        assert found["gold"][i] == pytest.approx(w @ gold, abs=1e-12)
        assert found["win"][i] == pytest.approx(w @ ((n * u - 0.5) / (n - 1)), abs=1e-12)
        assert found["kl"][i] == pytest.approx(w @ np.log(w * n), abs=1e-10)
        assert found["ess"][i] == pytest.approx(1 / (w @ w), rel=1e-12)


def test_a_proxy_that_is_a_function_of_gold_gives_the_proposition_of_that_map():
    rng = np.random.default_rng(3)
    gold = rng.random(500)
    samples = of([top_wrong(0.25)(gold)], [gold])
    found = Moments(samples, corrected=False).at(5.0)
    expected = tilt(top_wrong(0.25), Discrete.sampled(gold), 0.2)
    assert found["kl"][0] == pytest.approx(expected.kl.estimate, abs=1e-10)
    assert found["gold"][0] == pytest.approx(expected.gold.estimate, abs=1e-12)
    win = (500 * expected.win_rate.estimate - 0.5) / 499
    assert found["win"][0] == pytest.approx(win, abs=1e-12)


def test_the_metric_of_the_same_name_agrees():
    samples = RUBRIC.samples(1, 5, 100)
    theirs = Tilted.of(samples).at(np.full(5, 7.0))
    ours = Moments(samples, corrected=False).at(7.0)
    for name in ("kl", "gold", "ess"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-10)


def test_the_correction_removes_the_bias_of_small_samples():
    # Uniform gold, perfect proxy, β = .25: Theorem 1 has KL .4768…, gold and win rate .7687… .
    # Mean over 8,000 prompts of 40 samples: standard errors are below .0008.
    rng = np.random.default_rng(4)
    gold = rng.random((8_000, 40))
    samples = of(gold, gold)
    truth = {"kl": theorem.kl(0.25), "gold": theorem.ideal_win_rate(0.25)}
    truth["win"] = truth["gold"]
    plain, corrected = (Moments(samples, c).at(4.0) for c in (False, True))
    for name, value in truth.items():
        left, before = (abs(float(m[name].mean()) - value) for m in (corrected, plain))
        assert left < 0.0025
        assert left < 0.4 * before


def test_each_kl_is_met_and_each_beta_is_the_one():
    samples = NORMAL.samples(0, 40, 400)
    exact = ExactTilt(samples, (0.2, 0.7))
    for kl, at in zip((0.2, 0.7), exact.at_each(), strict=True):
        moments = Moments(samples).at(1 / at.beta)
        assert moments["kl"].mean() == pytest.approx(kl, abs=1e-9)
        draws = exact.replicates(Bootstrap(samples.prompts, resamples=20))
        column = (0.2, 0.7).index(kl)
        assert draws["gold"].point[0, column] == pytest.approx(moments["gold"].mean(), abs=1e-9)
        assert draws["beta"].point[0, column] == pytest.approx(at.beta, rel=1e-9)


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_known_worlds_are_predicted(world):
    found = predict(world.samples(5, 150, 400), (0.5, 1.0), resamples=50)
    for at in found.at:
        gold, win = world.truth(at.kl)
        for result, truth in ((at.gold, gold), (at.win_rate, win)):
            half = (result.high - result.low) / 2
            assert abs(result.estimate - truth) < 2 * half  # four standard errors
        if world is not RUBRIC:  # ranks break ties at random, which is another policy
            half = (at.rank_win_rate.high - at.rank_win_rate.low) / 2
            assert abs(at.rank_win_rate.estimate - win) < 2 * half


# -- ranks by Theorem 1


def test_rank_weights_are_those_of_theorem_1():
    # Without the corrections of order 1/N, a perfect proxy on a grid is Theorem 1's integral.
    gold = (np.arange(4000) + 0.5) / 4000
    for kl in (0.0, 0.5, 2.0, 4.0):
        found, at = RankTilt(of([gold], [gold])).at(kl)
        assert found["gold"][0] == pytest.approx(theorem.ideal_win_rate(at.beta), abs=1e-3)
    for map_ in (top_wrong(0.25), worst_wrong(0.5)):
        found, at = RankTilt(of([map_(gold)], [gold])).at(1.0)
        assert found["gold"][0] == pytest.approx(theorem.win_rate(map_, at.beta), abs=1e-3)


@given(ROWS, st.floats(0.01, 0.2))
def test_ranks_see_only_the_order_of_the_proxy(rows, kl):
    samples = from_rows(rows)
    moved = Samples.of(
        samples.prompts[samples.of_prompt], np.exp(3 * samples.proxy) - 7, samples.gold
    )
    before, after = RankTilt(samples).at(kl)[0], RankTilt(moved).at(kl)[0]
    for name in ("gold", "win"):
        np.testing.assert_allclose(after[name], before[name], atol=1e-12)


# -- the tail error curve and the map


@given(ROWS)
def test_tail_error_against_counting(rows):
    samples = from_rows(rows)
    boot = Bootstrap(samples.prompts, resamples=5)
    for q, point in zip(THRESHOLDS, tail_error(samples, boot), strict=True):
        errors = []
        for row in rows:
            u = (stats.rankdata([g for _, g in row]) - 0.5) / len(row)
            above = [(p, g) for (p, g), v in zip(row, u, strict=True) if v >= q - 1e-9]
            pairs = [(a, b) for a, b in itertools.combinations(above, 2) if a[1] != b[1]]
            wrong = [0.5 if a[0] == b[0] else (a[0] < b[0]) != (a[1] < b[1]) for a, b in pairs]
            errors += [sum(wrong) / len(wrong)] if wrong else []
        if errors:
            assert point.error.estimate == pytest.approx(np.mean(errors), abs=1e-12)
        else:
            assert "differ in gold" in point.error.reason


def test_tail_error_of_a_map_has_a_closed_form():
    # Both in the reversed top c, of pairs above q: (c/(1−q))², and 1 from q = 1 − c on.
    gold = (np.arange(2000) + 0.5) / 2000
    samples = of([top_wrong(0.25)(gold)], [gold])
    for point in tail_error(samples, Bootstrap(samples.prompts)):
        expected = min(1.0, (0.25 / (1 - point.above)) ** 2)
        assert point.error.estimate == pytest.approx(expected, abs=2e-3)


def test_the_overall_error_is_kendalls_tau():
    # Without ties τ = 1 − 2·(share of misordered pairs).
    rng = np.random.default_rng(6)
    proxy, gold = rng.random((2, 300))
    samples = of([proxy], [gold])
    error = tail_error(samples, Bootstrap(samples.prompts))[0].error.estimate
    assert error == pytest.approx((1 - stats.kendalltau(proxy, gold).statistic) / 2, abs=1e-12)


def test_the_map_of_a_map():
    gold = np.tile((np.arange(1000) + 0.5) / 1000, (3, 1))
    samples = of(worst_wrong(0.5)(gold), gold)
    for point in estimated_map(samples, Bootstrap(samples.prompts)):
        middle = (point.low + point.high) / 2
        expected = 0.5 - middle if middle < 0.5 else middle
        assert point.proxy_quantile.estimate == pytest.approx(expected, abs=1e-9)


# -- the whole


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(ROWS, st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(rows, seed):
    samples = from_rows(rows)
    order = np.random.default_rng(seed).permutation(samples.size)
    ids = samples.prompts[samples.of_prompt]
    again = Samples.of(ids[order], samples.proxy[order], samples.gold[order])
    same = predict(samples, (0, 0.1), resamples=20) == predict(again, (0, 0.1), resamples=20)
    assert same


def test_every_figure_is_a_result_or_says_why():
    found = predict(MAP.samples(2, 12, 30), (0, 0.1, 3), resamples=50)
    for result in walk(found):
        assert result.estimate is None or math.isfinite(result.estimate)
        assert (result.estimate is None) == bool(result.reason)
    assert found.at[0].win_rate.estimate == pytest.approx(0.5)
    assert found.at[1].win_rate.interval is not None
    assert found.at[2].win_rate.estimate is None


def test_what_the_samples_cannot_carry_is_withheld():
    # At KL 2 Theorem 1's β is .0498, so N samples count for about 2βN: 200 are just not enough,
    # 300 are.
    few = predict(MAP.samples(0, 20, 180), (2.0,), resamples=20).at[0]
    assert "effective sample size" in few.rank_win_rate.reason
    assert predict(MAP.samples(0, 20, 300), (2.0,), resamples=20).at[0].rank_win_rate.interval


def test_ties_end_the_kl_and_are_said():
    # Two levels, one half each: no tilt goes beyond log 2.
    rng = np.random.default_rng(7)
    proxy = np.tile([0.0, 1.0], (60, 100))
    samples = of(proxy, rng.random(proxy.shape))
    found = predict(samples, (0.3, 1.0), resamples=50)
    assert found.kl_ceiling.estimate == pytest.approx(math.log(2))
    assert found.at[0].win_rate.estimate is not None
    assert found.at[1].win_rate.estimate is None
    assert found.proxy_ties.estimate == pytest.approx(99 / 199)  # 2·C(100,2) of C(200,2)
    assert "ties" in {c.code for c in found.cautions}
    assert "ties" in {c.code for c in found.at[0].rank_win_rate.warnings}
    assert "ties" not in {c.code for c in found.at[0].win_rate.warnings}


def test_a_proxy_that_never_varies_optimises_nothing():
    rng = np.random.default_rng(8)
    samples = of(np.ones((30, 50)), rng.random((30, 50)))
    found = predict(samples, (0, 1), resamples=50)
    assert found.at[0].win_rate.estimate == pytest.approx(0.5)
    assert found.at[1].win_rate.estimate is None
    assert found.tail_error[0].error.estimate == 0.5


def test_prompts_with_a_single_sample_are_left_out_and_counted():
    several, single = MAP.samples(0, 10, 30), [[0.5], [0.7]]
    ids = np.append(several.prompts[several.of_prompt], ["x", "y"])
    samples = Samples.of(
        ids, np.append(several.proxy, single[0] * 2), np.append(several.gold, single[1] * 2)
    )
    found = predict(samples, (0.1,), resamples=20)
    assert "2 prompts" in next(c.text for c in found.cautions if c.code == "left_out")
    assert found.at[0].win_rate.n == 10
    with pytest.raises(InputError, match="single sample"):
        predict(of(single, single), (1,))


def test_a_single_prompt_has_no_interval():
    found = predict(MAP.samples(0, 1, 200), (0.5,), resamples=20).at[0].win_rate
    assert found.interval is None
    assert "one_prompt" in {c.code for c in found.warnings}


def test_a_negative_kl_is_refused():
    with pytest.raises(InputError, match="KL"):
        predict(MAP.samples(0, 3, 30), (-1.0,))


def test_seeds_decide_the_bootstrap():
    samples = MAP.samples(0, 30, 60)
    one, two, again = (
        predict(samples, (0.3,), seed=s, resamples=100, interval=Method.PERCENTILE).at[0]
        for s in (1, 2, 1)
    )
    assert one == again
    assert one.win_rate.low != two.win_rate.low
    assert one.win_rate.estimate == two.win_rate.estimate


def test_intervals_cover_in_a_small_simulation():
    # 120 draws of 50 prompts: of a true coverage of 95%, fewer than 104 hits are 4 standard errors
    # (√(120·.95·.05) = 2.4) away; at a true 80% they are expected. The long run is cover_theory.py.
    hits = {"gold": 0, "win": 0, "rank": 0}
    gold, win = NORMAL.truth(0.5)
    for seed in range(120):
        samples = NORMAL.samples(1000 + seed, 50, 96)
        boot = Bootstrap(samples.prompts, resamples=2)
        draws = ExactTilt(samples, (0.5,)).replicates(boot)
        draws["rank"] = boot.means(RankTilt(samples).at(0.5)[0]["win"])
        for name, truth in (("gold", gold), ("win", win), ("rank", win)):
            low, high = draws[name].interval(Method.T)
            hits[name] += bool(low[0] <= truth <= high[0])
    assert all(h >= 104 for h in hits.values()), hits


def test_the_perfect_reward_is_the_ceiling():
    found = predict(of(*[np.random.default_rng(9).random((80, 300))] * 2), (0.5, 1.0), resamples=50)
    for at in found.at:
        assert at.perfect.estimate == pytest.approx(
            theorem.win_rate(IDENTITY, theorem.beta_at(at.kl))
        )
        assert at.win_rate.estimate == pytest.approx(at.perfect.estimate, abs=0.004)


def test_noise_flattens_the_map_but_not_a_map_of_noise():
    constant = Misspecification("constant", lambda r: np.zeros_like(r))
    gold = np.random.default_rng(10).random((40, 100))
    samples = of(constant(gold), gold)
    for point in estimated_map(samples, Bootstrap(samples.prompts)):
        assert point.proxy_quantile.estimate == pytest.approx(0.5)
