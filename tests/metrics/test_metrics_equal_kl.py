"""Equal KL: solved to rounding, against closed forms, and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from coverage_table import coverage
from scipy import optimize

from rubricbench.errors import InputError
from rubricbench.metrics import Bootstrap, Samples
from rubricbench.metrics.equal_kl import compare_at_equal_kl, inverse_beta_at, tilt_at_kl
from rubricbench.metrics.tilt import Tilted


def _of(proxy, gold=None, first=0):
    proxy = np.asarray(proxy, dtype=float)
    gold = proxy if gold is None else np.asarray(gold, dtype=float)
    ids = np.repeat([f"p{i + first:04}" for i in range(len(proxy))], proxy.shape[1])
    return Samples.of(ids, proxy.ravel(), gold.ravel())


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
@pytest.mark.parametrize("shape", ["uniform", "normal", "levels", "heavy"])
def test_every_prompt_has_the_kl_that_was_asked_for(shape, scale):
    rng = np.random.default_rng(0)
    proxy = {
        "uniform": rng.random((30, 64)),
        "normal": rng.normal(size=(30, 64)),
        "levels": rng.integers(0, 5, (30, 64)),
        "heavy": rng.standard_t(2, (30, 64)),
    }[shape]
    tilted = Tilted.of(_of(proxy * scale))
    for kl in (0.01, 0.3, 1.0):
        found = inverse_beta_at(tilted, np.array([kl]))[:, 0]
        np.testing.assert_allclose(tilted.at(found)["kl"], kl, rtol=1e-9)


def test_the_strength_is_the_root_that_a_library_finds():
    tilted = Tilted.of(_of(np.random.default_rng(1).normal(size=(1, 50))))
    root = optimize.brentq(lambda a: tilted.at(np.array([a]))["kl"][0] - 0.7, 0, 50, xtol=1e-13)
    assert inverse_beta_at(tilted, np.array([0.7]))[0, 0] == pytest.approx(root, rel=1e-9)


@pytest.mark.parametrize(("kl", "gold"), [(0.5, 0.7737), (1.0, 0.8646), (2.0, 0.9502)])
def test_a_perfect_proxy_reaches_the_win_rates_of_theorem_1(kl, gold):
    # The paper's map "identity", to 4 decimals; samples at the midpoints of equal shares.
    grid = (np.arange(5_000) + 0.5) / 5_000
    point = tilt_at_kl(_of([grid]), [kl]).points[-1]
    assert point.gold.estimate == pytest.approx(gold, abs=5e-4)


@pytest.mark.parametrize(("kl", "gold"), [(0.5, 0.7462), (1.0, 0.8035), (2.0, 0.7975)])
def test_wrong_about_the_best_quarter_it_falls_short_of_them(kl, gold):
    u = (np.arange(5_000) + 0.5) / 5_000
    point = tilt_at_kl(_of([np.where(u <= 0.75, u, 1.75 - u)], [u]), [kl]).points[-1]
    assert point.gold.estimate == pytest.approx(gold, abs=5e-4)


def test_scale_and_shift_of_a_prompts_proxy_do_not_matter():
    rng = np.random.default_rng(2)
    proxy, gold = rng.random((60, 64)), rng.normal(size=(60, 64))
    other = proxy * rng.uniform(0.1, 10, (60, 1)) + rng.normal(size=(60, 1))
    for a, b in zip(
        tilt_at_kl(_of(proxy, gold)).points, tilt_at_kl(_of(other, gold)).points, strict=True
    ):
        assert (a.gold.estimate is None) == (b.gold.estimate is None)
        if a.gold.estimate is not None:
            assert b.gold.estimate == pytest.approx(a.gold.estimate)


def test_a_kl_beyond_the_samples_is_withheld():
    points = tilt_at_kl(_of(np.random.default_rng(3).random((60, 64))), [0.5, 3.0]).points
    assert [p.gold.estimate is None for p in points] == [False, False, True]
    assert "effective sample size of 20" in points[-1].gold.reason


def test_prompts_that_cannot_go_so_far_are_left_out_of_the_whole_curve():
    proxy = np.random.default_rng(4).random((40, 64))
    proxy[0] = 1  # a constant proxy tilts nothing
    curve = tilt_at_kl(_of(proxy), [0.5])
    assert {p.gold.n for p in curve.points} == {39}
    assert "1 of 40 prompts do not reach every KL shown" in curve.cautions[0].text


def test_all_proxies_constant_leaves_the_mean():
    points = tilt_at_kl(_of(np.ones((30, 64)), np.full((30, 64), 0.25)), [1.0]).points
    assert (points[0].gold.estimate, points[1].gold.estimate) == (0.25, None)


def test_arms_are_paired_and_a_reward_in_other_units_is_the_same_reward():
    rng = np.random.default_rng(5)
    gold = rng.normal(size=(60, 128))
    noisy = gold + rng.normal(size=gold.shape)
    arms = {"exact": _of(gold, gold), "percent": _of(100 * gold, gold), "noisy": _of(noisy, gold)}
    found = compare_at_equal_kl(arms, [0.25, 0.5])
    assert found.kl == (0, 0.25, 0.5)
    same, worse = found.differences["exact - percent"], found.differences["exact - noisy"]
    assert all(abs(r.estimate) < 1e-9 for r in same)
    # Both reach the same KL; of the noisy one's shift only corr = 1/√2 is in gold.
    assert worse[2].low > 0
    assert worse[2].high - worse[2].low < 0.3
    assert worse[2].n == 60
    assert worse[2].estimate == pytest.approx(
        found.gold["exact"][2].estimate - found.gold["noisy"][2].estimate
    )


def test_prompts_that_not_every_arm_has_are_left_out_and_counted():
    rng = np.random.default_rng(6)
    a, b = _of(rng.random((50, 64))), _of(rng.random((50, 64)), first=5)
    found = compare_at_equal_kl({"a": a, "b": b}, [0.5])
    assert found.differences["a - b"][1].n == 45
    assert "10 of 55 prompts are not in every arm" in found.cautions[0].text
    assert found.gold["a"][0].estimate == pytest.approx(a.gold[5 * 64 :].mean())


def test_arms_that_each_fail_another_tenth_are_not_compared_on_what_is_left():
    # Ten prompts, each constant in the proxy of one arm: every arm supports nine in ten at 1 nat,
    # all arms together none.
    rng = np.random.default_rng(8)
    gold = rng.random((10, 100))
    arms = {}
    for i in range(10):
        proxy = rng.random((10, 100))
        proxy[i] = 0.0
        arms[f"arm {i}"] = _of(proxy, gold)
    assert tilt_at_kl(arms["arm 0"], [1.0]).points[-1].gold.n == 9
    found = compare_at_equal_kl(arms, [1.0])
    assert all("in every arm" in results[1].reason for results in found.differences.values())
    pair = compare_at_equal_kl({name: arms[name] for name in list(arms)[:2]}, [1.0])
    assert pair.gold["arm 0"][1].estimate is None  # eight in ten
    assert pair.gold["arm 0"][0].n == 10


def test_a_bias_that_arms_share_cancels_in_their_difference():
    rng = np.random.default_rng(7)
    gold = rng.normal(size=(800, 64))
    found = compare_at_equal_kl({"a": _of(gold), "b": _of(2 * gold, gold)}, [0.4])
    assert "bias" in {c.code for c in found.gold["a"][1].warnings}
    assert "bias" not in {c.code for c in found.differences["a - b"][1].warnings}


def test_a_prompt_of_few_samples_is_left_out_as_in_the_tilt():
    rng = np.random.default_rng(8)
    ids = np.repeat([f"p{i:02}" for i in range(40)], [64] * 39 + [10])
    curve = tilt_at_kl(Samples.of(ids, rng.random(len(ids)), rng.random(len(ids))), [0.3])
    assert {p.gold.n for p in curve.points} == {39}


def test_input_that_cannot_be_compared_is_refused():
    a, b = _of([[0, 1], [1, 2]]), _of([[0, 1], [1, 2]], first=10)
    with pytest.raises(InputError, match="share no prompt"):
        compare_at_equal_kl({"a": a, "b": b})
    with pytest.raises(InputError, match="no arm"):
        compare_at_equal_kl({})
    for grid in ([-1.0], [float("inf")], []):
        with pytest.raises(InputError, match="give nats"):
            tilt_at_kl(a, grid)


def test_intervals_cover_gold_at_one_nat():
    # Uniform proxy; gold = proxy + prompt effect + noise: the identity's .8646 at KL 1.
    def draw(rng):
        proxy = rng.random((60, 128))
        return _of(proxy, proxy + 0.2 * rng.normal(size=(60, 1)) + rng.normal(size=proxy.shape))

    def last(samples):
        return tilt_at_kl(samples, [1.0], Bootstrap(samples.prompts, resamples=0)).points[-1].gold

    found = coverage("", simulate=draw, estimate=last, truth=0.8646, draws=80, show=False)[""]
    assert abs(found.share - 0.95) < 4 * 0.0244  # √(.95 · .05 / 80)
