from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from click.testing import CliRunner
from scipy import stats
from statsmodels.stats.power import TTestPower

from rubricbench.cli.overopt_plan import plan as command
from rubricbench.errors import InputError
from rubricbench.metrics.planning import (
    Spread,
    designs,
    minimal_detectable_effect,
    plan,
    power_of,
    prompts_needed,
)
from rubricbench.metrics.samples import Samples

ORACLE = TTestPower()


def pilot(seed: int = 0, prompts: int = 60, samples: int = 4, shift: float = 0.0) -> Samples:
    """Between prompts .3 (the same prompts for every seed and shift), within .5."""
    base = 0.3 * np.random.default_rng(99).normal(size=(prompts, 1))
    gold = shift + base + 0.5 * np.random.default_rng(seed).normal(size=(prompts, samples))
    ids = np.repeat([f"p{i}" for i in range(prompts)], samples)
    return Samples.of(ids, np.zeros(gold.size), gold.ravel())


@pytest.mark.parametrize("effect", [0.05, 0.2, 0.8])
@pytest.mark.parametrize("prompts", [2, 5, 50, 3000])
def test_power_is_that_of_statsmodels(effect: float, prompts: int):
    expected = ORACLE.power(effect / 0.7, prompts, 0.05, alternative="two-sided")
    assert power_of(effect, 0.7, prompts).estimate == pytest.approx(expected, abs=1e-9)
    assert power_of(-effect, 0.7, prompts).estimate == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("power", "level"), [(0.8, 0.95), (0.9, 0.99)])
def test_the_detectable_effect_is_that_of_statsmodels(power: float, level: float):
    found = minimal_detectable_effect(Spread.given(0.7), 40, power=power, level=level)
    expected = 0.7 * ORACLE.solve_power(nobs=40, alpha=1 - level, power=power)
    assert found.estimate == pytest.approx(expected, rel=1e-5)
    assert power_of(found.estimate, 0.7, 40, level).estimate == pytest.approx(power, abs=1e-9)


@pytest.mark.parametrize("effect", [0.03, 0.1, 0.5, 1.5])
def test_the_prompts_needed_are_those_of_statsmodels_rounded_up(effect: float):
    expected = math.ceil(ORACLE.solve_power(effect / 0.7, alpha=0.05, power=0.8))
    assert prompts_needed(Spread.given(0.7), effect).estimate == expected
    enough, fewer = (power_of(effect, 0.7, n).estimate for n in (expected, expected - 1))
    assert enough >= 0.8 > fewer


@pytest.mark.parametrize(
    "given", [(math.nan, 1.0, 9), (0.1, 0.0, 9), (0.1, 1.0, 1), (0.1, 1.0, 9, 1.0)]
)
def test_a_power_of_nothing_is_refused(given):
    with pytest.raises(InputError):
        power_of(*given)


def test_samples_lessen_the_spread_within_prompts_only():
    # sqrt(.3² + .4²/4) = sqrt(.09 + .04) = .360555.
    spread = Spread.given(0.3, 0.4)
    assert spread.deviation(4).estimate == pytest.approx(0.360555, abs=1e-6)
    assert spread.deviation(10**9).estimate == pytest.approx(0.3)
    whole = prompts_needed(Spread.given(0.360555), 0.05).estimate
    assert prompts_needed(spread, 0.05, 4).estimate == whole


def test_a_win_rate_of_a_half_is_known_to_five_points_with_so_many_prompts():
    # Won or lost: sd .5; (1.96 + .8416)²·.25/.05² = 784.9, and two more for t: 787.
    assert prompts_needed(Spread.of_rate(0.5), 0.05).estimate == 787
    split = Spread.of_rate(0.5, between=0.3)
    assert (split.between.estimate, split.within.estimate) == (0.3, pytest.approx(0.4))


def test_the_pilots_spread_is_that_of_the_analysis_of_variance():
    samples = pilot()
    table = pd.DataFrame({"y": samples.gold, "p": samples.prompts[samples.of_prompt]})
    anova = sm.stats.anova_lm(smf.ols("y ~ C(p)", data=table).fit())
    among, inside = anova["mean_sq"]
    found = Spread.of(samples)
    assert found.between.estimate == pytest.approx(math.sqrt((among - inside) / 4))
    assert found.within.estimate == pytest.approx(math.sqrt(inside))
    # With the pilot's own samples a prompt: the standard deviation of its prompts' means.
    means = samples.means(samples.gold)
    assert found.deviation(4).estimate == pytest.approx(means.std(ddof=1))


def test_prompts_that_do_not_differ_are_not_called_a_constant():
    """The estimate is cut off at 0, with or without any one prompt; the variable varies."""
    rng = np.random.default_rng(0)
    gold = rng.normal(size=(60, 48))
    gold -= gold.mean(axis=1, keepdims=True)  # means alike: less than their noise
    ids = np.repeat([f"p{i}" for i in range(60)], 48)
    spread = Spread.of(Samples.of(ids, gold.ravel(), gold.ravel()))
    assert spread.between.estimate == 0
    assert spread.within.estimate > 0.9
    assert "constant" not in [c.code for c in spread.between.warnings]
    same = Spread.of(Samples.of(ids, gold.ravel(), np.ones(60 * 48)))
    assert "constant" in [c.code for c in same.within.warnings]


def test_the_interval_of_an_answer_is_that_of_the_pilots_deviation():
    spread = Spread.of(pilot(prompts=80))
    deviation = spread.deviation(2)
    found = minimal_detectable_effect(spread, 200, 2)
    low, high = deviation.interval
    assert found.interval == pytest.approx(
        (low * found.estimate / deviation.estimate, high * found.estimate / deviation.estimate)
    )
    needed = prompts_needed(spread, 0.1, 2)
    assert needed.low < needed.estimate < needed.high
    assert low < math.sqrt(0.3**2 + 0.5**2 / 2) < high


def test_a_paired_difference_has_no_spread_from_prompts_that_both_arms_find_hard():
    found = Spread.of_difference(pilot(1), pilot(2, shift=0.2))
    # Both arms have the same prompt means: what is left is within, sqrt(.5² + .5²) = .7071.
    assert found.between.estimate < 0.2
    assert found.within.estimate == pytest.approx(0.7071, rel=0.1)


def test_arms_that_differ_more_on_some_prompts_have_the_deviation_of_their_differences():
    first, second = pilot(1), pilot(2)
    more = np.random.default_rng(5).normal(size=60)[second.of_prompt]
    second = dataclasses.replace(second, gold=second.gold + more)
    found = Spread.of_difference(first, second).deviation(4).estimate
    difference = second.means(second.gold) - first.means(first.gold)
    assert found == pytest.approx(difference.std(ddof=1))


def test_the_power_promised_is_had():
    # 600 tests: the binomial's sd at .8 is .016; three of them are allowed.
    effect = minimal_detectable_effect(Spread.given(0.3, 0.5), 30, 4).estimate
    rng = np.random.default_rng(0)
    values = 0.3 * rng.normal(size=(600, 30)) + 0.25 * rng.normal(size=(600, 30)) + effect
    found = (stats.ttest_1samp(values, 0, axis=1).pvalue < 0.05).mean()
    assert abs(found - 0.8) < 0.05


def test_designs_trade_prompts_for_samples():
    found = designs(Spread.given(0.2, 0.6), 0.05, (1, 4, 16))
    prompts = [d.prompts.estimate for d in found]
    assert prompts == sorted(prompts, reverse=True)
    assert [d.total.estimate for d in found] == [d.samples * d.prompts.estimate for d in found]


def test_what_nobody_can_pay_for_is_not_computable():
    found = prompts_needed(Spread.given(1.0), 1e-6)
    assert found.reason == "more than 10,000,000 for an effect of 1e-06"
    assert designs(Spread.given(1.0), 1e-6, (2,))[0].total.estimate is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Spread.given(-1), "a standard deviation between prompts of -1"),
        (lambda: Spread.given(0, math.nan), "a standard deviation within prompts of nan"),
        (lambda: Spread.given(0), "without any spread"),
        (lambda: Spread.of_rate(1.0), "a rate of 1"),
        (lambda: Spread.of_rate(0.5, 0.6), "the most is 0.5"),
        (lambda: Spread.of(pilot(samples=1)), "0 prompts with two samples or more"),
        (lambda: minimal_detectable_effect(Spread.given(1), 1), "1 prompts"),
        (lambda: minimal_detectable_effect(Spread.given(1), 9, power=0.01), "a power of 0.01"),
        (lambda: prompts_needed(Spread.given(1), 0), "an effect of 0"),
        (lambda: prompts_needed(Spread.given(1), 0.1, 0), "0 samples a prompt"),
        (lambda: plan(Spread.given(1)), "nothing to plan for"),
    ],
)
def test_bad_input_is_one_line_that_says_what(call, message: str):
    with pytest.raises(InputError, match=message):
        call()


def run(*arguments: str):
    return CliRunner().invoke(command, arguments)


def test_the_command_without_a_pilot():
    found = run("--rate", "0.5", "--effect", "0.05", "--samples", "1", "--json")
    assert found.exit_code == 0
    document = json.loads(found.output)
    assert document["designs"][0]["prompts"]["estimate"] == 787
    assert document["detectable"] == []
    text = run("--between", ".3", "--within", ".4", "--prompts", "100", "--samples", "4").output
    # t(.975, 99) = 1.984; the distance for power .8 is 2.830; .360555·2.830/10 = .102.
    assert "4 samples a prompt: 0.102" in text


def test_the_command_with_a_pilot_of_two_arms(tmp_path: Path):
    arms = {"a": pilot(1), "b": pilot(2)}
    tables = [
        pd.DataFrame(
            {
                "arm": name,
                "prompt_id": s.prompts[s.of_prompt],
                "response_id": [f"{name}{i}" for i in range(s.size)],
                "proxy": s.proxy,
                "gold": s.gold,
            }
        )
        for name, s in arms.items()
    ]
    file = tmp_path / "pilot.parquet"
    pd.concat(tables).to_parquet(file)
    found = run(str(file), "--arm", "b", "--against", "a", "--effect", ".1", "--json")
    assert found.exit_code == 0, found.output
    expected = Spread.of_difference(arms["a"], arms["b"])
    assert json.loads(found.output)["within"]["estimate"] == expected.within.estimate
    assert isinstance(run(str(file), "--rate", ".5").exception, InputError)
    assert isinstance(run("--effect", ".1").exception, InputError)
