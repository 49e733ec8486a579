"""Labelled verdicts: responses whose verdicts are known from elsewhere, to measure a judge by.

    labels = read_labels("calibration.parquet")
    for labelled in labels.rows: …

Three forms are told apart by their columns (`rubricbench.certify.readers`). Where several people
labelled a criterion, the majority is the reference; a tie leaves none, and is counted. All of a
file is held in memory: HealthBench's 60,000 labelled criteria take some 300 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.schema import Response, Rubric


class Reference(msgspec.Struct, frozen=True):
    """What a criterion's verdict should be.

    Args:
        met: True or False; None where nobody said, or as many said one as the other.
        annotators: how many people it comes from; 0 where that is not known.
        agreement: share of them who agree with it, 0.5 to 1; None where that is not known.
        tied: whether it is None because they were divided.
    """

    met: bool | None
    annotators: int = 0
    agreement: float | None = None
    tied: bool = False

    @classmethod
    def majority(cls, votes: Sequence[bool]) -> Self:
        """Return the reference that votes make."""
        if not votes:
            return cls(None)
        yes = sum(votes)
        share = max(yes, len(votes) - yes) / len(votes)
        tied = 2 * yes == len(votes)
        return cls(None if tied else 2 * yes > len(votes), len(votes), share, tied)


class Labelled(msgspec.Struct, frozen=True):
    """A response with the references of its rubric's criteria, in the rubric's order."""

    rubric: Rubric
    response: Response
    references: tuple[Reference, ...]


class Labels(msgspec.Struct, frozen=True):
    """What a label file holds.

    Args:
        form: ``calibration``, ``healthbench`` or ``prbench``.
        rows: the responses with at least one reference, in the order of the file.
        unlabelled: responses left out, none of their references being known.
    """

    form: str
    rows: tuple[Labelled, ...]
    unlabelled: int = 0

    @property
    def references(self) -> int:
        """How many criteria have a reference."""
        return sum(r.met is not None for row in self.rows for r in row.references)

    @property
    def ties(self) -> int:
        """How many criteria have none because the annotators were divided."""
        return sum(r.tied for row in self.rows for r in row.references)


def labels_of(form: str, rows: Sequence[Labelled], where: str) -> Labels:
    """Return labels, responses without any reference left out.

    Raises:
        InputError: no reference is left.
        SchemaError: ``duplicate_id``: a response is there twice.
    """
    _reject_repeated(rows, where)
    kept = tuple(row for row in rows if any(r.met is not None for r in row.references))
    if not kept:
        raise InputError(
            "no criterion has a reference verdict", where=where, hint="label some as met or unmet"
        )
    return Labels(form, kept, len(rows) - len(kept))


def _reject_repeated(rows: Sequence[Labelled], where: str) -> None:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = (row.response.prompt_id, row.response.id)
        if key in seen:
            raise SchemaError("duplicate_id", f"response {key[1]!r:.60} is there twice", file=where)
        seen.add(key)


def read_labels(path: str | Path, *, form: str = "auto", rubrics: str = "") -> Labels:
    """Read a label file.

    Args:
        path: parquet, JSONL or CSV.
        form: a key of `rubricbench.certify.readers.FORMS`; ``auto`` tells by the first row.
        rubrics: file or dataset with the rubrics, for calibration rows that carry none.

    Raises:
        InputError: the file is not there, of no known form, or holds no reference.
        SchemaError: a row cannot be used; file, line and field are named.
    """
    from rubricbench.certify.readers import reader_of

    name, read = reader_of(path, form)
    return labels_of(name, read(Path(path), rubrics), str(path))
