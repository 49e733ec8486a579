"""Verifying a response against its rubric."""

from __future__ import annotations

from rubricbench.checks import check_response
from rubricbench.schema import Criterion, Rubric


def missed_by(rubric: Rubric, text: str) -> list[Criterion]:
    """Return the criteria that keep a text from the full score (penalties incurred among them)."""
    verdicts = check_response(rubric, text)
    return [
        criterion
        for criterion, verdict in zip(rubric.criteria, verdicts, strict=True)
        if verdict.credit != (0.0 if criterion.is_penalty else 1.0)
    ]
