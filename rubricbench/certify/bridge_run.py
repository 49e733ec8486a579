"""Bridging two judges' scores: the map, its checks, and what the other judge would have said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import rubricbench
from rubricbench.certify.bridge import Bridge, Form, Transport, learn, transport, unseen
from rubricbench.certify.measure import Floats, Measure, Prompts, mean
from rubricbench.certify.page.bridge_page import write_bridge_report
from rubricbench.certify.score_files import RUN_FILE, ScoreTable, read_scores
from rubricbench.errors import InputError, RunError
from rubricbench.runs import RunDirectory, atomic_write, file_hash, write_parquet_atomic

STAGE = "bridge"
RECORD, SCORES, REPORT = "bridge.json", "bridged_scores.parquet", "report.html"

SCHEMA = pa.schema(
    [
        ("prompt_id", pa.string()),
        ("response_id", pa.string()),
        ("generator", pa.string()),
        ("a", pa.float64()),
        ("b", pa.float64()),  # null where judge B did not grade it
        ("bridged", pa.float64()),
        ("low", pa.float64()),  # 95% band of a single score of judge B
        ("high", pa.float64()),
        ("outside", pa.bool_()),  # judge A's score lies beyond those the map was learnt on
    ]
)


class BridgedGenerator(msgspec.Struct, frozen=True, kw_only=True):
    """A generator's mean under both judges.

    Args:
        name: the generator.
        a: mean of judge A's scores.
        b: mean of judge B's, of the responses B graded; no value where B graded none.
        bridged: mean of all its responses on judge B's scale.
        seen: whether responses of it are among those the map was learnt on; if not, the interval
            is widened by what the bridge errs on unseen generators, where that is known.
        responses: how many judge A graded.
        outside: how many of them lie beyond the scores the map was learnt on.
        error: bridged minus real mean, the map learnt without it.
    """

    name: str
    a: Measure
    b: Measure
    bridged: Measure
    seen: bool
    responses: int
    outside: int
    error: Measure


class BridgeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bridge.json`` holds.

    Args:
        rubricbench: version that learnt the map.
        a: judge A.
        b: judge B.
        form: of the map.
        low: lowest score of A it was learnt on; lower ones are mapped as this.
        high: highest one; higher ones are mapped as this.
        intercept: of a line; no value for a monotone map.
        slope: likewise.
        knots: scores of A and the map there; in between it is linear.
        residual_sd: sd of single scores of B about the map.
        correlation: of both judges' scores.
        responses: graded by both.
        prompts: they belong to.
        shift: mean of B minus A over them.
        without_value: responses left out for want of a score, of A and of B.
        only_b: responses that only judge B graded; not used.
        transport_sd: sd between unseen generators of the bridge's error; None where not known.
        generators: by name.
    """

    rubricbench: str
    a: str
    b: str
    form: Form
    low: float
    high: float
    intercept: Measure
    slope: Measure
    knots: list[tuple[float, float]]
    residual_sd: float
    correlation: float | None
    responses: int
    prompts: int
    shift: Measure
    without_value: tuple[int, int]
    only_b: int
    transport_sd: float | None
    generators: list[BridgedGenerator]


class BridgeJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to bridge, and where.

    Args:
        a: scores of the judge to be mapped: a run directory or a scores file.
        b: scores of the judge whose scale is wanted; may be the same as ``a``.
        a_judge: name of the first judge, where its file holds several.
        b_judge: name of the second, likewise.
        out: the run directory of the result.
        form: of the map.
    """

    a: Path
    b: Path
    out: Path
    a_judge: str = ""
    b_judge: str = ""
    form: Form = Form.LINEAR


class _Joined(msgspec.Struct, frozen=True):
    """Scores of A with those of B beside them, NaN where B did not grade."""

    table: ScoreTable
    b: Floats
    only_b: int

    @property
    def both(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.b)


def bridge_files(job: BridgeJob, *, say: Callable[[str], None] = lambda text: None) -> BridgeRecord:
    """Learn the bridge from the responses both judges graded, and map all of judge A's.

    Raises:
        InputError: a file cannot be used, or too few responses were graded by both.
        RunError: the run directory is another run's, in use, or cannot be written.
    """
    a, b = read_scores(job.a, job.a_judge), read_scores(job.b, job.b_judge)
    joined = _join(a, b)
    with _directory(job) as directory:
        if directory.done(STAGE):
            say(f"{job.out} is complete already")
            return _recorded(directory)
        both = joined.both
        ids, generators = a.prompt_id.astype(str), a.generator.astype(str)
        bridge = learn(a.value[both], joined.b[both], Prompts(ids[both]), job.form)
        found = transport(a.value[both], joined.b[both], ids[both], generators[both], job.form)
        record = _record(job, joined, b, bridge, found)
        data = msgspec.json.format(msgspec.json.encode(record), indent=2)
        atomic_write(directory.path(RECORD), data + b"\n")
        write_parquet_atomic(directory.path(SCORES), _scores(joined, bridge))
        write_bridge_report(record, bridge, a.value[both], joined.b[both], directory.path(REPORT))
        directory.mark_done(STAGE, (RECORD, SCORES, REPORT))
    return record


def _join(a: ScoreTable, b: ScoreTable) -> _Joined:
    scores = dict(zip(b.keys, b.value.tolist(), strict=True))
    keys = a.keys
    values = np.array([scores.get(key, np.nan) for key in keys], dtype=np.float64)
    if np.isnan(values).all():
        raise InputError(
            "no response was graded by both judges",
            hint="they meet by prompt_id and response_id; grade some responses with both",
        )
    return _Joined(a, values, len(scores.keys() - set(keys)))


def _directory(job: BridgeJob) -> RunDirectory:
    files = {
        name: path / RUN_FILE if path.is_dir() else path
        for name, path in (("a", job.a), ("b", job.b))
    }
    return RunDirectory(
        job.out,
        command=STAGE,
        config={"form": str(job.form), "a_judge": job.a_judge, "b_judge": job.b_judge},
        data={name: file_hash(path) for name, path in files.items()},
    )


def _record(
    job: BridgeJob, joined: _Joined, b: ScoreTable, bridge: Bridge, found: Transport
) -> BridgeRecord:
    a, both = joined.table, joined.both
    line = job.form is Form.LINEAR
    prompts = Prompts(a.prompt_id[both].astype(str))
    return BridgeRecord(
        rubricbench=rubricbench.__version__,
        a=a.judge or "judge A",
        b=b.judge or "judge B",
        form=job.form,
        low=bridge.low,
        high=bridge.high,
        intercept=bridge.fit.coefficient(0) if line else Measure(None),
        slope=bridge.fit.coefficient(1) if line else Measure(None),
        knots=_knots(bridge),
        residual_sd=bridge.residual_sd,
        correlation=_correlation(a.value[both], joined.b[both]),
        responses=int(both.sum()),
        prompts=len(prompts),
        shift=mean(joined.b[both] - a.value[both], prompts),
        without_value=(a.without_value, b.without_value),
        only_b=joined.only_b,
        transport_sd=found.sd,
        generators=[
            _generator(joined, bridge, found, name) for name in sorted(set(a.generator.tolist()))
        ],
    )


def _correlation(a: Floats, b: Floats) -> float | None:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else None


def _knots(bridge: Bridge) -> list[tuple[float, float]]:
    edges = (
        np.unique(np.concatenate([bridge.starts, bridge.ends]))
        if bridge.form is Form.MONOTONE
        else np.array([bridge.low, bridge.high])
    )
    return list(zip(edges.tolist(), bridge.map(edges).tolist(), strict=True))


def _generator(joined: _Joined, bridge: Bridge, found: Transport, name: str) -> BridgedGenerator:
    table = joined.table
    own = table.generator == name
    prompts = Prompts(table.prompt_id[own].astype(str))
    scores, b = table.value[own], joined.b[own]
    seen = bool((~np.isnan(b)).any())
    bridged = bridge.mean(scores, prompts)
    return BridgedGenerator(
        name=name,
        a=mean(scores, prompts),
        b=mean(b, prompts),
        bridged=bridged if seen else unseen(bridged, found),
        seen=seen,
        responses=len(scores),
        outside=bridge.outside(scores),
        error=found.errors.get(name, Measure(None)),
    )


def _scores(joined: _Joined, bridge: Bridge) -> pa.Table:
    table = joined.table
    low, high = bridge.band(table.value)
    columns: list[Any] = [
        table.prompt_id.tolist(),
        table.response_id.tolist(),
        table.generator.tolist(),
        table.value,
        pa.array(joined.b, from_pandas=True),
        bridge.map(table.value),
        low,
        high,
        (table.value < bridge.low) | (table.value > bridge.high),
    ]
    return pa.table(columns, schema=SCHEMA)


def _recorded(directory: RunDirectory) -> BridgeRecord:
    path = directory.path(RECORD)
    try:
        return msgspec.json.decode(path.read_bytes(), type=BridgeRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(
            f"the bridge cannot be read: {error}", where=str(path), hint="remove it, and run again"
        ) from None
