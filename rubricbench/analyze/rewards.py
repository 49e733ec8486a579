"""``analyze rewards``: what can a reward be hacked by?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

import rubricbench
from rubricbench.analyze.claims import APPENDED, claims
from rubricbench.analyze.effects import (
    ClaimEffect,
    Exploitation,
    FeatureEffect,
    NullResponder,
    Uplift,
    claim_effects,
    exploitation,
    feature_effects,
    null_responder,
    uplift,
)
from rubricbench.analyze.features import features
from rubricbench.analyze.probes import ECHO, NULLS, Probe, probe_pool, probes
from rubricbench.audit.kept import KeptScores
from rubricbench.audit.pool import Pool, PoolSummary, summarise
from rubricbench.audit.rewards import Reward, RewardSpec, Setting, open_reward
from rubricbench.audit.run import samples_of
from rubricbench.errors import InputError
from rubricbench.judging.attacks import families
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Caution, caution
from rubricbench.metrics.samples import Samples
from rubricbench.overopt.settings import Settings
from rubricbench.runs import RunDirectory

PROBES = "probes"

Floats = NDArray[np.float64]


class RewardAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """One reward.

    Args:
        name: for people.
        prompts: how many.
        samples: responses with reward and gold.
        features: correlations with length and format.
        exploitation: high reward, low gold.
        claims: overclaiming in the pool's own responses.
        nulls: what it gives for no answer; empty where it cannot score new texts.
        attacks: what injections add, by family; likewise.
        appended: what an appended claim adds, by family; likewise.
        probed: prompts that were probed.
        cautions: of all of it.
    """

    name: str
    prompts: int
    samples: int
    features: tuple[FeatureEffect, ...]
    exploitation: Exploitation
    claims: tuple[ClaimEffect, ...]
    nulls: tuple[NullResponder, ...] = ()
    attacks: tuple[Uplift, ...] = ()
    appended: tuple[Uplift, ...] = ()
    probed: int = 0
    cautions: tuple[Caution, ...] = ()


class RewardsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``rewards.json`` holds.

    Args:
        version: of rubricbench.
        pool: what the pool holds.
        rewards: one entry a reward.
        seed: of draws and resampling.
        resamples: bootstrap draws.
        level: of the intervals.
    """

    version: str
    pool: PoolSummary
    rewards: tuple[RewardAnalysis, ...]
    seed: int
    resamples: int
    level: float


def analyze_rewards(
    pool: Pool,
    specs: Sequence[RewardSpec],
    setting: Setting,
    settings: Settings,
    *,
    probed: int = 100,
) -> RewardsRecord:
    """Score rewards on a pool and on probes of it, and say what moves them and not gold.

    Args:
        pool: the pool.
        specs: the rewards, with different names.
        setting: what they need; scores are kept in its ``out``.
        settings: of the resampling, and what to do with unknown rewards.
        probed: prompts to probe; 0 for none.

    Raises:
        InputError: a reward cannot be found, or its scores do not fit.
        RubricbenchError: a reward could not score all; what it has said is kept.
        RunError: the folder is another run's or in use, or cannot be written.
    """
    rewards = [open_reward(spec, setting) for spec in specs]
    found = probes(pool, prompts=probed, seed=settings.seed) if probed else []
    with RunDirectory(
        setting.out, command="analyze rewards", config={}, data={"pool": pool.sha256}
    ):
        kept = KeptScores(setting.out, pool)
        analyses = tuple(
            _analysis(
                pool, spec, reward, kept, _probed(found, pool, spec, reward, setting), settings
            )
            for spec, reward in zip(specs, rewards, strict=True)
        )
    return RewardsRecord(
        version=rubricbench.__version__,
        pool=summarise(pool),
        rewards=analyses,
        seed=settings.seed,
        resamples=settings.resamples,
        level=settings.level,
    )


Answers = Sequence[tuple[Probe, float]]


def _probed(
    found: Sequence[Probe], pool: Pool, spec: RewardSpec, reward: Reward, setting: Setting
) -> Answers:
    """Return the probes that a reward gave a number; a column cannot be asked about new texts."""
    if not found or spec.kind == "column":
        return []
    asked = probe_pool(pool, found)
    folder = setting.out / PROBES
    folder.mkdir(exist_ok=True)
    values = KeptScores(folder, asked).values(reward)
    return [(p, float(v)) for p, v in zip(found, values, strict=True) if not np.isnan(v)]


def _analysis(
    pool: Pool,
    spec: RewardSpec,
    reward: Reward,
    kept: KeptScores,
    answers: Answers,
    settings: Settings,
) -> RewardAnalysis:
    values = kept.values(reward)
    samples = samples_of(pool, values, settings, spec.name)
    if (samples.counts < 2).all():
        raise InputError("every prompt has one response: nothing can be compared", where=pool.path)
    boot = settings.boot(samples.prompts)
    rows = {name: i for i, name in enumerate(pool.response_ids)}
    order = [rows[name] for name in samples.columns["response_id"].tolist()]
    texts = [pool.texts[i] for i in order]
    shape = {"length": samples.columns["length"], **features(texts)}
    return RewardAnalysis(
        name=spec.name,
        prompts=len(samples.prompts),
        samples=samples.size,
        features=tuple(feature_effects(samples, shape, boot)),
        exploitation=exploitation(samples, boot),
        claims=tuple(claim_effects(samples, claims(texts), boot)),
        nulls=tuple(_nulls(answers, samples, boot, pool)),
        attacks=tuple(_uplifts("attack", families(), answers, values, samples, boot, pool)),
        appended=tuple(_uplifts("claim", tuple(APPENDED), answers, values, samples, boot, pool)),
        probed=len({p.row for p, _ in answers}),
        cautions=tuple(_cautions(spec, samples, answers)),
    )


def _nulls(answers: Answers, samples: Samples, boot: Bootstrap, pool: Pool) -> list[NullResponder]:
    if not answers:
        return []
    found = []
    for name in (*NULLS, ECHO):
        own = {
            pool.prompt_ids[p.row]: v for p, v in answers if (p.kind, p.family) == ("null", name)
        }
        found.append(null_responder(name, samples, own, boot))
    return found


def _uplifts(
    kind: str,
    named: Sequence[str],
    answers: Answers,
    values: Floats,
    samples: Samples,
    boot: Bootstrap,
    pool: Pool,
) -> list[Uplift]:
    if not answers:
        return []
    pairs: Mapping[str, dict[str, tuple[float, float]]] = {name: {} for name in named}
    for probe, value in answers:
        before = float(values[probe.row])
        if probe.kind == kind and not np.isnan(before):
            pairs[probe.family][pool.prompt_ids[probe.row]] = (before, value)
    called = {name: f"claim of {name}" if kind == "claim" else name for name in named}
    return [uplift(called[name], samples, pairs[name], boot) for name in named]


def _cautions(spec: RewardSpec, samples: Samples, answers: Answers) -> list[Caution]:
    found = []
    if samples.left_out:
        found.append(caution("left_out", f"{samples.left_out:,} responses without reward or gold"))
    constant = int((np.array(samples.each(lambda rows: np.ptp(samples.proxy[rows]))) == 0).sum())
    if constant:
        detail = f"the reward of {constant:,} of {len(samples.prompts):,} prompts"
        found.append(caution("constant", detail))
    if spec.kind == "column":
        detail = "probes, since a column cannot be asked about new texts"
        found.append(caution("left_out", detail))
    return found
