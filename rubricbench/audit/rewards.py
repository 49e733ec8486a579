"""Rewards by name: what ``rubricbench audit REWARD`` takes, and what every reward can do.

============================  =====================================================================
``model:PATH``                a sequence-classification reward model of transformers'
``judge:CONFIG.yaml``         a judge with the rubrics of ``--rubrics`` (``judge`` alone: the
                              judge of the options)
``checks``                    the rubrics of ``--rubrics``, whose criteria are all checked exactly
``python:MODULE:FUNCTION``    ``function(prompts, responses) -> list[float]``
``column:NAME``               a column of the pool; ``column:FILE:NAME`` joins one by response_id
============================  =====================================================================

``NAME=`` before it gives it a name of its own: ``short=python:rewards:brevity``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from rubricbench.audit.pool import Pool
from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig

KINDS = ("model", "judge", "checks", "python", "column")
_SPEC = re.compile(r"(?:(?P<name>[^=:/\\]{1,60})=)?(?P<kind>[a-z]+)(?::(?P<target>.*))?", re.DOTALL)


class RewardSpec(msgspec.Struct, frozen=True):
    """A reward as it was named.

    Args:
        name: for people; no two rewards of an audit have the same.
        kind: one of `KINDS`.
        target: what follows the kind.
    """

    name: str
    kind: str
    target: str = ""


class Scored(msgspec.Struct, frozen=True):
    """What a reward says of one response.

    Args:
        value: the reward; None where it is unknown.
        cause: why it is unknown; empty where it is not.
    """

    value: float | None
    cause: str = ""


Keep = Callable[[Mapping[int, Scored]], None]
"""Takes scores as they come, by row of the pool, and puts them where they outlive a kill."""


class Reward(Protocol):
    """A reward that can be audited.

    Attributes:
        name: for people.
        identity: all that decides what it says, as plain values; scores are kept under its hash.
        remarks: what is to be known of its scores, such as texts that were cut.
    """

    name: str
    identity: dict[str, Any]
    remarks: list[str]

    def score(self, pool: Pool, rows: Sequence[int], keep: Keep) -> None:
        """Score rows of a pool, keeping scores as they come.

        Raises:
            RubricbenchError: they cannot be scored; what was kept stays.
        """
        ...


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What rewards need beside their names.

    Args:
        out: the folder of the audit; judges keep their answers in it.
        rubrics: a file or dataset, for judges and checks.
        judge: the judge of the options, for ``judge``.
        strategy: aggregation of verdicts to a score.
        store: completion store for judges; in ``out`` by default.
        caps: the most that judges may spend.
        prices: price file.
        batch: responses to a call of a model or function.
        max_length: tokens a model reads of prompt and response; None for what it can.
        quiet: show no progress.
    """

    out: Path
    rubrics: str = ""
    judge: JudgeConfig | None = None
    strategy: str = "weighted_mean"
    store: Path | None = None
    caps: Any = None
    prices: Path | None = None
    batch: int = 16
    max_length: int | None = None
    quiet: bool = True


def parse_reward(text: str) -> RewardSpec:
    """Read the name of a reward.

    Raises:
        InputError: no such kind, or a target is missing.
    """
    match = _SPEC.fullmatch(text)
    kind, target = (match["kind"], match["target"] or "") if match else ("", "")
    if kind not in KINDS:
        raise InputError(
            f"no reward {text!r:.80}",
            hint="model:PATH, judge:CONFIG.yaml, checks, python:MODULE:FUNCTION or column:NAME",
        )
    if not target and kind in ("model", "python", "column"):
        raise InputError(f"the reward {text!r:.80} names nothing after {kind}:")
    assert match is not None
    return RewardSpec(match["name"] or _default_name(kind, target), kind, target)


def parse_rewards(texts: Sequence[str]) -> list[RewardSpec]:
    """Read the names of the rewards of one audit.

    Raises:
        InputError: as `parse_reward`; or two have one name.
    """
    specs = [parse_reward(text) for text in texts]
    names = [spec.name for spec in specs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two rewards are called {twice!r:.60}", hint="name them: first=…, second=…"
        )
    return specs


def _default_name(kind: str, target: str) -> str:
    if kind in ("python", "column"):
        return target.rpartition(":")[2] or kind
    return Path(target).stem[:60] if target and kind in ("model", "judge") else kind


def open_reward(spec: RewardSpec, setting: Setting) -> Reward:
    """Return a reward, ready to score.

    Raises:
        InputError: it cannot be found or does not fit.
        MissingExtraError: a package it needs is not installed.
    """
    if spec.kind == "model":
        from rubricbench.audit.model_reward import ModelReward

        return ModelReward(spec, setting)
    if spec.kind in ("judge", "checks"):
        from rubricbench.audit.judge_reward import JudgeReward

        return JudgeReward(spec, setting)
    if spec.kind == "python":
        from rubricbench.audit.python_reward import PythonReward

        return PythonReward(spec, setting)
    from rubricbench.audit.column_reward import ColumnReward

    return ColumnReward(spec)


def identity_hash(reward: Reward) -> str:
    """Return the hash that scores of a reward are kept under."""
    return hashlib.sha256(canonical_json(reward.identity)).hexdigest()
