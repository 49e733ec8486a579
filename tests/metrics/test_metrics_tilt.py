"""The tilt against closed forms, quadrature and a direct transcription of its definition."""

from __future__ import annotations

import numpy as np
import pytest
from coverage_table import coverage
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from rubricbench.errors import InputError
from rubricbench.metrics import Bootstrap, Samples, walk
from rubricbench.metrics.tilt import Tilted, tilt


def _of(proxy, gold=None):
    proxy = np.asarray(proxy, dtype=float)
    gold = proxy if gold is None else np.asarray(gold, dtype=float)
    ids = np.repeat([f"p{i:04}" for i in range(len(proxy))], proxy.shape[1])
    return Samples.of(ids, proxy.ravel(), gold.ravel())


def _quantiles(count):
    """Midpoints of equal shares: a sample that stands for its distribution, without noise."""
    return (np.arange(count) + 0.5) / count


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=30),
    st.floats(0.05, 50),
)
def test_it_is_the_weighted_mean_of_its_definition(rows, beta):
    proxy, gold = np.array(rows).T
    found = Tilted.of(_of([proxy], [gold])).at(np.array([1 / beta]))
    weight = special.softmax(proxy / beta)
    assert found["gold"][0] == pytest.approx(weight @ gold, abs=1e-9)
    assert found["proxy"][0] == pytest.approx(weight @ proxy, abs=1e-9)
    assert found["ess"][0] == pytest.approx(1 / (weight @ weight), rel=1e-9)
    kl = stats.entropy(weight, np.full(len(weight), 1 / len(weight)))
    assert found["kl"][0] == pytest.approx(kl, abs=1e-9)


@pytest.mark.parametrize("beta", [2.0, 0.5, 0.1, 0.02])
def test_a_uniform_proxy_follows_theorem_1(beta):
    a = 1 / beta
    found = Tilted.of(_of([_quantiles(20_000)])).at(np.array([a]))
    # Chasing the Tail, Theorem 1, in a = 1/β
    kl = a / -np.expm1(-a) - 1 - np.log(np.expm1(a) / a)
    assert found["kl"][0] == pytest.approx(kl, abs=1e-5)
    assert found["gold"][0] == pytest.approx(1 / -np.expm1(-a) - beta, abs=1e-5)


@pytest.mark.parametrize("beta", [2.0, 0.5, 0.1])
def test_a_misspecified_proxy_against_quadrature(beta):
    # Gold u; the proxy is wrong about the best quarter: 2 − c − u above 1 − c, c = 1/4.
    u = _quantiles(20_000)
    proxy = np.where(u <= 0.75, u, 1.75 - u)
    found = Tilted.of(_of([proxy], [u])).at(np.array([1 / beta]))

    def f(x):
        return x if x <= 0.75 else 1.75 - x

    total = integrate.quad(lambda x: np.exp(f(x) / beta), 0, 1, points=[0.75])[0]
    gold = integrate.quad(lambda x: x * np.exp(f(x) / beta), 0, 1, points=[0.75])[0] / total
    assert found["gold"][0] == pytest.approx(gold, abs=1e-5)
    # A rearrangement of the same values: the KL is that of the right proxy.
    right = Tilted.of(_of([u])).at(np.array([1 / beta]))
    assert found["kl"][0] == pytest.approx(right["kl"][0], abs=1e-6)


@pytest.mark.parametrize("a", [0.3, 1.0, 1.5])
def test_a_normal_proxy_moves_by_a_and_costs_half_its_square(a):
    # N(0, 1) tilted by e^{ax} is N(a, 1), at KL a²/2.
    found = Tilted.of(_of([special.ndtri(_quantiles(200_000))])).at(np.array([a]))
    assert found["proxy"][0] == pytest.approx(a, abs=2e-3)
    assert found["kl"][0] == pytest.approx(a * a / 2, abs=2e-3)


def test_without_a_tilt_it_is_the_policy_as_it_is():
    rng = np.random.default_rng(0)
    samples = _of(rng.normal(size=(60, 40)), rng.normal(size=(60, 40)))
    first, weak = tilt(samples, [1e9]).points
    assert first.beta is None
    assert first.gold.estimate == pytest.approx(samples.gold.mean())
    assert (first.kl.estimate, first.gain.estimate, first.ess.estimate) == (0, 0, 40)
    assert weak.gold.estimate == pytest.approx(first.gold.estimate, abs=1e-7)


def test_the_default_grid_begins_at_no_tilt_and_ends_at_the_guard():
    curve = tilt(_of(np.random.default_rng(1).random((100, 256))))
    shown = curve.shown()
    kl = [p.kl.estimate for p in shown]
    assert kl[0] == 0
    assert np.all(np.diff(kl) > 0)
    assert kl[1] < 0.01
    # 1/(2β) · ESS ≈ N for a uniform proxy: 20 effective samples of 256 are left at β ≈ .04.
    assert 0.03 < shown[-1].beta < 0.07
    assert (curve.curves.columns["ess"][:, -1] >= 20).mean() >= 0.9
    stronger = tilt(_of(np.random.default_rng(1).random((100, 256))), [shown[-1].beta / 1.3])
    assert stronger.points[-1].gold.estimate is None
    assert "effective sample size of 20" in stronger.points[-1].kl.reason


def test_a_larger_sample_is_followed_further_whatever_its_relative_ess():
    rng = np.random.default_rng(2)
    ends = [tilt(_of(rng.random((50, n)))).shown()[-1].kl.estimate for n in (64, 512)]
    assert ends[0] < 1 < 2 < ends[1]


def test_levels_stop_at_the_share_of_the_best():
    # 4 equal levels: never beyond log 4, and there the tilt settles instead of going on for ever.
    proxy = np.tile([0, 1, 2, 3], (60, 32))
    last = tilt(_of(proxy)).shown()[-1]
    assert last.kl.estimate == pytest.approx(np.log(4), abs=1e-2)
    assert last.ess.estimate == pytest.approx(32, rel=0.02)


def test_scale_and_shift_of_the_proxy_change_beta_alone():
    rng = np.random.default_rng(3)
    proxy, gold = rng.random((60, 64)), rng.normal(size=(60, 64))
    one, other = tilt(_of(proxy, gold)), tilt(_of(4 * proxy - 8, gold))
    for a, b in zip(one.points[1:], other.points[1:], strict=True):
        assert b.beta == pytest.approx(4 * a.beta)
        assert b.gold.estimate == pytest.approx(a.gold.estimate)
        assert b.kl.estimate == pytest.approx(a.kl.estimate)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_rows_changes_not_a_digit(seed):
    rng = np.random.default_rng(4)
    ids = np.repeat([f"p{i}" for i in range(6)], rng.integers(20, 40, 6))
    proxy, gold = rng.integers(0, 9, len(ids)), rng.normal(size=len(ids))
    order = np.random.default_rng(seed).permutation(len(ids))
    boot = Bootstrap(np.unique(ids), resamples=20)
    one = tilt(Samples.of(ids, proxy, gold), None, boot)
    other = tilt(Samples.of(ids[order], proxy[order], gold[order]), None, boot)
    assert one.points == other.points


def test_small_samples_cannot_show_a_large_kl():
    # Uniform proxy, KL 4 (1/β ≈ 148): 16 samples read about 2.6, and log 16 = 2.77 is the ceiling.
    rng = np.random.default_rng(5)
    a = 148.4
    truth = a / -np.expm1(-a) - 1 - (a + np.log1p(-np.exp(-a)) - np.log(a))
    assert truth == pytest.approx(4, abs=0.01)
    found = Tilted.of(_of(rng.random((4_000, 16)))).at(np.full(4_000, a))
    assert found["kl"].mean() == pytest.approx(2.6, abs=0.1)
    assert (found["kl"] <= np.log(16)).all()
    curve = tilt(_of(rng.random((50, 16))), [1 / a])
    assert [p.beta for p in curve.shown()] == [None]
    assert curve.ceiling.estimate == pytest.approx(np.log(16))


def test_the_estimated_bias_is_about_the_bias():
    # N(0, 1), N = 128, 1/β = 1: truth 1 and 1/2.
    rng = np.random.default_rng(6)
    found = Tilted.of(_of(rng.normal(size=(5_000, 128)))).at(np.ones(5_000))
    bias = {"gold": found["gold"].mean() - 1, "kl": found["kl"].mean() - 0.5}
    for name, value in bias.items():
        assert found[f"bias of {name}"].mean() == pytest.approx(value, rel=0.4)
        assert value < 0


def test_a_bias_beyond_half_a_standard_error_is_said():
    rng = np.random.default_rng(7)
    many = tilt(_of(rng.normal(size=(2_000, 64))), [1.2]).points[1]
    few = tilt(_of(rng.normal(size=(25, 64))), [2.5]).points[1]
    assert "bias" in {c.code for c in many.gold.warnings}
    assert "bias" not in {c.code for c in few.gold.warnings}


def test_the_interval_allows_for_the_bias_and_holds_the_estimate():
    # N(0, 1), 1/β = 1: truth 1. Of 3,000 prompts the bias is far more than the standard error.
    curve = tilt(_of(np.random.default_rng(10).normal(size=(3_000, 128))), [1.0])
    gold, kl = curve.points[1].gold, curve.points[1].kl
    column = curve.curves.columns["gold"][:, 1]
    assert gold.estimate == pytest.approx(column.mean())
    assert gold.estimate + 3 * column.std() / np.sqrt(3_000) < 1 <= gold.high
    assert gold.low <= gold.estimate
    assert kl.low <= kl.estimate < 0.5 <= kl.high


def test_prompts_with_fewer_than_20_samples_are_left_out_of_the_whole_curve():
    rng = np.random.default_rng(8)
    ids = np.repeat([f"p{i:02}" for i in range(40)], [64] * 38 + [10] * 2)
    curve = tilt(Samples.of(ids, rng.random(len(ids)), rng.random(len(ids))))
    assert {p.gold.n for p in curve.points} == {38}
    assert "2 of 40 prompts have fewer than 20 samples" in curve.cautions[0].text
    assert curve.samples == (64, 64)


@pytest.mark.parametrize(
    ("proxy", "codes"),
    [
        (np.zeros((3, 30)), {"constant", "few_prompts"}),
        (np.random.default_rng(9).random((1, 64)), {"one_prompt"}),
        (np.random.default_rng(9).random((60, 1)), {"low_ess"}),
    ],
)
def test_poor_samples_give_what_can_be_had_and_say_what_is_wrong(proxy, codes):
    curve = tilt(_of(proxy))
    assert codes <= {c.code for r in walk(curve) for c in r.warnings}
    assert curve.points[0].gold.estimate == pytest.approx(proxy.mean())


@pytest.mark.parametrize("grid", [[0.0], [-1.0], [], [float("nan")]])
def test_a_beta_that_is_none_is_refused(grid):
    with pytest.raises(InputError, match="positive numbers"):
        tilt(_of([[0, 1], [1, 0]]), grid)


def test_intervals_cover_gold_under_the_tilt():
    # Uniform proxy at β = 1/4: gold = proxy + prompt effect + noise, so Theorem 1's mean.
    a = 4.0
    truth = {
        "gold": 1 / -np.expm1(-a) - 1 / a,
        "kl": a / -np.expm1(-a) - 1 - np.log(np.expm1(a) / a),
    }

    def draw(rng):
        proxy = rng.random((60, 128))
        return _of(proxy, proxy + rng.normal(size=(60, 1)) * 0.1 + rng.normal(size=proxy.shape))

    def last(samples):
        point = tilt(samples, [1 / a], Bootstrap(samples.prompts, resamples=0)).points[-1]
        return {"gold": point.gold, "kl": point.kl}

    found = coverage("", simulate=draw, estimate=last, truth=truth, draws=120, show=False)
    for one in found.values():
        assert abs(one.share - 0.95) < 4 * 0.0199  # √(.95 · .05 / 120)
