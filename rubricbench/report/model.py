"""What a report shows: a frozen tree of plain values, filled from the outputs of a run.

`ReportData` holds no statistics: means, intervals and pass rates are computed from the samples by
the report itself, so that a report cannot show a number that its own samples contradict.

    data = ReportData(
        title="SmolLM2 on verifiable prompts",
        created="2025-01-31T12:00:00Z",
        responders=(
            Responder("SmolLM2-135M-Instruct"),
            Responder("empty", kind=Kind.FLOOR, description="an empty response"),
            Responder("solver", kind=Kind.CEILING, description="meets every criterion"),
        ),
        samples=tuple(sample_view(rubric, text, name, verdicts) for …),
        configuration={"task": "rubricbench_verifiable", "limit": 40},
        versions={"rubricbench": "0.1.0"},
    )
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rubricbench.errors import InputError
from rubricbench.schema import Cause, Criterion, Message, Rubric, Status, Verdict
from rubricbench.scoring import Contribution, Score, score


class Kind(StrEnum):
    """What a responder is in the comparison."""

    MODEL = "model"
    FLOOR = "floor"  # what anyone scores without answering: empty, echo of the prompt
    CEILING = "ceiling"  # a response built to meet every criterion


@dataclass(frozen=True)
class Responder:
    """Someone who answered the prompts.

    Args:
        name: as in `SampleView.responder`.
        kind: a model under test, or one of the bracketing baselines.
        description: what it does, in a few words ("repeats the prompt").
    """

    name: str
    kind: Kind = Kind.MODEL
    description: str = ""


@dataclass(frozen=True)
class VerdictView:
    """One criterion of one sample, with its verdict.

    Args:
        criterion: the statement.
        weight: negative for a penalty.
        status: met, unmet or unknown.
        family: what pass rates are grouped by: the check family, or a tag of your choice;
            empty leaves the criterion out of the family chart.
        tags: further labels.
        p_met: probability that it is met, for a soft verdict.
        cause: why the status is unknown; None where it is known.
        evidence: what the verifier saw.
        contribution: what it added to the score (`Contribution.amount`); None where unknown.
    """

    criterion: str
    weight: int | float
    status: Status
    family: str = ""
    tags: tuple[str, ...] = ()
    p_met: float | None = None
    cause: Cause | None = None
    evidence: str = ""
    contribution: float | None = None

    @property
    def passed(self) -> bool | None:
        """True if the verdict is to the response's credit: met, or a penalty not met."""
        if self.status is Status.UNKNOWN:
            return None
        return (self.status is Status.MET) == (self.weight > 0)


@dataclass(frozen=True)
class SampleView:
    """One response with its score.

    Args:
        prompt_id: id of the prompt; samples of one prompt are resampled together.
        messages: the conversation that was answered, oldest turn first.
        response: the answer, as text.
        responder: name of a `Responder` of the report.
        value: the score; None where a verdict is unknown.
        low: the score with every unknown turned against the response.
        high: the score with every unknown turned in its favour.
        coverage: share of the absolute weight whose verdict is known, 0 to 1.
        verdicts: one per criterion, in the rubric's order.
        finish_reason: ``stop``, ``length`` or what the backend said; empty if it did not.
        words: number of whitespace-separated words of the response.
    """

    prompt_id: str
    messages: tuple[Message, ...]
    response: str
    responder: str
    value: float | None
    low: float
    high: float
    coverage: float
    verdicts: tuple[VerdictView, ...]
    finish_reason: str = ""
    words: int = 0

    @property
    def all_passed(self) -> bool | None:
        """True if every criterion passed; None while that is undecided."""
        passed = [v.passed for v in self.verdicts]
        if False in passed:
            return False
        return None if None in passed else True


@dataclass(frozen=True)
class ReportData:
    """Everything one evaluation report shows.

    Args:
        title: heading of the page.
        created: when the run was made, ISO 8601.
        responders: in the order to be shown, models first.
        samples: every response of every responder, in any order.
        configuration: the run's settings, nested as you like; shown flattened.
        versions: package name to version.
        dataset: what the prompts are, in a few words ("verifiable/test, first 40 prompts").
        command: the command that makes this report again.
        notes: remarks the reader should see beside the numbers.
        canary: string that marks benchmark text; printed in the page, so that a crawl can drop it.
        seed: key of the bootstrap's randomness.

    Raises:
        InputError: no responder or sample, a name twice, or a sample of an undeclared responder.
    """

    title: str
    created: str
    responders: tuple[Responder, ...]
    samples: tuple[SampleView, ...]
    configuration: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""
    command: str = ""
    notes: tuple[str, ...] = ()
    canary: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        names = [r.name for r in self.responders]
        if len(set(names)) != len(names):
            raise InputError("two responders of a report have the same name")
        if not self.samples:
            raise InputError("a report needs at least one sample")
        strangers = sorted({s.responder for s in self.samples} - set(names))
        if strangers:
            raise InputError(
                f"samples of a responder the report does not declare: {strangers[0]!r:.80}"
            )
        silent = sorted(set(names) - {s.responder for s in self.samples})
        if silent:
            raise InputError(f"a responder of the report has no samples: {silent[0]!r:.80}")

    def ordered(self) -> ReportData:
        """Return the same data with its samples in one order, whatever order they came in.

        Sums of floats, and marks drawn one over the other, depend on it.
        """
        place = {r.name: i for i, r in enumerate(self.responders)}
        samples = sorted(self.samples, key=lambda s: (place[s.responder], s.prompt_id, s.response))
        return replace(self, samples=tuple(samples))


def sample_view(
    rubric: Rubric,
    response: str,
    responder: str,
    verdicts: Iterable[Verdict],
    *,
    scored: Score | None = None,
    finish_reason: str = "",
) -> SampleView:
    """Return the view of one response.

    Args:
        rubric: the rubric it was scored by.
        response: its text.
        responder: who wrote it.
        verdicts: one per criterion; a criterion without one is unknown (``not_judged``).
        scored: the score, where another strategy than the weighted mean was used.
        finish_reason: as the backend gave it.

    Raises:
        InputError: the verdicts do not fit the rubric.
    """
    found = list(verdicts)
    result = scored or score(rubric, found)
    by_id = {v.criterion_id: v for v in found}
    views = tuple(
        _verdict_view(criterion, by_id.get(criterion.id), contribution)
        for criterion, contribution in zip(rubric.criteria, result.contributions, strict=True)
    )
    return SampleView(
        prompt_id=rubric.prompt_id,
        messages=rubric.prompt.messages,
        response=response,
        responder=responder,
        value=result.value,
        low=result.low,
        high=result.high,
        coverage=result.coverage,
        verdicts=views,
        finish_reason=finish_reason,
        words=len(response.split()),
    )


def _verdict_view(
    criterion: Criterion, verdict: Verdict | None, contribution: Contribution
) -> VerdictView:
    return VerdictView(
        criterion=criterion.criterion,
        weight=criterion.weight,
        status=contribution.status,
        family=criterion.check.name if criterion.check else "",
        tags=criterion.tags,
        p_met=verdict.p_met if verdict else None,
        cause=verdict.cause if verdict else Cause.NOT_JUDGED,
        evidence=verdict.evidence if verdict else "",
        contribution=contribution.amount,
    )
