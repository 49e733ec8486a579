"""What a gate finds, and the list of gates."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from rubricbench.schema import Criterion, Rubric

MOST_CHARS = 120


class Severity(StrEnum):
    """How sure a finding is."""

    ERROR = "error"
    WARNING = "warning"


class Rule(NamedTuple):
    """A gate.

    Args:
        severity: of what it finds.
        doc: what it refuses, and why.
    """

    severity: Severity
    doc: str


_E, _W = Severity.ERROR, Severity.WARNING
RULES = {
    "compound": Rule(_E, "several requirements in one criterion: a response may meet one of them"),
    "two_claims": Rule(_W, "two claims under one verb, which may be met apart"),
    "refers_outside": Rule(
        _E, "needs another criterion, another response or the prompt to be understood"
    ),
    "unnamed_answer": Rule(
        _W, "asks for what is correct without saying what that is: a weak grader has to know"
    ),
    "unobservable": Rule(_E, "judges by a vague word, or by what the author meant"),
    "vague": Rule(_W, "holds a word that graders read differently"),
    "weight_range": Rule(_W, "a weight beyond the usual 1 to 3 (or −3 to −1) decides the score"),
    "rewarded_fault": Rule(_E, "a positive weight on what reads as a fault"),
    "penalised_absence": Rule(
        _W,
        "a penalty on something missing: a positive criterion says it without a double negative",
    ),
    "duplicate": Rule(_E, "says what another criterion of the rubric says: counted twice"),
    "near_duplicate": Rule(_W, "says nearly what another criterion of the rubric says"),
    "contradiction": Rule(_E, "cannot be met together with another criterion of the rubric"),
    "leaked": Rule(_W, "asks to state what the prompt says already: repeating it would do"),
    "few_criteria": Rule(_W, "so few criteria leave most responses tied"),
    "wrong_order": Rule(_E, "calibration responses are not ordered as their tiers"),
    "saturated": Rule(_W, "met by all or by none of the calibration responses"),
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault.

    Args:
        rule: a key of `RULES`.
        severity: of the rule.
        prompt_id: the rubric's prompt.
        criterion_id: the criterion; empty where the rubric as a whole is meant.
        text: what is the matter, in a line.
        criterion: the criterion's text, cut.
    """

    rule: str
    severity: Severity
    prompt_id: str
    criterion_id: str
    text: str
    criterion: str


def finding(rule: str, rubric: Rubric, criterion: Criterion | None, text: str) -> Finding:
    """Return a finding about a criterion, or about the whole rubric."""
    said = criterion.criterion if criterion else ""
    return Finding(
        rule=rule,
        severity=RULES[rule].severity,
        prompt_id=rubric.prompt_id,
        criterion_id=criterion.id if criterion else "",
        text=text,
        criterion=said if len(said) <= MOST_CHARS else said[: MOST_CHARS - 1] + "…",
    )
