"""The splits of the dataset: rows without repeats, their hash, and the parquet files."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from rubricbench.builders.verifiable.rows import build_row
from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError
from rubricbench.rows import rubric_to_row
from rubricbench.runs import write_parquet_atomic
from rubricbench.schema import Rubric
from rubricbench.solver import SolverError, solve
from rubricbench.tables import to_arrow

SEED = 0
SIZES = {"train": 2000, "test": 500}
MAX_ROWS = 100_000


class Split(msgspec.Struct, frozen=True):
    """A split that was written: how many rows, their hash, the file and its size in bytes."""

    name: str
    rows: int
    sha256: str
    path: str
    bytes: int


def build_split(split: str, rows: int, *, seed: int = SEED) -> Iterator[Rubric]:
    """Yield the rows of a split: no prompt twice, and none that the solver cannot meet in full.

    The split is part of every row's key; `build` refuses a prompt that stands in both.
    """
    seen: set[str] = set()
    for number in itertools.count():
        if len(seen) == rows:
            return
        rubric = build_row(seed, split, number)
        if rubric.prompt_id not in seen and _can_be_met(rubric):
            seen.add(rubric.prompt_id)
            yield rubric


def _can_be_met(rubric: Rubric) -> bool:
    try:
        solve(rubric)
    except SolverError:
        return False
    return True


def rows_hash(rubrics: Iterable[Rubric]) -> str:
    """Return the hex SHA-256 of the rows as canonical JSON lines: equal on every platform."""
    digest = hashlib.sha256()
    for rubric in rubrics:
        digest.update(canonical_json(rubric_to_row(rubric)) + b"\n")
    return digest.hexdigest()


def build(out: Path, sizes: dict[str, int], *, seed: int = SEED) -> list[Split]:
    """Write ``out/split.parquet`` for every split.

    Raises:
        InputError: a size that cannot be built, or one prompt in two splits.
        RunError: a file cannot be written.
    """
    for name, rows in sizes.items():
        if not 1 <= rows <= MAX_ROWS:
            raise InputError(f"cannot build {rows} rows of {name}", hint=f"1 to {MAX_ROWS:,}")
    built = {name: list(build_split(name, rows, seed=seed)) for name, rows in sizes.items()}
    ids = [rubric.prompt_id for rubrics in built.values() for rubric in rubrics]
    if len(set(ids)) != len(ids):
        raise InputError("a prompt stands in two splits", hint="use another seed")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", where=str(out)) from None
    return [_write(out / f"{name}.parquet", name, rubrics) for name, rubrics in built.items()]


def _write(path: Path, name: str, rubrics: list[Rubric]) -> Split:
    write_parquet_atomic(path, to_arrow("rubrics", [rubric_to_row(r) for r in rubrics]))
    return Split(name, len(rubrics), rows_hash(rubrics), str(path), path.stat().st_size)
