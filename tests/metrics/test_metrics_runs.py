"""Runs of an arm: what is refused, and what is averaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from trajectories import noisy, run

from rubricbench.errors import InputError
from rubricbench.metrics.result import frame, walk
from rubricbench.metrics.runs import mean_run
from rubricbench.metrics.summary import curve_summary


def test_the_mean_run_is_the_mean_of_what_all_have() -> None:
    first = run([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]], seed=0, proxy=[0, 1, 2], length=[1, 1, 1])
    second = run([[2.0, 3.0, 9.0], [2.0, 5.0, 9.0]], seed=1, proxy=[0, 3, 2], steps=[0, 10, 30])
    whole = mean_run([first, second])
    assert whole.steps.tolist() == [0, 10]
    assert whole.gold.tolist() == [[1.0, 1.0], [2.0, 4.0]]
    assert whole.columns["proxy"][1].tolist() == [2.0, 2.0]
    assert "length" not in whole.columns
    assert whole.samples.tolist() == [[2, 2], [2, 2]]
    assert "left_out" in [c.code for c in whole.cautions]


def test_prompts_that_a_run_lacks_are_left_out_of_all() -> None:
    first, second = noisy([0.0, 1.0], 5, seed=0), noisy([0.0, 1.0], 4, seed=1, key=1)
    whole = mean_run([first, second])
    assert len(whole.prompts) == 4
    assert "1 prompt of seed 0" in whole.cautions[0].text


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        ([], "no run"),
        ([run([[1.0]]), run([[1.0]], arm="other", seed=1)], "runs of 2 arms: arm, other"),
        ([run([[1.0]]), run([[1.0]])], "seed 0 twice"),
        ([run([[1.0]]), run([[1.0]], seed=1, steps=[7])], "share no checkpoint"),
        ([run([[1.0, np.nan]])], "no finite gold for prompt p0000 at step 10"),
        ([run([[1.0, 2e200]])], r"a gold of 2e\+200 for prompt p0000 at step 10"),
        ([run([[1.0, 2.0]], kl=[0.0, -0.5])], "a KL of -0.5 nats for prompt p0000 at step 10"),
    ],
)
def test_what_no_metric_can_use_is_refused(runs: list, says: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=says):
        mean_run(runs)


def test_the_seed_that_lacks_a_column_is_named() -> None:
    gold, kl = [[0.0, 1.0, 2.0, 1.0]] * 3, [0.0, 1.0, 4.0, 9.0]
    runs = [run(gold, seed=s, kl=kl) for s in (0, 1)] + [run(gold, seed=2, proxy=kl)]
    found = curve_summary(runs)
    assert found.auc.area.over_prompts.reason.startswith("KL was not logged by seed 2")
    assert found.fit.alpha.over_prompts.reason == "KL was not logged by seed 2"
    assert "the proxy was not logged by seeds 0, 1" in found.onset.step.over_prompts.reason
    assert "proxy was not logged by seeds 0, 1" in found.last_gap.over_prompts.reason
    assert found.drift[0].last.over_prompts.reason == "length was not logged"
    kinds = [run(gold, seed=0, kl=kl), run(gold, seed=1, kl_k1=kl)]
    assert "no kind of KL was logged by all" in curve_summary(kinds).fit.r2.over_prompts.reason


def test_what_each_run_has_lost_is_said_of_each() -> None:
    both = [run([[0.0, 1.0]] * 5, seed=1), run([[0.0, 1.0, 2.0]] * 4, seed=2)]
    said = [c.text.split(":")[0] for c in mean_run(both).cautions]
    lost = ["1 prompt of seed 1", "1 checkpoint of seed 2"]
    assert said == [f"{what} not in every run" for what in lost]


def test_a_k1_estimate_may_be_below_zero() -> None:
    assert mean_run([run([[1.0, 2.0]], kl_k1=[0.0, -0.5])]).kl is not None


def test_the_summary_of_an_arm_has_no_silent_nan() -> None:
    """Whatever is missing, each figure has a value or a reason."""
    bare = curve_summary([noisy([0.0, 1.0, 0.5, 0.2], 30)], resamples=50)
    assert bare.peak.peak.over_prompts.estimate is not None
    for reasoned in (bare.onset.step, bare.auc.area, bare.fit.alpha, bare.last_gap):
        assert reasoned.over_prompts.reason
    full = curve_summary(
        [
            noisy([0.0, 1.0, 0.5, 0.2], 30, proxy=[0, 1, 2, 3], kl=[0, 1, 4, 9], seed=s, key=s)
            for s in range(3)
        ],
        resamples=50,
    )
    assert all((r.estimate is None) == bool(r.reason) for r in walk(full))
    assert {"gold_peak", "onset_step", "gold_auc", "alpha"} <= set(frame(full)["name"])


def test_the_order_of_the_prompts_in_the_file_changes_nothing() -> None:
    r = noisy([0.0, 1.0, 0.5, 0.2], 30, proxy=[0, 1, 2, 3], kl=[0, 1, 4, 9])
    shuffled = np.random.default_rng(0).permutation(30)
    again = np.argsort(r.prompts[shuffled], kind="stable")
    columns = {k: v[:, shuffled][:, again] for k, v in r.columns.items()}
    one = curve_summary([r], resamples=50)
    other = curve_summary([replace(r, columns=columns)], resamples=50)
    assert list(walk(one)) == list(walk(other))
