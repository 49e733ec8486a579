"""What reward a graded response gets, and what becomes of an unknown verdict.

Unknown is not unmet. Whose doing it is decides:

* the service's (timeout, 429, 5xx): no reward at all, ``None``, and the trainer leaves the row out;
* the response's own (the judge refuses, overflows, or breaks on it): the low bound of the score,
  or a policy would learn to be unscorable.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from rubricbench.judging.items import Source
from rubricbench.judging.judge import Judged
from rubricbench.schema import Cause


class Standing(StrEnum):
    """How a reward came about."""

    SCORED = "scored"  # every verdict is known
    LOW_BOUND = "low_bound"  # verdicts are unknown by the response's doing
    LOST = "lost"  # verdicts are unknown by the service's doing


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """The reward of one row.

    Args:
        reward: the score, its low bound, or None if the row is lost.
        standing: how it came about.
        coverage: share of the absolute weight whose verdict is known, 0 to 1.
        low: low bound of the score; None where nothing came back at all.
        high: its high bound.
        cause: why a verdict is unknown, the service's causes first; None if all are known.
        fault: what happened, in a line.
        source: where the judge's answers came from.
    """

    reward: float | None
    standing: Standing
    coverage: float = 0.0
    low: float | None = None
    high: float | None = None
    cause: Cause | None = None
    fault: str = ""
    source: Source = Source.NOWHERE


def rule(judged: Judged, *, own_doing: bool = False) -> Ruling:
    """Return the reward of a graded response.

    Args:
        judged: the response, graded.
        own_doing: whether faults of the service are laid to the response: it broke the judge
            again and again, while others were answered.
    """
    score = judged.score
    cause = leading_cause(judged)
    standing = _standing(cause, own_doing)
    rewards = {Standing.SCORED: score.value, Standing.LOW_BOUND: score.low, Standing.LOST: None}
    return Ruling(
        reward=rewards[standing],
        standing=standing,
        coverage=score.coverage,
        low=score.low,
        high=score.high,
        cause=cause,
        fault=judged.fault,
        source=judged.source,
    )


def lost(cause: Cause, fault: str) -> Ruling:
    """Return the ruling on a row that never came back."""
    return Ruling(reward=None, standing=Standing.LOST, cause=cause, fault=fault)


def leading_cause(judged: Judged) -> Cause | None:
    """Return why verdicts are unknown; of several causes, one of the service's before others."""
    causes = [verdict.cause for verdict in judged.verdicts if verdict.cause is not None]
    return next((c for c in causes if c.is_infrastructure), causes[0] if causes else None)


def _standing(cause: Cause | None, own_doing: bool) -> Standing:
    if cause is None:
        return Standing.SCORED
    return Standing.LOST if cause.is_infrastructure and not own_doing else Standing.LOW_BOUND
