"""lm-eval's ``custom`` filters: called once per task with all responses, so that all are graded at
once. What comes back for each response is its audit (`rubricbench.lmeval.audit`) as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rubricbench.lmeval.audit import Grader, audit_all, check_all
from rubricbench.schema import Rubric

Doc = Mapping[str, Any]
Filter = Callable[[Sequence[Sequence[str]], Sequence[Doc]], list[list[str]]]


def graded_by(grade: Grader) -> Filter:
    """Return the filter that grades all responses of a task by one call of ``grade``."""

    def grade_all(responses: Sequence[Sequence[str]], docs: Sequence[Doc]) -> list[list[str]]:
        rubrics = [Rubric.from_row(doc) for doc in docs]
        pairs = [
            (rubric, text)
            for rubric, texts in zip(rubrics, responses, strict=True)
            for text in texts
        ]
        audits = iter(audit_all(pairs, grade))
        return [[next(audits).to_json() for _ in texts] for texts in responses]

    return grade_all


exact = graded_by(check_all)
