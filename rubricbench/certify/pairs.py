"""Verdict pairs: what a judge said beside what it should have said, one row for each.

``verdict_pairs.parquet`` holds all that a certificate is computed from, with what is known of the
judge in its metadata, so that a certificate can be made again without any call (`pairs_file`).
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Strings = NDArray[np.object_]

SCHEMA = pa.schema(
    [
        ("variant", pa.string()),
        ("replicate", pa.int64()),
        ("prompt_id", pa.string()),
        ("response_id", pa.string()),
        ("generator", pa.string()),
        ("words", pa.int64()),  # of the response
        ("criterion_id", pa.string()),
        ("criterion", pa.string()),
        ("weight", pa.float64()),
        ("tags", pa.list_(pa.string())),
        ("checked", pa.bool_()),  # decided by a program, not by the judge
        ("position", pa.int64()),  # in the list the judge read, from 0
        ("listed", pa.int64()),  # criteria in that list
        ("reference", pa.string()),  # met, unmet or unknown
        ("annotators", pa.int64()),
        ("agreement", pa.float64()),  # share of the annotators on the reference's side
        ("status", pa.string()),  # the judge's verdict
        ("p_met", pa.float64()),
        ("cause", pa.string()),  # why it is unknown
    ]
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How a judge was asked, and what that took.

    Args:
        variant: ``format:criteria per call:layout``.
        judge: model and revision.
        identity: all that decides its verdicts (`JudgeConfig.identity`).
        template_hash: of the texts of ours that it read.
        replicates: how often everything was asked.
        answers: distinct answers it gave.
        tokens: their token counts, as far as the endpoint told them.
        cost: what those tokens cost; None without a price.
        currency: of the cost.
    """

    variant: str
    judge: str = ""
    identity: dict[str, Any] = {}
    template_hash: str = ""
    replicates: int = 1
    answers: int = 0
    tokens: dict[str, int] = {}
    cost: float | None = None
    currency: str = ""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Where verdict pairs come from.

    Args:
        labels: name of the label file.
        form: its form.
        data_hash: SHA-256 of its bytes.
        unlabelled: responses left out, having no reference.
        ties: criteria without a reference because the annotators were divided.
        asked: one entry for each variant.
    """

    labels: str = ""
    form: str = ""
    data_hash: str = ""
    unlabelled: int = 0
    ties: int = 0
    asked: tuple[Asked, ...] = ()


class Pairs(msgspec.Struct, frozen=True):
    """The pairs of one variant as arrays, one entry for each row of the file.

    ``reference`` is 1, 0 or NaN, and so is ``said``, the judge's verdict; ``credit`` is what a
    score takes of it, ``p_met`` where there is one (of a sampled answer the two may lie on
    different sides of one half). ``position``, ``listed`` and ``words`` are NaN where not known.
    """

    variant: str
    replicate: NDArray[np.int64]
    prompt_id: Strings
    response_id: Strings
    generator: Strings
    words: Floats
    criterion_id: Strings
    criterion: Strings
    weight: Floats
    tags: tuple[tuple[str, ...], ...]
    checked: NDArray[np.bool_]
    position: Floats
    listed: Floats
    reference: Floats
    said: Floats
    annotators: Floats
    agreement: Floats
    credit: Floats
    p_met: Floats
    cause: Strings

    def __len__(self) -> int:
        return len(self.weight)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Pairs:
        """Return some pairs: those of a mask, or those with the numbers given."""
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        columns = {
            name: getattr(self, name)[numbers]
            for name in self.__struct_fields__
            if name not in ("variant", "tags")
        }
        tags = tuple(self.tags[i] for i in numbers.tolist())
        return Pairs(variant=self.variant, tags=tags, **columns)
