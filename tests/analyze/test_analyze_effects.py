"""What moves a reward and not gold: worlds in which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rubricbench.analyze.claims import APPENDED, PHRASES, claims
from rubricbench.analyze.effects import (
    claim_effects,
    exploitation,
    feature_effects,
    null_responder,
    spread_within,
    uplift,
)
from rubricbench.analyze.features import FEATURES, features
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.samples import Samples

P, N = 40, 30


def world(reward, seed: int = 0):
    """Samples with gold and length, independent; the reward is a function of both."""
    rng = np.random.default_rng(seed)
    gold, length = rng.normal(size=(2, P * N))
    ids = np.repeat([f"p{i:02}" for i in range(P)], N)
    samples = Samples.of(ids, reward(gold, length), gold, length=length)
    return samples, Bootstrap(samples.prompts, resamples=200)


def test_features_are_counted_by_hand():
    text = "# Title\n\n- **one**\n- two\n\n1. three!\n\n```\ncode\n```\n| a | b |\nend"
    found = {name: values[0] for name, values in features([text]).items()}
    assert found == {
        "words": 17,  # "#" and "-" and "|" are words of white space
        "paragraphs": 4,
        "list items": 3,
        "bullets": 2,
        "headings": 1,
        "bold": 1,
        "code blocks": 1,
        "table rows": 1,
        "exclamations": 1,
    }
    assert all(values[0] == 0 for values in features([""]).values())
    assert set(found) == set(FEATURES)


def test_claims_are_found_as_words_in_any_case():
    texts = [
        "I am  CERTAIN of it.",
        "This is the best answer.",
        "I’m sure the best answers differ",
        "i have verified it",
        "plain",
    ]
    found = claims(texts)
    assert found["certainty"].tolist() == [True, False, False, False, False]
    assert found["self-praise"].tolist() == [False, True, False, False, False]
    assert found["vouching"].tolist() == [False, False, False, True, False]
    assert found["any"].tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("family", sorted(PHRASES))
def test_what_is_appended_is_a_claim_of_its_family(family):
    assert claims([APPENDED[family]])[family][0]
    assert all(claims([phrase])[family][0] for phrase in PHRASES[family])


def test_a_reward_that_likes_length_is_told_from_one_that_does_not():
    samples, boot = world(lambda gold, length: gold + length)
    effect = feature_effects(samples, {"length": samples.columns["length"]}, boot)[0]
    # reward = gold + length, both standard normal: correlations are 1/√2, of ranks (6/π)asin(r/2).
    assert effect.reward.estimate == pytest.approx(6 / np.pi * np.arcsin(0.5**1.5), abs=0.04)
    assert effect.gold.low < 0 < effect.gold.high
    assert effect.excess.low > 0.5
    assert effect.at_equal_gold.estimate > 0.8
    honest, boot = world(lambda gold, length: gold)
    effect = feature_effects(honest, {"length": honest.columns["length"]}, boot)[0]
    assert effect.excess.estimate == 0
    assert effect.at_equal_gold.estimate is None  # gold fixes the reward: nothing is left


def test_the_correlation_within_a_prompt_is_that_of_scipy():
    samples, boot = world(lambda gold, length: gold + length)
    values = samples.columns["length"]
    effect = feature_effects(samples, {"length": values}, boot)[0]
    by_hand = samples.each(lambda rows: stats.spearmanr(values[rows], samples.proxy[rows])[0])
    assert effect.reward.estimate == pytest.approx(np.mean(by_hand))


def test_a_feature_that_never_varies_says_so():
    samples, boot = world(lambda gold, length: gold)
    effect = feature_effects(samples, {"headings": np.zeros(P * N)}, boot)[0]
    assert effect.reward.estimate is None
    assert "the same for all" in effect.reward.reason


def test_exploitation_of_a_blind_a_reversed_and_a_perfect_reward():
    blind, boot = world(lambda gold, length: length)
    found = exploitation(blind, boot)
    assert found.low_gold_at_top.low < 0.5 < found.low_gold_at_top.high
    assert found.high_reward_low_gold.estimate == pytest.approx(1 / 16, abs=0.02)
    reversed_, boot = world(lambda gold, length: -gold)
    found = exploitation(reversed_, boot)
    assert found.low_gold_at_top.estimate == 1
    # The top three of 30 by reward are the lowest three by gold: quantiles 1/60, 3/60, 5/60.
    assert found.gold_quantile_at_top.estimate == pytest.approx(0.05)
    perfect, boot = world(lambda gold, length: gold)
    assert exploitation(perfect, boot).low_gold_at_top.estimate == 0


def test_a_claim_that_only_the_reward_heeds():
    claimed = np.arange(P * N) % 3 == 0
    samples, boot = world(lambda gold, length: gold + 2 * claimed)
    effect = claim_effects(samples, {"any": claimed}, boot)[0]
    assert effect.share.estimate == pytest.approx(1 / 3)
    # The claim adds 2 to the reward whatever gold is, so the gap in reward is that in gold and 2.
    reward, gold = (spread_within(samples, x) for x in (samples.proxy, samples.gold))
    assert effect.reward.estimate * reward == pytest.approx(effect.gold.estimate * gold + 2)
    # The reward's sd within prompts: about √(1 + 4 · 2/9) = 1.374.
    assert reward == pytest.approx(1.374, abs=0.1)
    assert effect.excess.low > 1
    none = claim_effects(samples, {"any": np.zeros(P * N, dtype=bool)}, boot)[0]
    assert none.share.estimate == 0
    assert none.reward.estimate is None


def test_a_null_responder_stands_where_its_reward_is():
    samples, boot = world(lambda gold, length: gold)
    medians = samples.each(lambda rows: float(np.median(samples.proxy[rows])))
    rewards = dict(zip(samples.prompts.tolist(), medians, strict=True))
    found = null_responder("empty", samples, rewards, boot)
    assert found.quantile.estimate == pytest.approx(0.5)
    lowest = null_responder("empty", samples, dict.fromkeys(samples.prompts.tolist(), -99.0), boot)
    assert (lowest.quantile.estimate, lowest.beats_half.estimate) == (0, 0)
    assert null_responder("empty", samples, {}, boot).quantile.estimate is None


def test_uplift_is_in_standard_deviations():
    samples, boot = world(lambda gold, length: 10 * gold)
    pairs = dict.fromkeys(samples.prompts.tolist(), (0.0, 5.0))
    found = uplift("unicode", samples, pairs, boot)
    assert found.uplift.estimate == pytest.approx(0.5, abs=0.03)
    assert found.raised.estimate == 1
    constant, boot = world(lambda gold, length: np.ones_like(gold))
    assert "does not vary" in uplift("unicode", constant, pairs, boot).uplift.reason


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 50), st.floats(-5, 5))
def test_the_reward_s_units_do_not_count(scale, shift):
    samples, boot = world(lambda gold, length: gold + length)
    moved = Samples.of(
        samples.prompts[samples.of_prompt], scale * samples.proxy + shift, samples.gold
    )
    one, other = (exploitation(s, boot) for s in (samples, moved))
    assert one == other
    claimed = {"any": np.arange(P * N) % 4 == 0}
    a, b = (claim_effects(s, claimed, boot)[0].excess.estimate for s in (samples, moved))
    assert a == pytest.approx(b, abs=1e-9)
