"""Training trajectories from run folders and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.columnar import Table, columns_of, read_table
from rubricbench.metrics.keys import combined, refuse_repeated, require_named
from rubricbench.metrics.result import Caution, caution
from rubricbench.metrics.tables import TRAJECTORY
from rubricbench.metrics.trajectory import Trajectory

RUN_FILE = "trajectory.parquet"
MEASURES = ("gold", "proxy", "kl", "kl_k1", "win", "length", "ended", "repetition")
_ONE_SET = "a checkpoint has one set of samples; a column seed or arm tells runs apart"
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class _Run:
    """The rows of one arm and seed."""

    where: str
    arm: str
    seed: int
    steps: NDArray[np.int64]  # of each row
    prompts: NDArray[np.int64]  # code of each row
    names: NDArray[np.object_]  # of the prompts
    values: Mapping[str, Floats]
    left_out: int


def read_trajectories(
    paths: str | Path | Sequence[str | Path], *, unknown: str = "refuse"
) -> list[Trajectory]:
    """Read training runs: one trajectory an arm and seed, sorted by both.

    Args:
        paths: files of layout *trajectory*, run folders that hold trajectory.parquet, or folders of
            such folders. Where a file has no column arm, its folder (or its own name) is the arm.
        unknown: ``refuse`` rows that lack gold or proxy, or ``drop`` and count them.

    Returns:
        Prompts that are missing at a checkpoint of a run are left out of it with a caution. So is
        a measure other than gold and proxy that is missing for some prompt at some checkpoint.

    Raises:
        InputError: a file cannot be read or lacks a column, a response stands twice at a
            checkpoint, two files have the same arm and seed, no prompt is there at every
            checkpoint, or a reward is unknown and to be refused.
    """
    if unknown not in ("refuse", "drop"):
        raise InputError(f"unknown={unknown!r}", hint="refuse or drop")
    found: dict[tuple[str, int], _Run] = {}
    for file in run_files(paths):
        for run in _runs(file, unknown):
            before = found.setdefault((run.arm, run.seed), run)
            if before is not run:
                raise InputError(
                    f"arm {run.arm!r:.60}, seed {run.seed} is also in {before.where}",
                    where=run.where,
                    hint="two runs of one arm need a column seed",
                )
    return [_trajectory(found[key]) for key in sorted(found)]


def run_files(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the trajectory files that paths stand for: themselves, or those their folders hold.

    Raises:
        InputError: no path, or a folder without any.
    """
    many = [paths] if isinstance(paths, str | Path) else list(paths)
    if not many:
        raise InputError("no file", hint="name a trajectory file or a run folder")
    return [file for path in many for file in _in_folder(Path(path))]


def _in_folder(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return [path]
    if (path / RUN_FILE).is_file():
        return [path / RUN_FILE]
    inner = sorted(path.glob(f"*/{RUN_FILE}"))
    if not inner:
        raise InputError(
            f"the folder holds no {RUN_FILE}", where=str(path), hint="name a run folder or a file"
        )
    return inner


def _runs(file: Path, unknown: str) -> list[_Run]:
    there = set(columns_of(file))
    wanted = {c.name: c for c in TRAJECTORY.columns if c.required or c.name in there}
    table = read_table(file, wanted)
    for name in table.labels:
        require_named(table, name)
    seeds = table.numbers.get("seed", np.zeros(table.rows)).astype(np.int64)
    arms = table.labels["arm"].codes if "arm" in table.labels else np.zeros(table.rows, np.int32)
    keep = _known(table, unknown)
    if "response_id" in table.labels:
        key = [k for k in ("arm", "seed", "step", "prompt_id", "response_id") if k in wanted]
        refuse_repeated(table, key, keep, _ONE_SET)
    runs = combined([arms, seeds])
    lost = np.bincount(runs, minlength=int(runs.max()) + 1) - np.bincount(
        runs[keep], minlength=int(runs.max()) + 1
    )
    kept = runs[keep]
    return [
        _run(file, table, keep[kept == r], int(seeds[keep][kept == r][0]), int(lost[r]))
        for r in np.unique(kept)
    ]


def _run(file: Path, table: Table, rows: Rows, seed: int, left_out: int) -> _Run:
    arms = table.labels.get("arm")
    own = file.parent.name if file.name == RUN_FILE and file.parent.name else file.stem
    return _Run(
        where=table.path,
        arm=str(arms.names[arms.codes[rows[0]]]) if arms else own,
        seed=seed,
        steps=table.numbers["step"][rows].astype(np.int64),
        prompts=table.labels["prompt_id"].codes[rows].astype(np.int64),
        names=table.labels["prompt_id"].names,
        values={m: table.numbers[m][rows] for m in MEASURES if m in table.numbers},
        left_out=left_out,
    )


def _known(table: Table, unknown: str) -> Rows:
    """Return the rows with gold, and proxy where it was logged at all."""
    keep = np.ones(table.rows, dtype=np.bool_)
    for name in ("gold", "proxy"):
        values = table.numbers.get(name)
        if values is None or (name == "proxy" and np.isnan(values).all()):
            continue
        missing = np.flatnonzero(np.isnan(values))
        if len(missing) == len(values):
            raise InputError(
                f"no row has a {name}",
                where=f"{table.path}, column {name}",
                hint="score the responses first",
            )
        if len(missing) and unknown == "refuse":
            raise InputError(
                f"{len(missing):,} of {len(values):,} rows lack their {name}",
                where=f"{table.path}, column {name}, row {missing[0] + 1:,}",
                hint="score them, or leave them out with --unknown drop",
            )
        keep[missing] = False
    if not keep.any():
        raise InputError("no row has both rewards", where=table.path)
    return np.flatnonzero(keep)


def _trajectory(run: _Run) -> Trajectory:
    steps, at = np.unique(run.steps, return_inverse=True)
    cells = at * len(run.names) + run.prompts
    shape = (len(steps), len(run.names))
    samples = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    whole = np.asarray((samples > 0).all(axis=0))
    if not whole.any():
        least = int(steps[np.argmin((samples > 0).sum(axis=1))])
        raise InputError(
            f"no prompt of arm {run.arm!r:.60}, seed {run.seed} is there at every checkpoint",
            where=run.where,
            hint=f"evaluate all checkpoints on the same prompts; step {least} has the fewest",
        )
    columns, cautions = _columns(run, cells, samples, whole)
    if "proxy" in columns and samples[:, whole].min() > 1:
        columns["no_spread"] = _no_spread(run, cells, samples)[:, whole]
    names = np.asarray(run.names[whole], dtype=str)
    return Trajectory(
        arm=run.arm,
        seed=run.seed,
        steps=steps,
        prompts=names,
        columns=columns,
        samples=samples[:, whole].astype(np.int64),
        base=_base(run, whole),
        cautions=(*_left_out(run, samples, whole), *_uneven(steps, samples[:, whole]), *cautions),
    )


def _columns(
    run: _Run, cells: Rows, samples: NDArray[np.int64], whole: NDArray[np.bool_]
) -> tuple[dict[str, Floats], list[Caution]]:
    """Return the mean of each measure in each cell, and what had to be left out."""
    found: dict[str, Floats] = {}
    cautions = []
    for name, values in run.values.items():
        means = _means(cells, values, samples)
        if name == "kl" and np.isnan(means[0]).all() and run.steps.min() == 0:
            means[0] = 0.0  # of the initial policy to itself
        missing = np.isnan(means[:, whole]).any(axis=1)
        if missing.all():
            continue
        if missing.any():
            step = int(np.unique(run.steps)[np.argmax(missing)])
            cautions.append(
                caution("left_out", f"{name}: not there for every prompt at step {step}, not used")
            )
            continue
        found[name] = means[:, whole]
        cautions += _partly_known(name, values, cells, samples, whole)
    return found, cautions


def _partly_known(
    name: str, values: Floats, cells: Rows, samples: NDArray[np.int64], whole: NDArray[np.bool_]
) -> list[Caution]:
    """Count the rows that a mean is taken without."""
    known = np.bincount(cells[~np.isnan(values)], minlength=samples.size).reshape(samples.shape)
    lost = int((samples - known)[(known > 0) & whole].sum())
    return [caution("left_out", f"{lost:,} rows without {name}")] if lost else []


def _means(cells: Rows, values: Floats, samples: NDArray[np.int64]) -> Floats:
    known = ~np.isnan(values)
    # In the order of the values: sums come out the same to the last digit whatever the row order.
    order = np.lexsort((values[known], cells[known]))
    size = samples.size
    total = np.bincount(cells[known][order], values[known][order], minlength=size)
    number = np.bincount(cells[known], minlength=size)
    means = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return np.asarray(means.reshape(samples.shape))


def _no_spread(run: _Run, cells: Rows, samples: NDArray[np.int64]) -> Floats:
    """Return 1 where all samples of a cell have the same proxy: no gradient in GRPO."""
    least, most = np.full(samples.size, np.inf), np.full(samples.size, -np.inf)
    np.minimum.at(least, cells, run.values["proxy"])
    np.maximum.at(most, cells, run.values["proxy"])
    return np.asarray((least == most).astype(np.float64).reshape(samples.shape))


def _base(run: _Run, whole: NDArray[np.bool_]) -> dict[str, tuple[float, float]]:
    rows = (run.steps == 0) & whole[run.prompts]
    if not rows.any():
        return {}
    found = {}
    for name, column in run.values.items():
        values = np.sort(column[rows])
        values = values[~np.isnan(values)]
        spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        if len(values):
            found[name] = (float(values.mean()), spread)
    return found


def _left_out(run: _Run, samples: NDArray[np.int64], whole: NDArray[np.bool_]) -> list[Caution]:
    found = []
    there = (samples > 0).any(axis=0)
    if (there & ~whole).any():
        text = f"{int((there & ~whole).sum()):,} prompts are missing at some checkpoint"
        found.append(caution("left_out", text))
    if run.left_out:
        found.append(caution("left_out", f"{run.left_out:,} rows without a reward"))
    return found


def _uneven(steps: NDArray[np.int64], samples: NDArray[np.int64]) -> list[Caution]:
    """Say so where one checkpoint has a multiple of the others' samples: two sets for one?"""
    if len(steps) < 3:
        return []
    least, most = samples.min(axis=1), samples.max(axis=1)
    usual = int(np.median(most))
    odd = np.flatnonzero((least >= 2 * usual) & (steps > 0))
    if not len(odd):
        return []
    at = int(odd[0])
    text = f"step {steps[at]} has {least[at]} samples a prompt, others {usual}: are two sets in it?"
    return [caution("uneven", text)]
