"""The audit trail of one response: what was scored, by which verdicts, to which score.

lm-eval turns everything it logs into strings, so an audit travels as one JSON text: it is what a
task's filter returns, what the metrics are computed from, and what ``--log_samples`` writes into
``filtered_resps``, where `Audit.from_json` reads it back.

Reasoning is not the answer. What stands before the last ``</think>`` is taken off before scoring,
whether the response or the prompt's template opened the block (`rubricbench.judging.reasoning`). A
block that is never closed leaves an empty answer, marked ``unfinished_reasoning``. The raw response
stays in lm-eval's ``resps``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from rubricbench import checks
from rubricbench.errors import SchemaError
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.lmeval.generation import finish_reason
from rubricbench.schema import Cause, Criterion, Rubric, Status, Verdict, unknown
from rubricbench.scoring import Contribution, score

# All (rubric, answer) pairs of a task at once; one list of verdicts for each, in order.
Grader = Callable[[Sequence[tuple[Rubric, str]]], Sequence[Sequence[Verdict]]]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion of a response, with its verdict.

    Args:
        id: id of the criterion.
        criterion: the statement.
        weight: negative for a penalty.
        family: the check family; empty where a judge decides.
        tags: its labels.
        status: met, unmet or unknown.
        p_met: probability that it is met, for a soft verdict.
        cause: why it is unknown.
        evidence: what the verifier saw.
        contribution: what it added to the score; None where unknown.
    """

    id: str
    criterion: str
    weight: int | float
    family: str
    tags: tuple[str, ...]
    status: Status
    p_met: float | None
    cause: Cause | None
    evidence: str
    contribution: float | None

    @property
    def passed(self) -> bool | None:
        """True if it is to the response's credit: met, or a penalty not met; None if unknown."""
        if self.status is Status.UNKNOWN:
            return None
        return (self.status is Status.MET) == (self.weight > 0)

    @property
    def verdict(self) -> Verdict:
        """The verdict alone."""
        return Verdict(
            criterion_id=self.id,
            status=self.status,
            p_met=self.p_met,
            cause=self.cause,
            evidence=self.evidence,
        )


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """How one response was scored.

    Args:
        prompt_id: the prompt.
        rubric_id: the rubric, by content.
        answer: the text that was scored.
        words: its whitespace-separated words.
        finish_reason: how generation ended; empty where the backend does not say.
        unfinished_reasoning: True where the reasoning block was never closed.
        value: the score; None where a verdict is unknown.
        low: the score with every unknown turned against the response.
        high: the score with every unknown turned in its favour.
        coverage: share of the absolute weight whose verdict is known.
        all_met: True if every criterion is met and no penalty is; None while undecided.
        strategy: the aggregation.
        verdicts: one per criterion, in the rubric's order.
    """

    prompt_id: str
    rubric_id: str
    answer: str
    words: int
    finish_reason: str
    unfinished_reasoning: bool
    value: float | None
    low: float
    high: float
    coverage: float
    all_met: bool | None
    strategy: str
    verdicts: tuple[Judged, ...]

    def to_json(self) -> str:
        """Return the audit as one line of JSON."""
        return msgspec.json.encode(self).decode("utf-8")

    @classmethod
    def from_json(cls, text: str) -> Audit:
        """Read an audit back.

        Raises:
            SchemaError: ``bad_json``: the text is no audit.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            raise SchemaError("bad_json", f"not an audit of a response: {error}") from None


def audit_all(pairs: Sequence[tuple[Rubric, str]], grade: Grader) -> list[Audit]:
    """Grade all responses in one go and return their audits, in order.

    Args:
        pairs: a rubric and a raw response each.
        grade: gives the verdicts on all answers; called once.
    """
    split = [_split(response) for _, response in pairs]
    answers = [(rubric, s[0]) for (rubric, _), s in zip(pairs, split, strict=True)]
    graded = grade(answers)
    return [
        _audit(rubric, answer, unfinished, finish_reason(raw), verdicts)
        for (rubric, raw), (answer, unfinished), verdicts in zip(pairs, split, graded, strict=True)
    ]


def check_all(pairs: Sequence[tuple[Rubric, str]]) -> list[list[Verdict]]:
    """Grade by exact checks: the `Grader` of tasks that need no judge."""
    return [checks.check_response(rubric, answer) for rubric, answer in pairs]


def _split(response: str) -> tuple[str, bool]:
    """Return the text to be scored, and whether the reasoning before it was left unfinished."""
    # Half of a surrogate pair can be neither hashed nor logged; it becomes a question mark.
    text = str(response).encode("utf-8", "replace").decode("utf-8")
    split = split_reasoning(text)
    return split.answer.strip(), not split.complete


def _audit(
    rubric: Rubric,
    answer: str,
    unfinished: bool,
    ended: str,
    verdicts: Sequence[Verdict],
) -> Audit:
    result = score(rubric, verdicts)
    by_id = {v.criterion_id: v for v in verdicts}
    judged = tuple(
        _judged(criterion, by_id.get(criterion.id) or unknown(criterion.id, Cause.NOT_JUDGED), part)
        for criterion, part in zip(rubric.criteria, result.contributions, strict=True)
    )
    return Audit(
        prompt_id=rubric.prompt_id,
        rubric_id=rubric.id,
        answer=answer,
        words=len(answer.split()),
        finish_reason=ended,
        unfinished_reasoning=unfinished,
        value=result.value,
        low=result.low,
        high=result.high,
        coverage=result.coverage,
        all_met=result.all_met,
        strategy=result.strategy,
        verdicts=judged,
    )


def _judged(criterion: Criterion, verdict: Verdict, contribution: Contribution) -> Judged:
    return Judged(
        id=criterion.id,
        criterion=criterion.criterion,
        weight=criterion.weight,
        family=criterion.check.name if criterion.check else "",
        tags=criterion.tags,
        status=verdict.status,
        p_met=verdict.p_met,
        cause=verdict.cause,
        evidence=verdict.evidence,
        contribution=contribution.amount,
    )
