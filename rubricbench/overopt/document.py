"""The document that every ``rubricbench overopt`` command makes: results, and where they are from.

`Document` is what results.json holds, what the page of ``overopt report`` shows, and what the
tables and figures are drawn from. A command fills the sections it computes and leaves the others
empty. Every figure is a `Result`: with its interval, its cautions, or the reason for there being
none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from rubricbench.metrics.bestofn import BestOfNPoint
from rubricbench.metrics.equal_kl import EqualKlPoint
from rubricbench.metrics.rank import RankCorrelation
from rubricbench.metrics.result import LEVEL, Caution, Result
from rubricbench.metrics.runs import Seeded
from rubricbench.metrics.safe_kl import SafeKl
from rubricbench.metrics.tail import TailAccuracy
from rubricbench.metrics.tilt import TiltPoint
from rubricbench.theory.estimated import TailError

FORMAT = 1  # of the document; raised when a reader of the old one could be misled


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One input file.

    Args:
        path: as it was given.
        kind: ``samples``, ``trajectory`` or ``points``.
        rows: rows read.
        left_out: rows left out because a reward was unknown.
        sha256: of the file.
        columns: role -> column, such as ``proxy`` -> ``value``.
    """

    path: str
    kind: str
    rows: int
    left_out: int = 0
    sha256: str = ""
    columns: dict[str, str] = {}


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What made the document.

    Args:
        command: ``curve``, ``bon``, ``compare`` or ``report``.
        version: of rubricbench.
        sources: input files.
        seed: of the resampling.
        resamples: bootstrap draws.
        level: confidence level of every interval.
    """

    command: str
    version: str
    sources: tuple[Source, ...]
    seed: int = 0
    resamples: int = 0
    level: float = LEVEL


class Outcome(StrEnum):
    """What can be said of an arm, in one word."""

    OVER = "over_optimized"  # gold falls, with confidence, while the proxy does not
    HOLDS = "holds"  # gold was seen to rise with the proxy to the end of the data
    RISK = "at_risk"  # the proxy is no guide in the tail, or gold falls without proof
    UNCLEAR = "unclear"  # the data do not tell
    NONE = "not_computable"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict in plain words, with the figures it rests on in the text.

    Args:
        outcome: in one word.
        headline: in a line of under 100 characters.
        text: two to five sentences.
    """

    outcome: Outcome
    headline: str
    text: str


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An arm at one optimiser step: means over prompts (and over seeds, where there are several).

    Args:
        step: optimiser step.
        distance: √KL to the initial policy, in √nats; None where KL was not logged.
        gold: gold reward.
        proxy: proxy reward.
        kl: sequence KL in nats.
        win: win rate.
        gold_z: gold less its mean under the initial policy, in standard deviations there; None
            where the run has no step 0.
        proxy_z: the same of the proxy: both can stand on one axis.
        gap: z of proxy less z of gold, in standard deviations of the initial policy.
        length: mean length of a response.
        ended: share of responses that end by themselves.
        repetition: mean repetition.
    """

    step: int
    gold: Result
    distance: float | None = None
    proxy: Result | None = None
    kl: Result | None = None
    win: Result | None = None
    gold_z: Result | None = None
    proxy_z: Result | None = None
    gap: Result | None = None
    length: Result | None = None
    ended: Result | None = None
    repetition: Result | None = None


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Gao et al.'s form (2210.10760) fitted to a gold curve.

    Args:
        form: ``best_of_n``, R = d(α − βd), or ``rl``, R = d(α − β log d).
        alpha: α.
        beta: β.
        r2: share of the variance about the mean that it explains.
        turnover: d* at which the fitted gold turns.
        gamma: γ (2505.12763), ∫|gold − proxy| / ∫gold over fitted curves.
        origin: gold reward at d = 0, which R is counted from.
        curve_x: d of the fitted curve, for drawing.
        curve_y: fitted gold reward there (origin included).
    """

    form: Literal["best_of_n", "rl"]
    alpha: Result
    beta: Result
    r2: Result
    turnover: Result
    gamma: Result | None = None
    origin: float = 0.0
    curve_x: tuple[float, ...] = ()
    curve_y: tuple[float, ...] = ()


class ArmCurve(msgspec.Struct, frozen=True, kw_only=True):
    """A training arm: its trajectory and what is computed from it.

    Figures stand twice in a `Seeded`: for these runs, with an interval over prompts, and for
    another run of the same recipe, with an interval over seeds. Of published points neither is
    resampled: ``over_prompts`` then holds the point (unit ``points``).

    Args:
        arm: its name.
        seeds: training seeds.
        prompts: held-out prompts; 0 for published points.
        checkpoints: in the order of steps.
        peak: gold reward at its peak.
        drop: gold reward at the peak less at the last checkpoint.
        peak_step: step of the peak.
        final: gold reward at the last checkpoint.
        gap: proxy-gold gap at the last checkpoint.
        onset: optimiser step of the onset of over-optimization; censored where there is none.
        onset_distance: √KL there.
        fall: how far gold has fallen at the onset.
        detectable: the fall that these prompts would have shown.
        auc: area under the gold curve over √KL, over the range that all arms share.
        fit: Gao's RL form.
        drift: changes from the initial policy to the last checkpoint: length, ends, repetition.
        cautions: of the whole arm.
        verdict: in plain words.
    """

    arm: str
    seeds: tuple[int, ...]
    prompts: int
    checkpoints: tuple[Checkpoint, ...]
    peak: Seeded
    drop: Seeded
    peak_step: Seeded
    final: Seeded
    gap: Seeded
    onset: Seeded
    onset_distance: Seeded
    fall: Seeded
    detectable: Seeded
    auc: Seeded
    verdict: Verdict
    fit: Fit | None = None
    drift: tuple[Result, ...] = ()
    cautions: tuple[Caution, ...] = ()


class TheoryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What theory predicts of the reward's optimum at one KL, from its errors on the samples.

    Args:
        kl: in nats.
        win: win rate over the initial policy, by Proposition 1.
        gold: gold reward, by the same.
        rank_win: win rate by Theorem 1, the proxy turned into uniform ranks.
        ideal: win rate of a reward without error, by Theorem 1.
    """

    kl: float
    win: Result
    gold: Result
    rank_win: Result
    ideal: float | None = None


class SampleStudy(msgspec.Struct, frozen=True, kw_only=True):
    """One reward on scored samples of one policy.

    Args:
        arm: name of the reward (or of the policy, where there is one a policy).
        prompts: how many.
        samples: how many in all.
        per_prompt: least and greatest number of samples a prompt.
        base: mean gold reward of the policy as it is.
        best_of_n: curve over n, from 1.
        tilt: curve over β, from ∞ (the policy as it is) down; over increasing KL.
        at_kl: the tilt at given KLs, by which rewards on different scales are compared.
        ceiling: log N, the largest KL that the tilt of N samples can show.
        tail: tail accuracy, with its variants and saturation.
        rank: within-prompt Spearman, overall and in the top decile by proxy.
        agreement: how often proxy and gold order two samples of a prompt alike that differ in gold,
            a tie of the proxy one half; and how many pairs tie.
        fit: Gao's best-of-n form, with γ.
        theory: what Proposition 1 and Theorem 1 predict, by increasing KL.
        tail_error: how often the proxy misorders what lies above each gold quantile.
        safe_best_of_n: how far best-of-n can be pushed before gold turns. The level is higher than
            elsewhere: this and the next share the error.
        safe_tilt: how far the tilt can.
        lengths: Spearman of length with proxy and gold, where there is a length.
        cautions: of the whole study.
        verdict: in plain words.
    """

    arm: str
    prompts: int
    samples: int
    per_prompt: tuple[int, int]
    base: Result
    best_of_n: tuple[BestOfNPoint, ...]
    tilt: tuple[TiltPoint, ...]
    at_kl: tuple[EqualKlPoint, ...]
    ceiling: Result
    tail: TailAccuracy
    rank: RankCorrelation
    agreement: tuple[Result, ...]
    verdict: Verdict
    fit: Fit | None = None
    theory: tuple[TheoryPoint, ...] = ()
    tail_error: tuple[TailError, ...] = ()
    safe_best_of_n: SafeKl | None = None
    safe_tilt: SafeKl | None = None
    lengths: tuple[Result, ...] = ()
    cautions: tuple[Caution, ...] = ()


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """Two arms on the same prompts.

    Args:
        metric: what is compared, such as ``gold_peak`` or ``best_of_8``.
        a: one arm.
        b: the other.
        difference: a less b, paired on prompts: of these samples or runs.
        over_seeds: the same of the seeds that both arms have: of the recipes; None where there are
            no runs.
        p: two-sided p-value of no difference; None where there is none.
        p_holm: the same after Holm's correction over all contrasts of the document.
    """

    metric: str
    a: str
    b: str
    difference: Result
    over_seeds: Result | None = None
    p: float | None = None
    p_holm: float | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """All results of one command.

    Args:
        provenance: what made it.
        title: for people.
        curves: one entry a training arm.
        samples: one entry a reward or policy on scored samples.
        contrasts: pairs of arms.
        cautions: of the whole document.
        format: version of this layout.
    """

    provenance: Provenance
    title: str
    curves: tuple[ArmCurve, ...] = ()
    samples: tuple[SampleStudy, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    cautions: tuple[Caution, ...] = ()
    format: int = FORMAT

    @property
    def arms(self) -> list[str]:
        """Every arm once, in the order in which they are drawn: it fixes their colours."""
        names = [c.arm for c in self.curves] + [s.arm for s in self.samples]
        return list(dict.fromkeys(names))
