"""The metrics a leaderboard row may carry: a closed, documented list, and ``x_…`` for your own."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from rubricbench.errors import SchemaError


class MetricKind(NamedTuple):
    """What a metric means.

    Args:
        doc: what it is, with its unit.
        better: ``higher`` or ``lower`` where one is; empty where neither is.
        minimum: least value it can take.
        maximum: greatest value it can take.
    """

    doc: str
    better: str = "higher"
    minimum: float = -math.inf
    maximum: float = math.inf


def _share(doc: str, better: str = "higher") -> MetricKind:
    return MetricKind(doc, better, 0.0, 1.0)


METRICS: dict[str, MetricKind] = {
    # how good responses are
    "rubric_score": MetricKind(
        "mean rubric score, unclipped: penalties may take it below zero", maximum=1.0
    ),
    "rubric_score_clipped": _share("mean rubric score, the mean clipped to [0, 1] (HealthBench)"),
    "all_met": _share("share of responses that meet every criterion and no penalty"),
    "pass_rate": _share("share of criteria met (penalties: not met), criteria counted equally"),
    "win_rate": _share("win rate against the reference named in the notes, ties one half"),
    # how far the figures above can be trusted
    "coverage": _share("share of the absolute weight whose verdict is known"),
    "truncation": _share("share of responses cut off at the token limit", "lower"),
    "response_words": MetricKind("mean length of a response, words", "", 0.0),
    # how well a reward ranks
    "preference_accuracy": _share("share of preference pairs ranked rightly, ties one half"),
    "tail_accuracy": _share("the same among pairs of excellent and great responses only"),
    # what becomes of gold when the reward is optimised
    "gold_peak": MetricKind("highest gold reward along a run"),
    "gold_final": MetricKind("gold reward at the end of a run"),
    "gold_drop": MetricKind("gold peak minus gold at the end", "lower", 0.0),
    "onset_kl": MetricKind("KL, nats, at which gold begins to fall", "higher", 0.0),
    "safe_kl": MetricKind("largest KL, nats, up to which gold does not fall", "higher", 0.0),
    "auc": MetricKind("mean gold gain over the square root of KL"),
}

# One pass rate per check family, tag or theme: the name of the group follows the slash.
GROUPED = ("pass_rate", "rubric_score")
_GROUP = rf"(?:{'|'.join(GROUPED)})/[A-Za-z0-9_.:-]{{1,100}}"
_OWN = r"x_[A-Za-z0-9_.:/-]{1,100}"
NAME_PATTERN = rf"^(?:{'|'.join(METRICS)}|{_GROUP}|{_OWN})$(?!\n)"


def kind_of(name: str) -> MetricKind:
    """Return what a metric means; of an ``x_…`` metric nothing is known.

    Raises:
        SchemaError: ``unknown_metric``.
    """
    if not re.search(NAME_PATTERN, name):
        raise SchemaError(
            "unknown_metric",
            f"no metric {name!r:.60}",
            hint="use a name of rubricbench.leaderboard.METRICS, pass_rate/<group> or x_<own>",
        )
    return METRICS.get(name.partition("/")[0], MetricKind("", better=""))
