"""What a run came to: the numbers of its summary, and the same as leaderboard rows."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import msgspec

import rubricbench
from rubricbench.leaderboard import DatasetIdentity, LeaderboardRow, Metric
from rubricbench.report import Kind, ReportData
from rubricbench.report.bootstrap import LEVEL, Estimate, Method
from rubricbench.report.summary import ResponderSummary, Summary, summarise

_METHODS = {
    Method.BOOTSTRAP: "cluster bootstrap over prompts",
    Method.WILSON: "Wilson score interval, n prompts",
    Method.NONE: "",
}


class ResponderOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One responder's result.

    Args:
        name: the responder.
        kind: ``model``, ``floor`` or ``ceiling``.
        prompts: how many it answered.
        metrics: by name, as in `rubricbench.leaderboard.METRICS`.
    """

    name: str
    kind: str
    prompts: int
    metrics: dict[str, Metric]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a quickstart run leaves behind.

    Args:
        report: the HTML page; in the file of the run, relative to its folder.
        created: when the run began, UTC.
        model: name of the model.
        revision: its content id.
        dataset: what was asked.
        responders: the model first.
    """

    report: str
    created: str
    model: str
    revision: str
    dataset: DatasetIdentity
    responders: tuple[ResponderOutcome, ...]


def responder_outcomes(data: ReportData) -> tuple[ResponderOutcome, ...]:
    """Return the result of every responder, from the samples of the report."""
    summary = summarise(data)
    return tuple(
        ResponderOutcome(
            name=found.responder.name,
            kind=found.responder.kind.value,
            prompts=found.prompts,
            metrics=_metrics(data, found) | _pass_rates(summary, found.responder.name),
        )
        for found in summary.responders
    )


def _pass_rates(summary: Summary, responder: str) -> dict[str, Metric]:
    return {
        f"pass_rate/{row.family}": _metric(row.rates[responder])
        for row in sorted(summary.families, key=lambda row: row.family)
        if responder in row.rates
    }


def _metrics(data: ReportData, found: ResponderSummary) -> dict[str, Metric]:
    words = [s.words for s in data.samples if s.responder == found.responder.name]
    metrics = {
        "rubric_score": _metric(found.mean),
        "all_met": _metric(found.all_met),
        "pass_rate": _metric(found.satisfied),
        "coverage": Metric(value=found.coverage, n=found.prompts),
        "response_words": Metric(value=fmean(words), n=found.prompts),
    }
    if found.truncated is not None:
        metrics["truncation"] = Metric(value=found.truncated / found.samples, n=found.prompts)
    return metrics


def _metric(estimate: Estimate) -> Metric:
    low, high = estimate.interval or (None, None)
    return Metric(
        value=estimate.value,
        low=low,
        high=high,
        level=LEVEL,
        n=estimate.prompts,
        method=_METHODS[estimate.method],
    )


def leaderboard_rows(outcome: Outcome, *, seed: int, notes: Sequence[str]) -> list[LeaderboardRow]:
    """Return one row per responder; the bracketing ones are marked as baselines.

    Args:
        outcome: the run's result.
        seed: the run's seed.
        notes: remarks that belong to every row.
    """
    shared: dict[str, Any] = {
        "kind": "model",
        "dataset": outcome.dataset,
        "seeds": (seed,),
        "created": outcome.created,
        "rubricbench": rubricbench.__version__,
        "notes": " ".join(notes),
    }
    return [
        LeaderboardRow(
            name=responder.name,
            revision=outcome.revision if responder.kind == Kind.MODEL else "",
            metrics=responder.metrics,
            baseline=responder.kind != Kind.MODEL,
            **shared,
        )
        for responder in outcome.responders
    ]
