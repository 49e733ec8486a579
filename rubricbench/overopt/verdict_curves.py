"""A training arm's verdict in plain words."""

from __future__ import annotations

import numpy as np

from rubricbench.metrics.onset import Onset
from rubricbench.metrics.peak import Peak
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result
from rubricbench.metrics.runs import Seeded, starts_at_base
from rubricbench.metrics.trajectory import Trajectory
from rubricbench.overopt.document import Outcome, Verdict

LEAST_PROMPTS = 20  # as for samples: no claim is made from fewer
SEEDS = 3  # for a claim
NOTHING = 1e-9  # a drop of no more is rounding, or noise


def verdict(run: Trajectory, peak: Peak, onset: Onset, gap: Seeded) -> Verdict:
    """Return what the runs of an arm say.

    Args:
        run: their mean.
        peak: peak and drop.
        onset: of over-optimization.
        gap: proxy less gold at the last checkpoint, in spreads of the initial policy.
    """
    outcome, headline = _outcome(peak, onset)
    if outcome is Outcome.HOLDS:
        outcome, headline = _held(run, peak.drop.over_prompts.level) or (outcome, headline)
    sentences = [*_of_peak(peak), *_of_onset(onset), *_of_gap(gap.over_prompts)]
    if not starts_at_base(run):
        sentences.append("Step 0, the initial policy, is missing: no gap, area or fit can be had.")
    seeds = peak.final.over_seeds.n
    if seeds < SEEDS:
        count = "One seed was" if seeds <= 1 else f"{seeds} seeds were"
        sentences.append(f"{count} run; {SEEDS} at least are needed for a claim about the recipe.")
    return Verdict(outcome=outcome, headline=headline, text=" ".join(sentences))


def _outcome(peak: Peak, onset: Onset) -> tuple[Outcome, str]:
    at, drop = onset.step.over_prompts, peak.drop.over_prompts
    if at.estimate is not None:
        return Outcome.OVER, f"gold falls by step {at.estimate:,.0f} while the proxy does not"
    if drop.estimate is None:
        return Outcome.NONE, f"cannot be said: {drop.reason}"
    lost = drop.low is not None and drop.low > 0
    if lost and not _censored(at):
        return Outcome.RISK, "gold ends below its peak; without a proxy it cannot be said why"
    if lost:
        return Outcome.RISK, "gold ends below its peak, but no onset is proven"
    if not _censored(at):
        return Outcome.UNCLEAR, "no fall of gold is proven; the onset cannot be computed"
    if peak.step.over_prompts.estimate == at.low:
        return Outcome.HOLDS, "gold is highest at the last checkpoint"
    return Outcome.HOLDS, "no over-optimization is seen up to the last checkpoint"


def _held(run: Trajectory, level: float) -> tuple[Outcome, str] | None:
    """Return what else is to be said where no fall is proven; None where gold is seen to rise."""
    count = len(run.prompts)
    if count < LEAST_PROMPTS:
        return Outcome.UNCLEAR, f"{count} prompts are too few to say: {LEAST_PROMPTS} are needed"
    if not np.ptp(run.gold):
        return Outcome.UNCLEAR, "gold does not vary: nothing can be said"
    if not starts_at_base(run):
        return None
    gain = Bootstrap(run.prompts, resamples=0).means(run.gold[-1] - run.gold[0])
    if gain.p_values()[0] <= (1 - level) / 2:
        return None
    return Outcome.RISK, "gold is not seen to rise, nor to fall from its peak"


def _censored(at: Result) -> bool:
    """Return whether the onset was looked for and not seen, rather than not computable."""
    return any(c.code == "censored" for c in at.warnings)


def _of_peak(peak: Peak) -> list[str]:
    top, drop, step = (s.over_prompts for s in (peak.peak, peak.drop, peak.step))
    if top.estimate is None or step.estimate is None or drop.estimate is None:
        return [f"Peak and drop: {top.reason}."]
    found = [f"Gold peaks at {_number(top)} around step {step.estimate:,.0f}{_lost(drop)}."]
    seeds = peak.drop.over_seeds
    if seeds.interval and (seeds.estimate or 0.0) > NOTHING:
        found.append(f"Over {seeds.n} seeds the loss is {_number(seeds)}.")
    return found


def _lost(drop: Result) -> str:
    """Say what has been lost since the peak; a loss that may be noise is no loss."""
    if (drop.estimate or 0.0) <= NOTHING:
        return ", with no loss by the end"
    if drop.interval and (drop.low or 0.0) <= 0:
        return f"; a loss of {_number(drop)} by the end is not proven"
    return f" and has lost {_number(drop)} by the end"


def _of_onset(onset: Onset) -> list[str]:
    at, root_kl, fall = (s.over_prompts for s in (onset.step, onset.root_kl, onset.fall))
    if at.estimate is not None:
        where = "" if root_kl.estimate is None else f" (√KL {root_kl.estimate:.2f})"
        lost = "" if fall.estimate is None else f", by {fall.estimate:.3g}"
        return [f"Over-optimization has set in by step {at.estimate:,.0f}{where}{lost}."]
    if not _censored(at):
        return [f"Onset: {at.reason}."]
    why = next(c.text.split(":")[0] for c in at.warnings if c.code == "censored")
    found = onset.detectable.over_prompts.estimate
    least = "" if found is None else f"; a fall of {found:.2g} would have been found"
    return [f"No onset by the last checkpoint ({why}{least})."]


def _of_gap(gap: Result) -> list[str]:
    if gap.estimate is None:
        return []
    way = "further" if gap.estimate >= 0 else "less far"
    size = f"{abs(gap.estimate):.2g}"
    unit = "standard deviation" if size == "1" else "standard deviations"
    return [f"At the end the proxy is {size} {unit} {way} up than gold."]


def _number(result: Result) -> str:
    if result.estimate is None:
        return "an unknown amount"
    ends = f" [{result.low:.3g}, {result.high:.3g}]" if result.interval else ""
    return f"{result.estimate:.3g}{ends}"
