"""What can be said of a reward from scored samples of one policy, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.agreement import pair_agreement
from rubricbench.metrics.bestofn import BestOfNCurve, best_of_n
from rubricbench.metrics.curves import PromptCurves
from rubricbench.metrics.equal_kl import tilt_at_kl
from rubricbench.metrics.rank import rank_correlation
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Caution, Result, caution, merged, not_computable
from rubricbench.metrics.safe_kl import SafeKl, Safety, safe_kl, unknown
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tail import tail_accuracy
from rubricbench.metrics.tilt import TiltCurve, tilt
from rubricbench.overopt.document import SampleStudy, TheoryPoint
from rubricbench.overopt.fitted import of_best_of_n
from rubricbench.overopt.settings import Settings
from rubricbench.overopt.verdict_samples import verdict
from rubricbench.theory.empirical import Empirical, predict

Floats = NDArray[np.float64]
THEORY_KLS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)


def study(arm: str, samples: Samples, settings: Settings) -> SampleStudy:
    """Return the whole study of one reward.

    Args:
        arm: name of the reward or policy.
        samples: scored by proxy and gold.
        settings: of the resampling.
    """
    boot = settings.boot(samples.prompts)
    bon, tilted = best_of_n(samples, None, boot), tilt(samples, None, boot)
    theory = _theory(samples, settings)
    tail = tail_accuracy(samples, boot)
    still = constants(samples)
    safe = {
        "best-of-n": _safe(samples, bon.curves, settings, still),
        "the tilt": _safe(samples, tilted.curves, settings, still),
    }
    base = boot.means(samples.means(samples.gold)).results(["gold"], items=samples.size)[0]
    rank = rank_correlation(samples, boot)
    return SampleStudy(
        arm=arm,
        prompts=len(samples.prompts),
        samples=samples.size,
        per_prompt=(int(samples.counts.min()), int(samples.counts.max())),
        base=base,
        best_of_n=bon.points,
        tilt=tilted.points,
        at_kl=tilt_at_kl(samples, boot=boot).points,
        ceiling=tilted.ceiling,
        tail=tail,
        rank=rank,
        agreement=_agreement(samples, boot, theory),
        fit=of_best_of_n(samples, bon, settings),
        theory=_points(theory),
        tail_error=theory.tail_error if theory else (),
        lengths=_lengths(samples, boot),
        safe_best_of_n=safe["best-of-n"],
        safe_tilt=safe["the tilt"],
        cautions=_cautions(samples, (bon, tilted), safe),
        verdict=verdict(bon, tilted, safe, tail, rank, still),
    )


def _theory(samples: Samples, settings: Settings) -> Empirical | None:
    try:
        return predict(
            samples,
            THEORY_KLS,
            seed=settings.seed,
            resamples=settings.resamples,
            level=settings.level,
        )
    except InputError:  # every prompt has one sample; the caution of the study says so
        return None


def _points(theory: Empirical | None) -> tuple[TheoryPoint, ...]:
    return tuple(
        TheoryPoint(
            kl=at.kl,
            win=at.win_rate,
            gold=at.gold,
            rank_win=at.rank_win_rate,
            ideal=at.perfect.estimate,
        )
        for at in (theory.at if theory else ())
    )


def constants(samples: Samples) -> tuple[str, ...]:
    """Return which of "the proxy" and "gold" never differ between samples of one prompt."""
    if samples.counts.max() == 1:
        return ()  # nothing to differ from
    first = samples.starts[:-1]

    def varies(values: Floats) -> bool:
        return bool((np.maximum.reduceat(values, first) > np.minimum.reduceat(values, first)).any())

    rewards = {"the proxy": samples.proxy, "gold": samples.gold}
    return tuple(name for name, values in rewards.items() if not varies(values))


def _safe(
    samples: Samples, curves: PromptCurves, settings: Settings, still: tuple[str, ...]
) -> SafeKl:
    """Return how far a curve can be pushed before gold turns, from the prompts that make it.

    There are two curves, and one that falls makes the verdict: each has half of the error, so that
    at a level of 95% the results say 97.5%.
    """
    kept = curves.kept
    if still:
        why = f"{' and '.join(still)} does not vary within any prompt"
        return unknown(why, 0.0, int(kept.sum()), int(samples.counts[kept].sum()))
    halved = msgspec.structs.replace(settings, level=(1 + settings.level) / 2)
    kl = curves.columns["kl"][kept].mean(axis=0)
    return safe_kl(
        curves.prompts[kept],
        curves.columns["gold"][kept],
        np.maximum.accumulate(np.maximum(kl, 0)),  # it grows, up to rounding
        boot=halved.boot(curves.prompts[kept]),
        items=int(samples.counts[kept].sum()),
    )


def _agreement(
    samples: Samples, boot: Bootstrap, theory: Empirical | None
) -> tuple[Result, Result]:
    """Return how often the proxy orders two samples as gold does, and how often it ties them."""
    found = msgspec.structs.replace(pair_agreement(samples, boot).ties_half, name="agreement")
    if theory is None:
        why = "every prompt has one sample: there is no pair"
        return (found, not_computable("proxy_ties", why))
    return (found, theory.proxy_ties)


def _lengths(samples: Samples, boot: Bootstrap) -> tuple[Result, ...]:
    """Return the within-prompt Spearman correlation of length with proxy and with gold."""
    if "length" not in samples.columns:
        return ()
    length = np.asarray(samples.columns["length"], dtype=np.float64)
    if np.isnan(length).any():
        lacking = int(np.isnan(length).sum())
        why = f"{lacking:,} of {len(length):,} samples have no length"
        return tuple(not_computable(f"length_and_{r}", why) for r in ("proxy", "gold"))
    by_length = {"proxy": samples.proxy, "gold": samples.gold}
    found = [
        rank_correlation(replace(samples, proxy=length, gold=by_length[r]), boot) for r in by_length
    ]
    return tuple(
        msgspec.structs.replace(f.overall, name=f"length_and_{r}")
        for r, f in zip(by_length, found, strict=True)
    )


def _cautions(
    samples: Samples, curves: Sequence[BestOfNCurve | TiltCurve], safe: Mapping[str, SafeKl]
) -> tuple[Caution, ...]:
    """Return what to know of the whole study, and why its verdict may be chance."""
    found = [c for curve in curves for c in curve.cautions]
    turns = [s.largest for s in safe.values() if s.safety is Safety.DECLINES]
    found += [c for turn in turns for c in turn.warnings if c.code == "heavy_tail"]
    if samples.counts.max() == 1:
        found.append(caution("small_n", "one sample a prompt"))
    return merged(found)
