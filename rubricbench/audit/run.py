"""The audit: rewards scored on a pool, studied, compared at equal KL, and written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

import rubricbench
from rubricbench.audit.kept import KeptScores
from rubricbench.audit.pool import Pool, PoolSummary, summarise
from rubricbench.audit.rewards import Reward, RewardSpec, Setting, identity_hash, open_reward
from rubricbench.errors import InputError
from rubricbench.metrics.equal_kl import Comparison, compare_at_equal_kl
from rubricbench.metrics.samples import Samples
from rubricbench.overopt.contrasts import sample_contrasts
from rubricbench.overopt.document import Document, Provenance, Source
from rubricbench.overopt.settings import Settings
from rubricbench.overopt.study import study
from rubricbench.runs import RunDirectory

Floats = NDArray[np.float64]


class RewardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One reward, and how it was scored.

    Args:
        name: for people.
        kind: of `rewards.KINDS`.
        target: what it was named by.
        identity: hash of all that decides what it says.
        scored: responses with a reward.
        unknown: responses without one, by cause.
        remarks: what is to be known of the scores.
    """

    name: str
    kind: str
    target: str
    identity: str
    scored: int
    unknown: dict[str, int]
    remarks: tuple[str, ...]


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that an audit found: what ``audit.json`` holds.

    Args:
        document: the study of each reward, as ``rubricbench overopt`` makes it of samples.
        pool: what the pool holds.
        rewards: how each was scored, in the order of the studies.
        comparison: gold at equal KL, paired; None with one reward.
    """

    document: Document
    pool: PoolSummary
    rewards: tuple[RewardRecord, ...]
    comparison: Comparison | None = None


def run_audit(
    pool: Pool,
    specs: Sequence[RewardSpec],
    setting: Setting,
    settings: Settings,
) -> AuditRecord:
    """Score rewards on a pool and study them; a run that was stopped goes on.

    Args:
        pool: the pool.
        specs: the rewards, with different names.
        setting: what they need; scores are kept in its ``out``.
        settings: of the resampling, and what to do with unknown rewards.

    Raises:
        InputError: a reward cannot be found, its scores do not fit, or all are unknown.
        RubricbenchError: a reward could not score all; what it has said is kept.
        RunError: the folder is another pool's or in use, or cannot be written.
    """
    rewards = [open_reward(spec, setting) for spec in specs]
    with RunDirectory(setting.out, command="audit", config={}, data={"pool": pool.sha256}):
        kept = KeptScores(setting.out, pool)
        samples = {r.name: samples_of(pool, kept.values(r), settings, r.name) for r in rewards}
        records = [_record(spec, reward, kept) for spec, reward in zip(specs, rewards, strict=True)]
    studies = tuple(study(name, found, settings) for name, found in samples.items())
    return AuditRecord(
        document=Document(
            provenance=Provenance(
                command="audit",
                version=rubricbench.__version__,
                sources=(_source(pool, samples),),
                seed=settings.seed,
                resamples=settings.resamples,
                level=settings.level,
            ),
            title="Audit of " + ", ".join(samples),
            samples=studies,
            contrasts=sample_contrasts(samples, settings),
        ),
        pool=summarise(pool),
        rewards=tuple(records),
        comparison=_comparison(samples, settings),
    )


def samples_of(pool: Pool, proxy: Floats, settings: Settings, name: str) -> Samples:
    """Return a pool's responses with a reward as their proxy.

    Args:
        pool: the pool.
        proxy: the reward of each, NaN where unknown, shape ``(N,)``.
        settings: says whether rows without a reward or gold are refused or left out.
        name: of the reward, for messages.

    Raises:
        InputError: a reward or gold is unknown and refused, or all are.
    """
    unknown = np.isnan(proxy)
    if unknown.all():
        raise InputError("no response has a reward", where=name)
    if settings.unknown == "refuse":
        for kind, missing in (("reward", unknown), ("gold", np.isnan(pool.gold))):
            if missing.any():
                raise InputError(
                    f"{int(missing.sum()):,} of {len(pool):,} responses have no {kind}, the first "
                    f"{pool.response_ids[int(np.argmax(missing))]!r:.60}",
                    where=name if kind == "reward" else pool.path,
                    hint="leave them out, counted, with --unknown drop",
                )
    return Samples.of(
        pool.prompt_ids,
        proxy,
        pool.gold,
        unknown=settings.unknown,
        length=pool.length,
        response_id=pool.response_ids,
    )


def _comparison(samples: Mapping[str, Samples], settings: Settings) -> Comparison | None:
    if len(samples) < 2:
        return None
    shared = set.intersection(*(set(s.prompts.tolist()) for s in samples.values()))
    return compare_at_equal_kl(samples, boot=settings.boot(sorted(shared)))


def _record(spec: RewardSpec, reward: Reward, kept: KeptScores) -> RewardRecord:
    scores = kept.scored(reward).values()
    unknown = Counter(s.cause or "unknown" for s in scores if s.value is None)
    return RewardRecord(
        name=spec.name,
        kind=spec.kind,
        target=spec.target,
        identity=identity_hash(reward),
        scored=sum(s.value is not None for s in scores),
        unknown=dict(unknown),
        remarks=tuple(reward.remarks),
    )


def _source(pool: Pool, samples: Mapping[str, Samples]) -> Source:
    return Source(
        path=pool.path,
        kind="samples",
        rows=len(pool),
        left_out=max(s.left_out for s in samples.values()),
        sha256=pool.sha256,
        columns={"gold": "gold"},
    )
