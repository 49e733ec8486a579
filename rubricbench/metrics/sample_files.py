"""Scored samples from one file, or from two that are joined by response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.columnar import Labels, Table, columns_of, read_table
from rubricbench.metrics.keys import combined, refuse_repeated, require_named, shared_codes
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tables import SAMPLES, Column, Kind

RUN_FILES = ("samples.parquet", "scores.parquet")
_STEP = Column(name="step", kind=Kind.WHOLE, meaning="optimiser step", low=0)
_DEFAULTS = {"proxy": ("proxy", "value"), "gold": ("gold", "value")}
_ALONE = "score them, or leave them out with --unknown drop"
_TWICE = "where these are two runs or arms, a column arm must tell them apart"
_JUDGES = "of several judges or replicates, keep one score a response"
Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Scored:
    """Rows of one policy: where they are from, their prompts and both rewards."""

    where: str
    rows: Rows  # of the file, for messages
    prompts: Labels
    rewards: Mapping[str, Floats]  # "proxy" and "gold"
    names: Mapping[str, str]  # of their columns
    others: Mapping[str, NDArray[Any]]


def read_samples(
    path: str | Path,
    *,
    proxy: str = "proxy",
    gold: str = "gold",
    unknown: str = "refuse",
    arm: str | None = None,
    step: int | None = None,
    columns: Sequence[str] = (),
) -> Samples:
    """Read the scored samples of one policy.

    Args:
        path: a file of layout *samples*, or a run folder that holds samples.parquet.
        proxy: name of the column with the reward that is optimised.
        gold: name of the column with the reward that is meant.
        unknown: ``refuse`` rows that lack a reward, or ``drop`` and count them.
        arm: which arm's rows, where the file holds several.
        step: which checkpoint's rows, where it holds several.
        columns: further numeric columns to keep; ``length`` and ``generator`` are kept anyway.

    Raises:
        InputError: it cannot be read, lacks a column, mixes arms or checkpoints, has a response
            twice in a prompt, or a reward is unknown and to be refused.
    """
    if proxy == gold:
        raise InputError(
            f"proxy and gold are the same column, {proxy!r:.60}", hint="name two different ones"
        )
    file = sample_file(path)
    table = read_table(file, _wanted(file, [proxy, gold, *columns]))
    require_named(table, "prompt_id")
    rows = _one_set(table, arm, step)
    if "response_id" in table.labels:
        require_named(table, "response_id")
        refuse_repeated(table, ["prompt_id", "response_id"], rows, _TWICE)
    others: dict[str, NDArray[Any]] = {c: table.numbers[c][rows] for c in columns}
    if "length" in table.numbers:
        others["length"] = table.numbers["length"][rows]
    if "generator" in table.labels:
        others["generator"] = table.labels["generator"].text()[rows]
    prompts = table.labels["prompt_id"]
    scored = _Scored(
        where=str(file),
        rows=rows,
        prompts=Labels(prompts.codes[rows], prompts.names),
        rewards={"proxy": table.numbers[proxy][rows], "gold": table.numbers[gold][rows]},
        names={"proxy": proxy, "gold": gold},
        others=others,
    )
    return _samples(scored, unknown)


def join_samples(proxy: str, gold: str, *, unknown: str = "refuse") -> Samples:
    """Join two scored files by (prompt_id, response_id).

    Args:
        proxy: ``FILE`` or ``FILE:COLUMN`` with the reward that is optimised, such as the
            scores.parquet of a judging run (column ``value``); without a column, ``proxy`` or else
            ``value``.
        gold: the same with the reward that is meant; without a column, ``gold`` or else ``value``.
        unknown: ``refuse`` responses that lack one of the two, or ``drop`` and count them.

    Raises:
        InputError: a file cannot be read, a response stands twice in one, none is in both, or a
            reward is unknown and to be refused.
    """
    p, p_column = _side("proxy", proxy)
    g, g_column = _side("gold", gold)
    if (p.path, p_column) == (g.path, g_column):
        raise InputError(
            f"proxy and gold are the same column, {g_column!r:.60}",
            where=g.path,
            hint="name two different ones",
        )
    prompts, responses = (shared_codes(p.labels[k], g.labels[k]) for k in _KEY)
    both = combined([np.concatenate(prompts[:2]), np.concatenate(responses[:2])])
    _, p_at, g_at = np.intersect1d(both[: p.rows], both[p.rows :], return_indices=True)
    alone = _alone(p, g, len(p_at), unknown)
    lengths = [t.numbers["length"][at] for t, at in ((g, g_at), (p, p_at)) if "length" in t.numbers]
    scored = _Scored(
        where=p.path if p.path == g.path else f"{p.path} with {g.path}",
        rows=p_at,
        prompts=Labels(prompts[0][p_at], prompts[2]),
        rewards={"proxy": p.numbers[p_column][p_at], "gold": g.numbers[g_column][g_at]},
        names={"proxy": p_column, "gold": g_column},
        others={"length": lengths[0]} if lengths else {},
    )
    return _samples(scored, unknown, alone)


_KEY = ("prompt_id", "response_id")


def arms_of(path: str | Path) -> list[str]:
    """Return the arms of a samples file, sorted; empty where it has no column arm."""
    file = sample_file(path)
    if "arm" not in columns_of(file):
        return []
    table = read_table(file, {"arm": SAMPLES.column("arm")})
    require_named(table, "arm")
    return [str(name) for name in table.labels["arm"].names]


def sample_file(path: str | Path) -> Path:
    """Return the file itself, or the one that a run folder holds.

    Raises:
        InputError: the folder holds none.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in RUN_FILES:
        if (path / name).is_file():
            return path / name
    raise InputError(
        f"the folder holds no {RUN_FILES[0]}", where=str(path), hint="name a file with scores"
    )


def _wanted(file: Path, numbers: Sequence[str]) -> dict[str, Column]:
    wanted = {"prompt_id": SAMPLES.column("prompt_id")}
    there = set(columns_of(file))
    for name in ("response_id", "arm", "generator", "length"):
        if name in there:
            wanted[name] = SAMPLES.column(name)
    if "step" in there:
        wanted["step"] = _STEP
    for name in numbers:
        if name in wanted and wanted[name].kind is Kind.TEXT:
            raise InputError(f"column {name!r} is not a reward", where=str(file))
        wanted[name] = Column(name=name, kind=Kind.NUMBER, meaning="a number of each response")
    return wanted


def _one_set(table: Table, arm: str | None, step: int | None) -> Rows:
    """Return the rows of one arm at one checkpoint."""
    keep = np.ones(table.rows, dtype=np.bool_)
    if "arm" in table.labels:
        require_named(table, "arm")
    elif arm is not None:
        raise InputError(f"no column arm to find {arm!r:.60} in", where=table.path)
    if "arm" in table.labels:
        names = [str(name) for name in table.labels["arm"].names]
        if arm is None and len(names) > 1:
            raise _several(table.path, "arm", names)
        if arm is not None and arm not in names:
            raise InputError(
                f"no rows of arm {arm!r:.60}", where=table.path, hint=f"there are: {_list(names)}"
            )
        keep = table.labels["arm"].codes == (names.index(arm) if arm is not None else 0)
    if step is not None and "step" not in table.numbers:
        raise InputError(f"no column step to find {step} in", where=table.path)
    if "step" in table.numbers:
        steps = table.numbers["step"]
        found = [str(int(s)) for s in np.unique(steps[keep])]
        if step is None and len(found) > 1:
            raise _several(table.path, "step", found)
        if step is not None and str(step) not in found:
            raise InputError(
                f"no rows of step {step}", where=table.path, hint=f"there are: {_list(found)}"
            )
        keep = keep & (steps == int(found[0] if step is None else step))
    return np.flatnonzero(keep)


def _several(path: str, what: str, names: Sequence[str]) -> InputError:
    return InputError(
        f"rows of {len(names):,} values of {what}: {_list(names)}",
        where=f"{path}, column {what}",
        hint=f"samples are of one policy; name one with --{what}",
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"{name:.40}" for name in names[:8]) + (", …" if len(names) > 8 else "")


def _side(role: str, named: str) -> tuple[Table, str]:
    """Read one side of a join: its keys and its one reward."""
    path, column = _split(named)
    file = sample_file(path)
    there = columns_of(file)
    if not column:
        column = next((name for name in _DEFAULTS[role] if name in there), "")
        if not column:
            raise InputError(
                f"no column {' or '.join(_DEFAULTS[role])}",
                where=str(file),
                hint=f"name it with --{role} FILE:COLUMN; there are: {_list(there)}",
            )
    wanted = {name: SAMPLES.column(name) for name in _KEY}
    if "length" in there:
        wanted["length"] = SAMPLES.column("length")
    wanted[column] = Column(name=column, kind=Kind.NUMBER, meaning=SAMPLES.column(role).meaning)
    table = read_table(file, wanted)
    for name in _KEY:
        require_named(table, name)
    refuse_repeated(table, _KEY, np.arange(table.rows), _JUDGES)
    return table, column


def _split(named: str) -> tuple[Path, str]:
    if Path(named).exists() or ":" not in named:
        return Path(named), ""
    path, _, column = named.rpartition(":")
    return Path(path), column


def _alone(p: Table, g: Table, shared: int, unknown: str) -> int:
    """Return how many responses only one file has; InputError where they are to be refused."""
    if not shared:
        raise InputError(
            f"no response is in both {p.path} and {g.path}",
            hint="they are matched by prompt_id and response_id; are these the same responses?",
        )
    alone = p.rows + g.rows - 2 * shared
    if alone and unknown == "refuse":
        raise InputError(
            f"{p.rows - shared:,} responses are in {p.path} alone, {g.rows - shared:,} in "
            f"{g.path} alone",
            hint=_ALONE,
        )
    return alone


def _samples(scored: _Scored, unknown: str, alone: int = 0) -> Samples:
    keep = _known(scored, unknown)
    proxy, gold = (scored.rewards[role][keep] for role in ("proxy", "gold"))
    codes = scored.prompts.codes[keep]
    # Also by reward within a prompt: sums come out the same to the last digit in whatever order
    # the file has its rows.
    order = np.lexsort((gold, proxy, codes))
    present, counts = np.unique(codes, return_counts=True)
    return Samples(
        prompts=np.asarray(scored.prompts.names[present], dtype=str),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        proxy=proxy[order],
        gold=gold[order],
        columns={name: values[keep][order] for name, values in scored.others.items()},
        left_out=int(len(scored.rows) - len(keep)) + alone,
    )


def _known(scored: _Scored, unknown: str) -> Rows:
    """Return the places with both rewards; InputError where others are to be refused."""
    if unknown not in ("refuse", "drop"):
        raise InputError(f"unknown={unknown!r}", hint="refuse or drop")
    for role, values in scored.rewards.items():
        missing = np.flatnonzero(np.isnan(values))
        if len(missing) == len(values):
            raise InputError(
                f"no sample has a {role}",
                where=f"{scored.where}, column {scored.names[role]}",
                hint="score the samples first",
            )
        if len(missing) and unknown == "refuse":
            raise InputError(
                f"{len(missing):,} of {len(values):,} samples lack their {role}",
                where=f"{scored.where}, column {scored.names[role]}, row "
                f"{int(scored.rows[missing[0]]) + 1:,}",
                hint=_ALONE,
            )
    keep = ~np.any([np.isnan(v) for v in scored.rewards.values()], axis=0)
    if not keep.any():
        raise InputError(
            "no sample has both rewards", where=scored.where, hint="score the samples first"
        )
    return np.flatnonzero(keep)
