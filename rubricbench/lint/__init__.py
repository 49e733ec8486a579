"""Quality gates for rubrics, anyone's: what a program can see of a rubric that will not work.

    for finding in lint_rubric(rubric):
        print(finding.rule, finding.text)

An *error* is a fault whatever the domain; a *warning* is a sign that is often one and sometimes
not. `RULES` documents every rule.
"""

from rubricbench.lint.finding import RULES, Finding, Severity
from rubricbench.lint.run import LintReport, lint_rubric, lint_rubrics

__all__ = ["RULES", "Finding", "LintReport", "Severity", "lint_rubric", "lint_rubrics"]
