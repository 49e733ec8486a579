"""A dataset of rubrics against files of references."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.decontaminate.shingles import Overlap, Shingles
from rubricbench.errors import InputError
from rubricbench.readers import read_rows, read_rubrics
from rubricbench.schema import Rubric

COLUMNS = ("prompt", "instruction", "question", "input", "problem", "messages")


class Contaminated(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that stands in a reference.

    Args:
        prompt_id: of the dataset.
        source: file of the reference.
        row: its row there, from 1.
        run: the longest run of words they share; empty where they are alike without one.
        containment: share of the prompt's runs of four words that the reference holds.
    """

    prompt_id: str
    source: str
    row: int
    run: str
    containment: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, and what was found.

    Args:
        prompts: prompts of the dataset.
        references: texts they were compared with.
        contaminated: prompts that stand in one.
        found: each with its nearest reference.
    """

    prompts: int
    references: int
    contaminated: int
    found: tuple[Contaminated, ...]


def decontaminate(source: str, against: list[str]) -> Report:
    """Compare the prompts of a dataset with the texts of files.

    Only what a person wrote counts: the user's turns of a prompt.

    Args:
        source: a file of rubrics, or an embedded dataset.
        against: ``FILE`` or ``FILE:COLUMN`` each; without a column the first of `COLUMNS`.

    Raises:
        InputError: a file cannot be read, or has no such column.
    """
    names, texts = [], []
    for given in against:
        for row, text in references(given):
            names.append((given, row))
            texts.append(text)
    index = Shingles(texts)
    found, prompts = [], 0
    for _, rubric in read_rubrics(source):
        prompts += 1
        overlaps = index.overlaps(asked(rubric))
        if overlaps:
            found.append(_contaminated(rubric, overlaps[0], *names[overlaps[0].reference]))
    return Report(
        prompts=prompts, references=len(texts), contaminated=len(found), found=tuple(found)
    )


def asked(rubric: Rubric) -> str:
    """Return the user's turns of a prompt."""
    return "\n".join(m.content for m in rubric.prompt.messages if m.role == "user")


def _contaminated(rubric: Rubric, overlap: Overlap, source: str, row: int) -> Contaminated:
    return Contaminated(
        prompt_id=rubric.prompt_id,
        source=source,
        row=row,
        run=overlap.run,
        containment=overlap.containment,
    )


def references(given: str) -> Iterator[tuple[int, str]]:
    """Yield the rows and texts of ``FILE[:COLUMN]``.

    Raises:
        InputError: the file cannot be read, or a row has no text there.
    """
    path, column = (given, "") if Path(given).exists() else _split(given)
    for row, values in read_rows(path):
        name = column or next((c for c in COLUMNS if values.get(c)), "")
        if not name or name not in values:
            what = f"no column {column!r:.60}" if column else "no column with a text"
            raise InputError(what, where=f"{path}:{row}", hint="name one: FILE:COLUMN")
        yield row, _text(values[name])


def _split(given: str) -> tuple[str, str]:
    path, _, column = given.rpartition(":")
    return (path, column) if path else (given, "")


def _text(value: Any) -> str:
    if isinstance(value, list):  # chat messages
        turns = [m.get("content") for m in value if isinstance(m, dict) and m.get("role") == "user"]
        return "\n".join(str(turn) for turn in turns if turn)
    return "" if value is None else str(value)
