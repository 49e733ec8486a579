from __future__ import annotations

import math

import numpy as np
import pytest
from cover import BENT, LINE
from scipy import optimize, stats

from rubricbench.certify.bridge import Form, learn, transport, unseen
from rubricbench.certify.measure import Prompts, t_quantile
from rubricbench.errors import InputError


def ids(count: int, per: int = 1, name: str = "p") -> list[str]:
    return [f"{name}{i // per:03d}" for i in range(count)]


def test_a_line_is_found_exactly():
    a = np.linspace(0, 1, 20)
    bridge = learn(a, 0.2 + 0.5 * a, Prompts(ids(20)))
    assert bridge.fit.coefficients == pytest.approx([0.2, 0.5])
    assert bridge.residual_sd == pytest.approx(0, abs=1e-12)
    assert bridge.map(np.array([0.4])) == pytest.approx([0.4])


def test_scores_out_of_range_are_mapped_as_the_nearest_seen_and_counted():
    a = np.linspace(0.2, 0.8, 20)
    bridge = learn(a, a, Prompts(ids(20)))
    scores = np.array([-1.0, 0.2, 0.5, 0.8, 3.0])
    assert bridge.map(scores) == pytest.approx([0.2, 0.2, 0.5, 0.8, 0.8])
    assert bridge.outside(scores) == 2


def test_the_line_is_the_least_squares_one_of_scipy():
    a, b, prompts = LINE.draw(np.random.default_rng(0), 40, 3, "p")
    oracle = stats.linregress(a, b)
    bridge = learn(a, b, prompts)
    assert bridge.fit.coefficients == pytest.approx([oracle.intercept, oracle.slope])
    predicted = oracle.intercept + oracle.slope * a
    assert bridge.residual_sd == pytest.approx(math.sqrt(np.sum((b - predicted) ** 2) / (120 - 2)))


def test_the_monotone_map_is_the_isotonic_regression_of_scipy():
    a, b, prompts = BENT.draw(np.random.default_rng(1), 50, 2, "p")
    bridge = learn(a, b, prompts, Form.MONOTONE)
    scores, of, sizes = np.unique(a, return_inverse=True, return_counts=True)
    means = np.bincount(of, b) / sizes
    oracle = optimize.isotonic_regression(means, weights=sizes)
    assert bridge.map(scores) == pytest.approx(oracle.x)
    assert (np.diff(bridge.map(np.linspace(0, 1, 200))) >= -1e-12).all()


def test_a_monotone_map_is_interpolated_between_its_levels():
    a = np.repeat([0.0, 1.0], 10)
    bridge = learn(a, a, Prompts(ids(20)), Form.MONOTONE)
    assert bridge.map(np.array([0.0, 0.25, 1.0])) == pytest.approx([0, 0.25, 1])


def test_a_level_of_one_response_is_not_taken_for_certain():
    # Scores rise with a, so each is a level of its own but for what noise puts together.
    a = np.arange(20.0)
    b = a + np.tile([0.0, 1.5], 10)
    bridge = learn(a, b, Prompts(ids(20)), Form.MONOTONE)
    low, high = bridge.curve(a)
    least = 2 * t_quantile(19) * bridge.residual_sd / np.sqrt(bridge.sizes.max())
    assert (high - low > least - 1e-12).all()


def test_falling_scores_make_one_level():
    a = np.linspace(0, 1, 12)
    with pytest.raises(InputError) as caught:
        learn(np.ones(12), a, Prompts(ids(12)), Form.MONOTONE)
    assert "one score to all" in str(caught.value)
    bridge = learn(a, 1 - a, Prompts(ids(12)), Form.MONOTONE)
    assert bridge.map(np.array([0.0, 1.0])) == pytest.approx([0.5, 0.5])


def test_the_bridged_mean_of_the_rows_it_was_learnt_on_is_their_mean():
    a, b, prompts = BENT.draw(np.random.default_rng(2), 40, 2, "p")
    for form in Form:
        found = learn(a, b, prompts, form).mean(a, prompts)
        assert found.value == pytest.approx(b.mean())
        assert found.low < b.mean() < found.high


def test_most_single_scores_lie_in_the_band():
    rng = np.random.default_rng(3)
    bridge = learn(*LINE.draw(rng, 200, 3, "p"))
    a, b, _ = LINE.draw(rng, 400, 3, "q")
    low, high = bridge.band(a)
    assert 0.93 < ((low <= b) & (b <= high)).mean() < 0.97  # sd of a share of 400 prompts: .011
    curve = bridge.curve(a)
    assert ((low < curve[0]) & (curve[1] < high)).all()


def test_too_few_rows_are_said_in_a_line():
    with pytest.raises(InputError, match="9 responses to 9 prompts were graded by both judges"):
        learn(np.arange(9.0), np.arange(9.0), Prompts(ids(9)))


def test_transport_finds_the_generator_the_bridge_misplaces():
    # Judge B likes the responses of one generator .2 better than those of the others.
    rng = np.random.default_rng(4)
    prompt_ids = np.array(ids(400, 4))
    generators = np.array(["x", "y", "z", "favourite"] * 100)
    a = rng.random(400)
    b = 0.1 + 0.8 * a + 0.2 * (generators == "favourite") + rng.normal(0, 0.05, 400)
    found = transport(a, b, prompt_ids, generators, Form.LINEAR)
    # Without the favourite the bridge knows nothing of its bonus; with it, one in three has it.
    assert found.errors["favourite"].value == pytest.approx(-0.2, abs=0.02)
    assert found.errors["x"].value == pytest.approx(0.2 / 3, abs=0.02)
    assert found.sd == pytest.approx(math.sqrt((0.04 + 3 * (0.2 / 3) ** 2) / 4), abs=0.02)


def test_generators_alike_show_no_spread_beyond_sampling():
    rng = np.random.default_rng(5)
    a = rng.random(900)
    b = a + rng.normal(0, 0.1, 900)
    generators = np.array(["x", "y", "z"] * 300)
    found = transport(a, b, np.array(ids(900, 3)), generators, Form.LINEAR)
    assert found.sd < 0.01
    assert all(error.low < 0 < error.high for error in found.errors.values())


def test_an_unseen_generator_has_the_wider_interval():
    rng = np.random.default_rng(6)
    prompt_ids, a = np.array(ids(300, 3)), rng.random(300)
    generators = np.array(["x", "y", "z"] * 100)
    b = a + np.array([0, 0.1, 0.2] * 100) + rng.normal(0, 0.05, 300)
    bridge = learn(a, b, Prompts(prompt_ids))
    found = transport(a, b, prompt_ids, generators, Form.LINEAR)
    plain = bridge.mean(a[:50], Prompts(prompt_ids[:50]))
    wide = unseen(plain, found)
    half = (wide.high - wide.low) / 2
    # The plain half width and t(.975, 3) spreads between generators, at a right angle.
    expected = math.hypot((plain.high - plain.low) / 2, 3.182446 * found.sd)
    assert half == pytest.approx(expected)


def test_two_generators_do_not_say_how_far_a_third_may_be():
    rng = np.random.default_rng(7)
    a = rng.random(100)
    found = transport(a, a, np.array(ids(100, 2)), np.array(["x", "y"] * 50), Form.LINEAR)
    assert found.sd is None
