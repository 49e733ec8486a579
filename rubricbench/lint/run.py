"""All gates over a set of rubrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from rubricbench.lint.calibration import Graded, calibration
from rubricbench.lint.finding import Finding, Severity
from rubricbench.lint.together import leakage, together
from rubricbench.lint.weights import weights
from rubricbench.lint.wording import wording
from rubricbench.schema import Rubric

GATES = (wording, weights, together, leakage)


class LintReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the gates found.

    Args:
        rubrics: how many were looked at.
        criteria: how many criteria they have.
        calibrated: prompts whose calibration responses were looked at.
        rules: findings of each rule.
        findings: in the order of the rubrics.
    """

    rubrics: int
    criteria: int
    calibrated: int
    rules: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(f.severity is Severity.ERROR for f in self.findings)


def lint_rubric(rubric: Rubric) -> Iterator[Finding]:
    """Yield what the gates find in one rubric."""
    for gate in GATES:
        yield from gate(rubric)


def lint_rubrics(rubrics: Iterable[Rubric], graded: Iterable[Graded] = ()) -> LintReport:
    """Return what the gates find in rubrics, and in calibration responses graded by them."""
    count = criteria = 0
    findings: list[Finding] = []
    for rubric in rubrics:
        count += 1
        criteria += len(rubric.criteria)
        findings += lint_rubric(rubric)
    given = list(graded)
    findings += calibration(given)
    return LintReport(
        rubrics=count,
        criteria=criteria,
        calibrated=len({g.rubric.prompt_id for g in given}),
        rules=dict(sorted(Counter(f.rule for f in findings).items())),
        findings=tuple(findings),
    )
