"""What is said of a drop: proven, not proven, or none."""

from __future__ import annotations

import pytest

from rubricbench.metrics.peak import Peak
from rubricbench.metrics.result import Result, not_computable
from rubricbench.metrics.runs import Seeded
from rubricbench.overopt.verdict_curves import _of_peak


def result(estimate: float, low: float | None = None, high: float | None = None) -> Result:
    return Result(name="gold", estimate=estimate, low=low, high=high, n=3)


def peak(drop: Result, over_seeds: Result) -> Peak:
    one = not_computable("gold", "one seed", unit="seeds")

    def alone(estimate: float) -> Seeded:
        return Seeded(over_prompts=result(estimate), over_seeds=one)

    return Peak(
        peak=alone(0.8),
        drop=Seeded(over_prompts=drop, over_seeds=over_seeds),
        step=alone(40.0),
        final=alone(0.5),
    )


@pytest.mark.parametrize(
    ("drop", "seeds", "said"),
    [
        (
            result(0.3, 0.2, 0.4),
            result(0.31, 0.1, 0.5),
            [
                "Gold peaks at 0.8 around step 40 and has lost 0.3 [0.2, 0.4] by the end.",
                "Over 3 seeds the loss is 0.31 [0.1, 0.5].",
            ],
        ),
        (
            result(0.02, 0.0, 0.05),
            not_computable("gold_drop", "one seed", unit="seeds"),
            [
                "Gold peaks at 0.8 around step 40; a loss of 0.02 [0, 0.05] by the end is not "
                "proven."
            ],
        ),
        (
            result(-0.0028, -0.01, 0.02),
            result(-1.4e-17, -1.6e-16, 1.3e-16),
            ["Gold peaks at 0.8 around step 40, with no loss by the end."],
        ),
        (
            result(0.3),
            not_computable("gold_drop", "one seed", unit="seeds"),
            ["Gold peaks at 0.8 around step 40 and has lost 0.3 by the end."],
        ),
    ],
    ids=["proven", "not proven", "noise", "published points"],
)
def test_a_loss_is_said_as_far_as_it_is_known(drop, seeds, said):
    assert _of_peak(peak(drop, seeds)) == said
