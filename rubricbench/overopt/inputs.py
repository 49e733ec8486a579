"""The files of an analysis: told apart by their columns, read, and named as arms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from rubricbench.errors import InputError
from rubricbench.metrics.points import Points, read_points
from rubricbench.metrics.reading import (
    arms_of,
    join_samples,
    read_samples,
    read_trajectories,
    run_files,
    sample_file,
)
from rubricbench.metrics.sample_files import RUN_FILES
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tables import KINDS
from rubricbench.metrics.trajectory import Trajectory
from rubricbench.metrics.validate import layout_of
from rubricbench.overopt.document import Source
from rubricbench.overopt.settings import Settings
from rubricbench.runs import file_hash


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Args:
        paths: files and run folders; empty where proxy and gold name files to be joined.
        proxies: columns of the samples files, or ``FILE[:COLUMN]`` where there are no paths.
        gold: column, or ``FILE[:COLUMN]``.
        arm: of samples files that hold several, this one alone.
        step: of samples files with several checkpoints, this one.
    """

    paths: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ("proxy",)
    gold: str = "gold"
    arm: str | None = None
    step: int | None = None


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What was read.

    Args:
        runs: training trajectories.
        points: published curves.
        samples: arm -> scored samples.
        sources: the files.
    """

    runs: tuple[Trajectory, ...] = ()
    points: tuple[Points, ...] = ()
    samples: dict[str, Samples] = {}
    sources: tuple[Source, ...] = ()


def gather(
    request: Request,
    settings: Settings,
    *,
    layouts: Sequence[str] = KINDS,
) -> Inputs:
    """Read everything that was asked for.

    Args:
        request: the files.
        settings: says what becomes of unknown rewards.
        layouts: those that the command takes.

    Raises:
        InputError: no file, one that cannot be read or used, of a layout that is not taken, or two
            arms of one name.
    """
    if not request.paths:
        return _joined(request, settings)
    for proxy in request.proxies:
        if request.proxies.count(proxy) > 1:
            raise InputError(f"--proxy {proxy!r:.60} is named twice", hint="name it once")
    for path in request.paths:
        if request.paths.count(path) > 1:
            raise InputError("the file is named twice", where=path, hint="name it once")
    kinds = {path: layout_of(path) for path in request.paths}
    for path, kind in kinds.items():
        if kind not in layouts:
            raise InputError(
                f"this holds {kind}", where=path, hint=f"the command takes {' or '.join(layouts)}"
            )
    of = {kind: [p for p, k in kinds.items() if k == kind] for kind in KINDS}
    runs, of_runs = _runs(of["trajectory"], settings)
    points, of_points = _points(of["points"])
    samples, of_samples = _samples(of["samples"], request, settings)
    return Inputs(
        runs=tuple(runs),
        points=tuple(points),
        samples=samples,
        sources=(*of_runs, *of_points, *of_samples),
    )


def _runs(paths: Sequence[str], settings: Settings) -> tuple[list[Trajectory], list[Source]]:
    if not paths:
        return [], []
    files = run_files(paths)
    runs = read_trajectories(paths, unknown=settings.unknown)
    sources = [_source(f, "trajectory", _rows_of(f), 0, {}) for f in files]
    return runs, sources


def _rows_of(file: Path) -> int:
    if file.suffix.lower() != ".parquet":
        return 0
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)


def _points(paths: Sequence[str]) -> tuple[list[Points], list[Source]]:
    found, sources = [], []
    for path in paths:
        curves = read_points(path)
        found += curves
        sources.append(_source(Path(path), "points", sum(len(c.steps) for c in curves), 0, {}))
    keys = [(c.arm, c.seed) for c in found]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(
                f"arm {key[0]!r:.60}, seed {key[1]} is in two files", hint="rename one of them"
            )
    return found, sources


def _samples(
    paths: Sequence[str], request: Request, settings: Settings
) -> tuple[dict[str, Samples], list[Source]]:
    found: dict[str, Samples] = {}
    sources = []
    for path in paths:
        file = sample_file(path)
        rows = left_out = 0
        named: list[str | None] = [request.arm] if request.arm is not None else [*arms_of(file)]
        named = named or [None]
        for proxy in request.proxies:
            sets = {
                arm: read_samples(
                    file,
                    proxy=proxy,
                    gold=request.gold,
                    unknown=settings.unknown,
                    arm=arm,
                    step=request.step,
                )
                for arm in named
            }
            for arm, samples in sets.items():
                _add(found, _arm_name(file, arm, proxy, request, len(paths)), samples, path)
            rows = max(rows, sum(s.size + s.left_out for s in sets.values()))
            left_out = max(left_out, sum(s.left_out for s in sets.values()))
        columns = {"gold": request.gold, "proxy": ", ".join(request.proxies)}
        sources.append(_source(file, "samples", rows, left_out, columns))
    return found, sources


def _arm_name(file: Path, arm: str | None, proxy: str, request: Request, files: int) -> str:
    """Return arm, file or column: whatever tells the arms apart."""
    parts = [arm] if arm is not None else []
    if arm is None and (files > 1 or (len(request.proxies) == 1 and proxy == "proxy")):
        parts.append(_stem(file))
    if len(request.proxies) > 1 or not parts:
        parts.append(proxy)
    return ", ".join(parts)


def _stem(file: Path) -> str:
    own = file.name in RUN_FILES and file.parent.name
    return file.parent.name if own else file.stem


def _add(found: dict[str, Samples], name: str, samples: Samples, where: str) -> None:
    if name in found:
        raise InputError(f"two arms are called {name!r:.60}", where=where, hint="rename one file")
    found[name] = samples


def _joined(request: Request, settings: Settings) -> Inputs:
    """Join files by response: every proxy with the one gold."""
    if request.proxies == ("proxy",) or request.gold == "gold":
        raise InputError(
            "no file", hint="name a file, or two with --proxy FILE[:COLUMN] --gold FILE[:COLUMN]"
        )
    found: dict[str, Samples] = {}
    sources: dict[str, Source] = {}
    for proxy in request.proxies:
        samples = join_samples(proxy, request.gold, unknown=settings.unknown)
        file, column = _named(proxy)
        several = len(request.proxies) > 1
        name = _stem(file) if _stem(file) not in found else f"{_stem(file)}, {column}"
        _add(found, name if several or not column else f"{_stem(file)}, {column}", samples, proxy)
        for role, text in (("proxy", proxy), ("gold", request.gold)):
            path, of = _named(text)
            rows = samples.size + samples.left_out
            sources[text] = _source(path, "samples", rows, samples.left_out, {role: of})
    return Inputs(samples=found, sources=tuple(sources.values()))


def _named(text: str) -> tuple[Path, str]:
    path, _, column = (text, "", "") if Path(text).exists() else text.rpartition(":")
    return sample_file(path), column


def _source(path: Path, kind: str, rows: int, left_out: int, columns: dict[str, str]) -> Source:
    return Source(
        path=str(path),
        kind=kind,
        rows=rows,
        left_out=left_out,
        sha256=file_hash(path),
        columns={role: name for role, name in columns.items() if name},
    )
