"""Gates that need graded responses: are they ordered, and does every criterion tell some apart?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.certify.readers.calibration import read
from rubricbench.errors import InputError
from rubricbench.lint.finding import Finding, finding
from rubricbench.readers import read_rows
from rubricbench.schema import Rubric, Status, Verdict
from rubricbench.scoring import Score, score

TIERS = ("poor", "good", "great", "excellent")
REASON = "saturated_because:"  # tag of a criterion that is met by all or none for a good reason


class Graded(msgspec.Struct, frozen=True):
    """A calibration response.

    Args:
        rubric: its rubric.
        response_id: its id.
        tier: one of `TIERS`.
        verdicts: reference verdicts in the rubric's order; None where there is none.
        text: the response.
        generator: who wrote it.
    """

    rubric: Rubric
    response_id: str
    tier: str
    verdicts: tuple[bool | None, ...]
    text: str = ""
    generator: str = ""

    @property
    def rank(self) -> int:
        """Place of its tier, from the bottom."""
        return TIERS.index(self.tier)

    @property
    def score(self) -> Score:
        """Its score by the reference verdicts."""
        verdicts = [
            Verdict(criterion_id=c.id, status=Status.MET if met else Status.UNMET)
            for c, met in zip(self.rubric.criteria, self.verdicts, strict=True)
            if met is not None
        ]
        return score(self.rubric, verdicts)


def read_graded(path: Path, rubrics: str = "") -> list[Graded]:
    """Read the responses of a calibration table that have a tier; those that attack are left out.

    Raises:
        InputError: the file cannot be read, or no response has a tier.
        SchemaError: a row cannot be used.
    """
    marks = [tier_of(row) for _, row in read_rows(path)]
    graded = [
        Graded(
            row.rubric,
            row.response.id,
            tier,
            tuple(r.met for r in row.references),
            row.response.text,
            row.response.generator,
        )
        for row, tier in zip(read(path, rubrics), marks, strict=True)
        if tier
    ]
    if not graded:
        hint = f"a column tier with {', '.join(TIERS)}"
        raise InputError("no response has a tier", where=str(path), hint=hint)
    return graded


def tier_of(row: Mapping[str, Any]) -> str:
    """Return a row's tier; empty where it has none, or attacks.

    Raises:
        InputError: there is no such tier.
    """
    tier = row.get("tier") or ""
    if tier and tier not in TIERS:
        raise InputError(f"tier {tier!r:.40}", hint="one of " + ", ".join(TIERS))
    return "" if row.get("attack") else str(tier)


def by_prompt(graded: Iterable[Graded]) -> Iterator[list[Graded]]:
    """Yield the responses of each prompt, in the order of prompt and response ids."""
    ordered = sorted(graded, key=lambda g: (g.rubric.prompt_id, g.response_id))
    for _, group in groupby(ordered, key=lambda g: g.rubric.prompt_id):
        yield list(group)


def calibration(graded: Iterable[Graded]) -> Iterator[Finding]:
    """Yield rubrics that do not order their responses, and criteria that tell none apart."""
    for own in by_prompt(graded):
        yield from _order(own)
        yield from _saturation(own)


def _order(own: Sequence[Graded]) -> Iterator[Finding]:
    """Every response must score above every response of a lower tier, unknowns against it."""
    rubric = own[0].rubric
    spans: dict[str, tuple[float, float]] = {}
    for tier in TIERS:
        scores = [g.score for g in own if g.tier == tier]
        if scores:
            spans[tier] = min(s.low for s in scores), max(s.high for s in scores)
    for lower, upper in pairwise(spans):
        if not spans[upper][0] > spans[lower][1]:
            text = f"{upper} scores {spans[upper][0]:.3f}, {lower} {spans[lower][1]:.3f}"
            yield finding("wrong_order", rubric, None, text)


def _saturation(own: Sequence[Graded]) -> Iterator[Finding]:
    rubric = own[0].rubric
    for i, criterion in enumerate(rubric.criteria):
        seen = {g.verdicts[i] for g in own if g.verdicts[i] is not None}
        excused = any(tag.startswith(REASON) for tag in criterion.tags)
        if len(own) > 1 and len(seen) == 1 and not excused:
            text = f"{'met' if seen.pop() else 'unmet'} by all {len(own)} calibration responses"
            yield finding("saturated", rubric, criterion, text)
