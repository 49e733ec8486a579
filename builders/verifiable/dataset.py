"""The splits of the dataset: rows without repeats, their hash, and the parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from rubricbench.builders.verifiable.rows import build_row
from rubricbench.builders.verifiable.setting import check_counts
from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError
from rubricbench.progress import progress
from rubricbench.rows import rubric_to_row
from rubricbench.runs import write_parquet_atomic
from rubricbench.schema import Rubric
from rubricbench.tables import to_arrow

SEED = 0
SIZES = {"train": 2000, "test": 500}


class Split(msgspec.Struct, frozen=True):
    """A split that was written: how many rows, their hash, the file and its size in bytes."""

    name: str
    rows: int
    sha256: str
    path: str
    bytes: int


def build_split(split: str, rows: int, *, seed: int = SEED) -> Iterator[Rubric]:
    """Yield the rows of a split, in order; each depends on its own key alone.

    No pair of skeleton and topic is used twice, in one split or across them, so no prompt is.
    """
    return (build_row(seed, split, number) for number in range(rows))


def rows_hash(rubrics: Iterable[Rubric]) -> str:
    """Return the hex SHA-256 of the rows as canonical JSON lines: equal on every platform."""
    digest = hashlib.sha256()
    for rubric in rubrics:
        digest.update(canonical_json(rubric_to_row(rubric)) + b"\n")
    return digest.hexdigest()


def build(out: Path, sizes: dict[str, int], *, seed: int = SEED, quiet: bool = True) -> list[Split]:
    """Write ``out/split.parquet`` for every split.

    Args:
        out: folder to write to; made if it is not there.
        sizes: number of rows by name of split, ``train`` and ``test``.
        seed: another seed gives other rows.
        quiet: no progress on standard error.

    Raises:
        InputError: more rows than there are pairs of skeleton and topic.
        RunError: a file cannot be written.
    """
    check_counts(sizes)
    built: dict[str, list[Rubric]] = {}
    with progress(sum(sizes.values()), "building", quiet=quiet) as bar:
        for name, rows in sizes.items():
            built[name] = []
            for rubric in build_split(name, rows, seed=seed):
                built[name].append(rubric)
                bar.advance()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", where=str(out)) from None
    return [_write(out / f"{name}.parquet", name, rubrics) for name, rubrics in built.items()]


def _write(path: Path, name: str, rubrics: list[Rubric]) -> Split:
    write_parquet_atomic(path, to_arrow("rubrics", [rubric_to_row(r) for r in rubrics]))
    return Split(name, len(rubrics), rows_hash(rubrics), str(path), path.stat().st_size)
