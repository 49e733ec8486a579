"""One verdict out of several: of replicates of a judge, or of different judges.

Two rules, both per criterion, and neither guesses:

``share``
    p_met is the mean credit of the known verdicts: of hard ones the share that is met. The status
    is met from one half on, as in `rubricbench.scoring`. It takes more known verdicts than unknown
    ones.

``majority``
    A hard verdict: that of more than half of all voters, the unknown ones counted among them, so
    that nothing they might have said could turn it. An even split is unknown, cause ``tied``.

Where too few verdicts are known the vote is unknown. Its cause is the voters' most frequent one,
the service's before others: those may be had by asking again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from rubricbench.errors import InputError
from rubricbench.schema import Cause, Status, Verdict, unknown

RULES = ("share", "majority")


class Vote(msgspec.Struct, frozen=True):
    """What several verdicts on one criterion came to.

    Args:
        verdict: the verdict they make.
        met: how many say met.
        unmet: how many say unmet.
        unknown: how many are unknown.
        spread: standard deviation of the known verdicts' credits, that of a sample (n - 1); None
            of fewer than two.
    """

    verdict: Verdict
    met: int
    unmet: int
    unknown: int
    spread: float | None

    @property
    def side(self) -> Status | None:
        """The side that more voters took; None if neither."""
        if self.met == self.unmet:
            return None
        return Status.MET if self.met > self.unmet else Status.UNMET


def vote(verdicts: Sequence[Verdict], rule: str = "share") -> Vote:
    """Return what verdicts on one criterion come to.

    Args:
        verdicts: one for each voter.
        rule: one of `RULES`.

    Raises:
        InputError: there is no such rule, or no verdict.
    """
    check_rule(rule)
    if not verdicts:
        raise InputError("a vote needs a verdict")
    counts = Counter(verdict.status for verdict in verdicts)
    credits = [verdict.credit for verdict in verdicts if verdict.credit is not None]
    decide = _share if rule == "share" else _majority
    return Vote(
        verdict=decide(verdicts, credits, counts),
        met=counts[Status.MET],
        unmet=counts[Status.UNMET],
        unknown=counts[Status.UNKNOWN],
        spread=spread(credits),
    )


def check_rule(rule: str) -> None:
    """Refuse what is no rule.

    Raises:
        InputError: there is none of that name.
    """
    if rule not in RULES:
        raise InputError(f"unknown vote {rule!r:.40}", hint="choose from " + ", ".join(RULES))


def spread(values: Sequence[float]) -> float | None:
    """Return the standard deviation of a sample, None of fewer than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _share(
    verdicts: Sequence[Verdict], credits: Sequence[float], counts: Counter[Status]
) -> Verdict:
    name = verdicts[0].criterion_id
    if 2 * len(credits) <= len(verdicts):
        return unknown(name, _cause(verdicts))
    p_met = math.fsum(credits) / len(credits)
    status = Status.MET if p_met >= 0.5 else Status.UNMET
    return Verdict(criterion_id=name, status=status, p_met=p_met)


def _majority(
    verdicts: Sequence[Verdict], credits: Sequence[float], counts: Counter[Status]
) -> Verdict:
    name = verdicts[0].criterion_id
    for status in (Status.MET, Status.UNMET):
        if 2 * counts[status] > len(verdicts):
            return Verdict(criterion_id=name, status=status)
    return unknown(name, _cause(verdicts) if counts[Status.UNKNOWN] else Cause.TIED)


def _cause(verdicts: Sequence[Verdict]) -> Cause:
    causes = Counter(verdict.cause for verdict in verdicts if verdict.cause)
    return min(causes, key=lambda cause: (not cause.is_infrastructure, -causes[cause], cause))
