"""How the judges of a panel agree: each with the majority, and each with each.

Counts alone are kept, so memory does not grow with the responses. Verdicts of programs are left
out: all judges share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import msgspec

from rubricbench.judging.vote import Vote
from rubricbench.schema import Status, Verdict


class MemberReport(msgspec.Struct, frozen=True):
    """A judge among others.

    Args:
        judge: model and revision.
        replicate: number of the repetition.
        verdicts: how many it gave, unknown ones included.
        met_rate: share met of the known ones; None without any.
        unknown_rate: share unknown.
        unknown: unknown ones by cause.
        majority: share of its known verdicts on the side that more of the judges took, itself
            included; criteria that split evenly are left out. None without any.
    """

    judge: str
    replicate: int
    verdicts: int
    met_rate: float | None
    unknown_rate: float
    unknown: dict[str, int]
    majority: float | None


class PairReport(msgspec.Struct, frozen=True):
    """Two judges beside each other, on the criteria of which both know the verdict.

    Args:
        first: number of one in the panel, from 0.
        second: number of the other.
        verdicts: how many criteria that is.
        agreement: share on which they say the same; None without any.
        kappa: Cohen's kappa, ``(agreement - chance) / (1 - chance)`` with the agreement that their
            met rates would have by chance; None where that is 1.
    """

    first: int
    second: int
    verdicts: int
    agreement: float | None
    kappa: float | None


class PanelReport(msgspec.Struct, frozen=True):
    """A panel's verdicts by judge.

    Args:
        vote: the rule of the vote.
        members: the judges.
        pairs: every two of them.
        split: share of the criteria on which known verdicts differ; None without any criteria.
    """

    vote: str
    members: list[MemberReport]
    pairs: list[PairReport]
    split: float | None

    def text(self) -> str:
        """Return the report for people, a line for each judge and each pair."""
        lines = [f"panel of {len(self.members)}, split on {_percent(self.split)} of the criteria"]
        for i, m in enumerate(self.members, 1):
            lines.append(
                f"  {i}. {m.judge} replicate {m.replicate}: met {_percent(m.met_rate)}, unknown "
                f"{_percent(m.unknown_rate)}, with the majority {_percent(m.majority)}"
            )
        for pair in self.pairs:
            kappa = "undefined" if pair.kappa is None else f"{pair.kappa:.3f}"
            lines.append(
                f"  {pair.first + 1} and {pair.second + 1} agree on {_percent(pair.agreement)} of "
                f"{pair.verdicts:,} verdicts, kappa {kappa}"
            )
        return "\n".join(lines)


class Agreement:
    """Counts verdicts of a panel as they come.

    Args:
        names: model and revision of each judge, and its replicate.
        vote: the rule of the vote.
    """

    def __init__(self, names: Sequence[tuple[str, int]], vote: str) -> None:
        self._names = list(names)
        self._vote = vote
        self._votes = self._split = 0
        self._statuses = [dict.fromkeys(Status, 0) for _ in names]
        self._unknown: list[dict[str, int]] = [{} for _ in names]
        self._sided = [[0, 0] for _ in names]  # votes that had a side; those where it was on it
        # For each pair: how often (met, met), (met, unmet), (unmet, met), (unmet, unmet).
        self._pairs = {pair: [0] * 4 for pair in combinations(range(len(names)), 2)}

    def add(self, vote: Vote, verdicts: Sequence[Verdict]) -> None:
        """Count the verdicts on one criterion.

        Args:
            vote: what they came to.
            verdicts: one for each judge, in their order.
        """
        self._votes += 1
        self._split += vote.met > 0 and vote.unmet > 0
        for number, verdict in enumerate(verdicts):
            self._count(number, verdict, vote.side)
        for (first, second), table in self._pairs.items():
            a, b = verdicts[first].status, verdicts[second].status
            if Status.UNKNOWN not in (a, b):
                table[2 * (a is Status.UNMET) + (b is Status.UNMET)] += 1

    def _count(self, number: int, verdict: Verdict, side: Status | None) -> None:
        self._statuses[number][verdict.status] += 1
        if verdict.cause:
            causes = self._unknown[number]
            causes[str(verdict.cause)] = causes.get(str(verdict.cause), 0) + 1
        elif side:
            self._sided[number][0] += 1
            self._sided[number][1] += verdict.status is side

    def report(self) -> PanelReport:
        """Return the report of what was counted."""
        return PanelReport(
            vote=self._vote,
            members=[self._member(number) for number in range(len(self._names))],
            pairs=[_pair(first, second, t) for (first, second), t in self._pairs.items()],
            split=_share(self._split, self._votes),
        )

    def _member(self, number: int) -> MemberReport:
        judge, replicate = self._names[number]
        statuses = self._statuses[number]
        total = sum(statuses.values())
        sided, with_it = self._sided[number]
        return MemberReport(
            judge=judge,
            replicate=replicate,
            verdicts=total,
            met_rate=_share(statuses[Status.MET], total - statuses[Status.UNKNOWN]),
            unknown_rate=_share(statuses[Status.UNKNOWN], total) or 0.0,
            unknown=dict(sorted(self._unknown[number].items())),
            majority=_share(with_it, sided),
        )


def kappa(both: int, first: int, second: int, neither: int) -> float | None:
    """Return Cohen's kappa of two judges; None where chance alone would make them agree.

    Args:
        both: how often both say met.
        first: how often the first alone does.
        second: how often the second alone does.
        neither: how often neither does.
    """
    n = both + first + second + neither
    # (agreement - chance) / (1 - chance), with both times n squared, which are whole numbers.
    chance = (both + first) * (both + second) + (second + neither) * (first + neither)
    return ((both + neither) * n - chance) / (n * n - chance) if n * n != chance else None


def _pair(first: int, second: int, table: Sequence[int]) -> PairReport:
    n = sum(table)
    return PairReport(
        first=first,
        second=second,
        verdicts=n,
        agreement=_share(table[0] + table[3], n),
        kappa=kappa(*table),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1%}"
