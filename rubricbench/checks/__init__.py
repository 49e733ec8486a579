"""Exact, programmatic criteria: a check is a criterion that needs no judge.

`check_response` turns a rubric and a text into verdicts for every criterion that has a check;
`describe` puts a check into words; `rubricbench.checks.registry` says how to add a family.
"""

from __future__ import annotations

# Importing a module registers its families.
from rubricbench.checks import (  # noqa: F401
    case,
    content,
    ending,
    facts,
    formatting,
    keywords,
    language,
    length,
    lists,
    markup,
    readability,
    schema_checks,
    structure,
    style,
    vocabulary,
    whole,
)
from rubricbench.checks.registry import (
    MAX_CHECKED_CHARS,
    Family,
    Outcome,
    Param,
    complete,
    get,
    registered,
)
from rubricbench.checks.text import normalize
from rubricbench.schema import Cause, Check, Criterion, Rubric, Verdict, met, unknown, unmet

__all__ = [
    "Family",
    "Outcome",
    "Param",
    "check_response",
    "complete",
    "describe",
    "get",
    "registered",
    "run",
    "verify",
]


def run(check: Check, text: str) -> Outcome:
    """Run one check on a response, which it sees in its normal form (`text.normalize`).

    An empty response meets no check, also where it has nothing that a check forbids: it answers
    nothing, and a policy must not earn "no commas" by silence (IFEval does the same).

    Raises:
        SchemaError: ``bad_check``.
    """
    found, params = complete(check)
    if not text or text.isspace():
        return Outcome(False, "the response is empty")
    return found.evaluate(normalize(text), params)


def describe(check: Check) -> str:
    """Return the check as a criterion sentence: "The response …".

    Raises:
        SchemaError: ``bad_check``.
    """
    found, params = complete(check)
    return found.describe(params)


def verify(criterion: Criterion, text: str) -> Verdict:
    """Return the verdict on a criterion; unknown where it has no check or the text is too long.

    Raises:
        SchemaError: ``bad_check``.
    """
    if criterion.check is None:
        return unknown(criterion.id, Cause.NOT_JUDGED, "needs a judge")
    if len(text) > MAX_CHECKED_CHARS:
        return unknown(criterion.id, Cause.OVERFLOW, f"{len(text):,} characters")
    outcome = run(criterion.check, text)
    verdict = met if outcome.met else unmet
    return verdict(criterion.id, outcome.evidence)


def check_response(rubric: Rubric, text: str) -> list[Verdict]:
    """Return one verdict per criterion; those that need a judge are unknown (``not_judged``)."""
    return [verify(criterion, text) for criterion in rubric.criteria]
