"""Calibration responses with their texts, tiers and reference scores."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from rubricbench.certify.readers.calibration import read
from rubricbench.errors import InputError
from rubricbench.lint.calibration import TIERS, tier_of
from rubricbench.readers import read_rows
from rubricbench.schema import Rubric, Status, Verdict
from rubricbench.scoring import score


class GradedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A response with its tier.

    Args:
        rubric: its rubric.
        response_id: its id.
        generator: who wrote it.
        text: the response.
        tier: ``poor``, ``good``, ``great`` or ``excellent``.
        value: its score by reference verdicts; None where one is unknown.
    """

    rubric: Rubric
    response_id: str
    generator: str
    text: str
    tier: str
    value: float | None

    @property
    def rank(self) -> int:
        """Place of the tier, from the bottom."""
        return TIERS.index(self.tier)


def by_prompt(path: Path) -> Iterator[list[GradedResponse]]:
    """Yield the responses of each prompt that have a tier and do not attack.

    Raises:
        InputError: the file cannot be read, or no response has a tier.
        SchemaError: a row cannot be used.
    """
    tiers = [tier_of(row) for _, row in read_rows(path)]
    found = [
        GradedResponse(
            rubric=row.rubric,
            response_id=row.response.id,
            generator=row.response.generator,
            text=row.response.text,
            tier=tier,
            value=_value(row.rubric, tuple(r.met for r in row.references)),
        )
        for row, tier in zip(read(path, ""), tiers, strict=True)
        if tier
    ]
    if not found:
        raise InputError("no response has a tier", where=str(path))
    found.sort(key=lambda g: (g.rubric.prompt_id, g.response_id))
    for _, own in groupby(found, key=lambda g: g.rubric.prompt_id):
        yield list(own)


def _value(rubric: Rubric, met: tuple[bool | None, ...]) -> float | None:
    verdicts = [
        Verdict(criterion_id=c.id, status=Status.MET if is_met else Status.UNMET)
        for c, is_met in zip(rubric.criteria, met, strict=True)
        if is_met is not None
    ]
    return score(rubric, verdicts).value
