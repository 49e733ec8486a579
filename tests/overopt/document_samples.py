"""Documents of over-optimization studies, filled with made-up figures, for the tests of pages."""

from __future__ import annotations

import math

import numpy as np

from rubricbench.metrics.bestofn import BestOfNPoint
from rubricbench.metrics.equal_kl import EqualKlPoint
from rubricbench.metrics.rank import RankCorrelation
from rubricbench.metrics.result import Method, Result, caution, not_computable
from rubricbench.metrics.runs import Seeded
from rubricbench.metrics.safe_kl import SafeKl, Safety
from rubricbench.metrics.tail import Saturation, TailAccuracy
from rubricbench.metrics.tilt import TiltPoint
from rubricbench.overopt.document import (
    ArmCurve,
    Checkpoint,
    Contrast,
    Document,
    Fit,
    Outcome,
    Provenance,
    SampleStudy,
    Source,
    TheoryPoint,
    Verdict,
)
from rubricbench.theory.estimated import TailError

OUTCOMES = list(Outcome)


def result(name: str, value: float, half: float = 0.03, *codes: str) -> Result:
    """A result over 200 prompts, with cautions by their codes."""
    return Result(
        name=name,
        estimate=float(value),
        low=float(value - half),
        high=float(value + half),
        method=Method.T,
        n=200,
        items=3200,
        warnings=tuple(caution(code, "here") for code in codes),
    )


def seeded(name: str, value: float, *codes: str, seeds: int = 3) -> Seeded:
    over = result(name, value, 0.05, "few_seeds")
    one = not_computable(name, "one seed: nothing is known of others", unit="seeds", n=1)
    return Seeded(
        over_prompts=result(name, value, 0.02, *codes), over_seeds=over if seeds > 1 else one
    )


def censored(name: str, last: float) -> Seeded:
    none = Result(
        name=name,
        estimate=None,
        low=last,
        n=200,
        warnings=(caution("censored", "gold is highest at the last checkpoint"),),
        reason=f"no onset by the last checkpoint, step {last:g}",
    )
    return Seeded(over_prompts=none, over_seeds=not_computable(name, "no run has an onset"))


def arm_curve(
    number: int,
    name: str,
    *,
    checkpoints: int = 9,
    kl: bool = True,
    proxy: bool = True,
    seeds: int = 3,
) -> ArmCurve:
    """An arm whose gold rises and falls again, the sooner the higher its number."""
    rng = np.random.default_rng(number)
    steps = np.linspace(0, 320, checkpoints).round().astype(int)
    d = 3.2 * np.sqrt(steps / 320)
    gold = 0.4 + d * (0.22 - (0.045 + 0.012 * (number % 4)) * d) + rng.normal(0, 0.005, checkpoints)
    made = []
    for i, step in enumerate(steps):
        shown = {
            "gold": result("gold", gold[i], 0.02),
            "gold_z": result("gold_z", (gold[i] - 0.4) / 0.2, 0.1),
            "win": result("win", min(0.97, 0.5 + (gold[i] - 0.4)), 0.03),
            "length": result("length", 180 + 40 * d[i], 8),
            "ended": result("ended", 0.99 - 0.03 * d[i], 0.01),
        }
        if proxy:
            value = 0.5 + 0.7 * d[i]
            shown |= {
                "proxy": result("proxy", value, 0.05),
                "proxy_z": result("proxy_z", (value - 0.5) / 0.6, 0.1),
                "gap": result("gap", 0.3 * d[i], 0.12),
            }
        if kl:
            shown["kl"] = result("kl", d[i] ** 2, 0.2)
        made.append(Checkpoint(step=int(step), distance=float(d[i]) if kl else None, **shown))
    top = int(gold.argmax())
    falls = number % 4 != 0
    onset = steps[min(top + 2, checkpoints - 1)]
    x = [0.1 * k for k in range(33)]
    fit = Fit(
        form="rl",
        alpha=result("alpha", 0.22),
        beta=result("beta", 0.06, 0.01),
        r2=result("r2", 0.95, 0.02),
        turnover=result("turnover", 2.1, 0.4, "extrapolated"),
        origin=0.4,
        curve_x=tuple(x),
        curve_y=tuple(0.4 + v * (0.22 - 0.06 * math.log(v or 1)) * 0.8 for v in x),
    )
    absent = Seeded(
        over_prompts=not_computable("onset_distance", "KL was not logged"),
        over_seeds=not_computable("onset_distance", "KL was not logged"),
    )
    return ArmCurve(
        arm=name,
        seeds=tuple(range(seeds)),
        prompts=200,
        checkpoints=tuple(made),
        peak=seeded("gold_peak", gold.max(), seeds=seeds),
        drop=seeded("gold_drop", gold.max() - gold[-1], "heavy_tail", seeds=seeds),
        peak_step=seeded("peak_step", steps[top], seeds=seeds),
        final=seeded("gold_final", gold[-1], seeds=seeds),
        gap=seeded("gap", 0.9, seeds=seeds),
        onset=seeded("onset", onset, seeds=seeds) if falls else censored("onset", 320),
        onset_distance=(
            absent
            if not kl
            else seeded("onset_distance", 2.5, seeds=seeds)
            if falls
            else censored("onset_distance", 3.2)
        ),
        fall=seeded("fall", 0.04, seeds=seeds) if falls else censored("fall", 0.0),
        detectable=seeded("detectable", 0.025, seeds=seeds),
        auc=seeded("auc", 0.14, seeds=seeds) if kl else absent,
        fit=fit if kl else None,
        drift=(result("length_change", 73, 6), result("ended_change", -0.05, 0.01)),
        cautions=(caution("few_seeds", f"{seeds} seeds") if seeds > 1 else caution("one_seed"),),
        verdict=Verdict(
            outcome=OUTCOMES[number % len(OUTCOMES)],
            headline=f"Gold peaks at √KL 2.1 (step {steps[top]}), then falls by .08 [.03, .12]",
            text="The proxy goes on rising to the end. Beyond a KL of 6 nats this reward is no "
            f"guide any more for {name}.",
        ),
    )


def safe(turn: float | None) -> SafeKl:
    """How far is safe: gold turns at a KL, or is not seen to turn."""
    none = not_computable("predicted_onset", "no decline is proven")
    end = Result(
        name="largest_safe_kl", estimate=2.4, n=200, warnings=(caution("censored", "no decline"),)
    )
    return SafeKl(
        safety=Safety.NO_DECLINE if turn is None else Safety.DECLINES,
        largest=end if turn is None else result("largest_safe_kl", turn, 0.3),
        safe_up_to=result("safe_up_to", 0.9, 0.0),
        onset=none if turn is None else result("predicted_onset", turn + 0.6, 0.2),
        drop=result("drop_from_peak", 0.02, 0.01),
        range_end=2.4,
    )


def study(number: int, name: str) -> SampleStudy:
    """A reward on 64 samples a prompt."""
    ns = [1, 2, 3, 4, 6, 8, 11, 16, 23, 32]
    drop = 0.02 * (number % 3)
    best = []
    for n in ns:
        kl = math.log(n) - (n - 1) / n
        d = math.sqrt(kl)
        best.append(
            BestOfNPoint(
                n=n,
                kl=result("kl", kl, 0.01),
                kl_bound=result("kl_bound", kl, 0.0),
                proxy=result("proxy", 0.5 + 0.3 * d),
                gold=result("gold", 0.4 + 0.2 * d - drop * d * d, 0.02),
                gain=result("gain", 0.2 * d - drop * d * d, 0.02),
            )
        )
    tilted = []
    for beta in [None, 4.0, 2.0, 1.0, 0.5, 0.25, 0.12, 0.06]:
        kl = 0.0 if beta is None else min(0.3 / beta, 2.4)
        d = math.sqrt(kl)
        if beta == 0.06:
            why = "an effective sample size below 20"
            none = [not_computable(k, why) for k in ("kl", "proxy", "gold", "gain", "ess")]
            tilted.append(
                TiltPoint(
                    beta=beta,
                    **dict(zip(("kl", "proxy", "gold", "gain", "ess"), none, strict=True)),
                )
            )
            continue
        tilted.append(
            TiltPoint(
                beta=beta,
                kl=result("kl", kl, 0.01),
                proxy=result("proxy", 0.5 + 0.32 * d),
                gold=result("gold", 0.4 + 0.21 * d - drop * d * d, 0.03),
                gain=result("gain", 0.21 * d - drop * d * d, 0.03),
                ess=result("ess", 64 * math.exp(-kl), 2),
            )
        )
    equal = tuple(
        EqualKlPoint(
            kl=kl,
            proxy=result("proxy", 0.5 + 0.3 * math.sqrt(kl)),
            gold=result("gold", 0.4 + 0.2 * math.sqrt(kl) - drop * kl, 0.02),
            gain=result("gain", 0.2 * math.sqrt(kl) - drop * kl, 0.02),
            ess=result("ess", 64 * math.exp(-kl), 2),
        )
        for kl in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
    )
    shares = {"ties_as_wrong": 0.55, "tie_rate": 0.14, "prompts_used": 0.93}
    value = 0.62 - 0.03 * (number % 4)
    return SampleStudy(
        arm=name,
        prompts=200,
        samples=12_800,
        per_prompt=(64, 64),
        base=result("base", 0.4),
        best_of_n=tuple(best),
        tilt=tuple(tilted),
        at_kl=equal,
        ceiling=result("ceiling", math.log(64), 0.0),
        tail=TailAccuracy(
            accuracy=result("tail_accuracy", value, 0.03, "ties"),
            **{k: result(k, v - 0.02 * (number % 4)) for k, v in shares.items()},
            saturation=Saturation(
                excellent=result("saturation_excellent", 0.1, 0.01),
                beyond=not_computable("saturation_beyond", "the base policy is the policy itself"),
                prompts=result("saturated_prompts", 0.0, 0.0),
            ),
        ),
        rank=RankCorrelation(
            overall=result("spearman", 0.61), top=result("spearman_top", 0.11, 0.06, "small_n")
        ),
        agreement=(result("agreement", 0.72), result("tie_rate", 0.1)),
        lengths=(result("length_proxy", 0.3), result("length_gold", 0.1)),
        fit=Fit(
            form="best_of_n",
            alpha=result("alpha", 0.2),
            beta=result("beta", 0.02, 0.01),
            r2=result("r2", 0.99, 0.005),
            turnover=result("turnover", 5.0, 1.0, "extrapolated"),
            gamma=result("gamma", 0.4, 0.1),
            origin=0.4,
            curve_x=tuple(0.1 * k for k in range(17)),
            curve_y=tuple(0.4 + 0.02 * k - drop * 0.01 * k * k for k in range(17)),
        ),
        theory=tuple(
            TheoryPoint(
                kl=kl,
                gold=result("gold", 0.4 + 0.2 * math.sqrt(kl) - drop * kl, 0.02),
                rank_win=result("rank_win", 0.5 + 0.21 * math.sqrt(kl) - drop * kl, 0.02),
                win=result("win", 0.5 + 0.2 * math.sqrt(kl) - drop * kl, 0.02),
                ideal=0.5 + 0.36 * math.sqrt(kl) / (1 + 0.15 * kl),
            )
            for kl in (0.0, 0.5, 1.0, 1.5, 2.0)
        ),
        tail_error=tuple(
            TailError(above=q / 10, error=result("tail_error", 0.2 + 0.02 * q, 0.03))
            for q in range(10)
        ),
        safe_tilt=safe(1.2 if number % 2 else None),
        safe_best_of_n=safe(None),
        cautions=(caution("uneven", "here"),),
        verdict=Verdict(
            outcome=OUTCOMES[(number + 1) % len(OUTCOMES)],
            headline="No decline of gold seen up to KL 2.4",
            text="That is no proof that there is none further on: the samples reach no further.",
        ),
    )


def document(
    arms: int = 2, rewards: int = 2, *, checkpoints: int = 9, text: str = "", **of: bool | int
) -> Document:
    """A document with so many arms and rewards, a text in every name."""
    curves = tuple(
        arm_curve(i, f"arm {i} {text}".strip(), checkpoints=checkpoints, **of) for i in range(arms)
    )
    studies = tuple(study(i, f"reward {i} {text}".strip()) for i in range(rewards))
    return Document(
        title=f"Rubric and Bradley-Terry rewards {text}".strip(),
        provenance=Provenance(
            command="report",
            version="0.1.0",
            resamples=2000,
            sources=(
                Source(
                    path=f"runs/{text or 'rubric'}/trajectory.parquet",
                    kind="trajectory",
                    rows=28_800,
                    left_out=12,
                    sha256="ab" * 32,
                    columns={"proxy": f"value {text}".strip(), "gold": "gold"},
                ),
            ),
        ),
        curves=curves,
        samples=studies,
        contrasts=tuple(
            Contrast(
                metric="gold_peak",
                a=a.arm,
                b=curves[0].arm,
                difference=result("gold_peak", 0.02, 0.03, "few_seeds"),
                p=0.0004,
                p_holm=0.03,
            )
            for a in curves[1:]
        ),
        cautions=(caution("left_out", f"12 rows {text}".strip()),),
    )
