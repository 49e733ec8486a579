"""Scores that outlive a kill: ``scores.parquet`` of an audit, by reward and response.

Until a reward is through, each batch is appended to ``scores.partial.jsonl``: a kill loses no more
than the batch that was being scored.

They are keyed by the reward's identity (the hash of all that decides what it says), and the folder
belongs to one pool, so scores of another model, function or pool are never taken for these.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rubricbench.audit.pool import Pool
from rubricbench.audit.rewards import Reward, Scored, identity_hash
from rubricbench.errors import RunError
from rubricbench.runs.files import write_parquet_atomic

SCORES = "scores.parquet"
REMARKS = "rubricbench.remarks"  # in the file's metadata: identity -> what the reward remarked
PARTIAL = "scores.partial.jsonl"
SCHEMA = pa.schema(
    [
        ("reward", pa.string()),
        ("identity", pa.string()),  # sha256 of all that decides the reward
        ("prompt_id", pa.string()),
        ("response_id", pa.string()),
        ("value", pa.float64()),  # null where unknown
        ("cause", pa.string()),
    ]
)

Floats = NDArray[np.float64]


class _Line(msgspec.Struct, frozen=True):
    """A score in the partial file."""

    reward: str
    identity: str
    response_id: str
    value: float | None
    cause: str


class KeptScores:
    """The scores of a pool's responses.

    Args:
        folder: of the audit.
        pool: whose responses they are.

    Raises:
        RunError: the file cannot be read.
    """

    def __init__(self, folder: Path, pool: Pool) -> None:
        self.path = folder / SCORES
        self._pool = pool
        self._scores: dict[str, dict[int, Scored]] = {}
        self._names: dict[str, str] = {}
        self._remarks: dict[str, list[str]] = {}
        self._partial = folder / PARTIAL
        self._places = {name: i for i, name in enumerate(pool.response_ids)}
        if self.path.exists():
            self._read()
        for line in self._partial_lines():
            self._take(line.reward, line.identity, line.response_id, line.value, line.cause)

    def scored(self, reward: Reward) -> dict[int, Scored]:
        """Return a reward's scores by row, scoring those that are not there yet.

        What the reward remarked when it scored is kept too, and given back to it.

        Raises:
            RubricbenchError: the reward cannot score; what it has said is kept.
        """
        key = identity_hash(reward)
        own = self._scores.setdefault(key, {})
        self._names[key] = reward.name
        todo = [i for i in range(len(self._pool)) if i not in own]
        if todo:
            if self._partial.exists():  # of a run that was killed: its last line may be torn
                self.write()
            try:
                reward.score(self._pool, todo, partial(self._keep, reward.name, key))
            finally:
                self._remarks[key] = list(reward.remarks)
                self.write()
        elif not reward.remarks:
            reward.remarks.extend(self._remarks.get(key, ()))
        return own

    def _keep(self, name: str, key: str, found: Mapping[int, Scored]) -> None:
        """Take a batch, and append it to the partial file."""
        self._scores[key].update(found)
        ids = self._pool.response_ids
        lines = [_Line(name, key, ids[i], s.value, s.cause) for i, s in found.items()]
        try:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            with self._partial.open("ab") as file:
                file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        except OSError as error:
            raise RunError(
                f"the scores cannot be kept: {error.strerror}", where=str(self._partial)
            ) from error

    def values(self, reward: Reward) -> Floats:
        """Return a reward's scores in the order of the pool, NaN where unknown: shape ``(N,)``."""
        found = self.scored(reward)
        values = [found[i].value for i in range(len(self._pool))]
        return np.array([np.nan if value is None else value for value in values])

    def write(self) -> None:
        """Write what there is.

        Raises:
            RunError: the file cannot be written.
        """
        pool = self._pool
        parts = [self._table(key, scores, pool) for key, scores in self._scores.items() if scores]
        if parts:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            said = {REMARKS: json.dumps(self._remarks, sort_keys=True)}
            write_parquet_atomic(self.path, pa.concat_tables(parts).replace_schema_metadata(said))
        self._partial.unlink(missing_ok=True)

    def _table(self, key: str, scores: Mapping[int, Scored], pool: Pool) -> pa.Table:
        rows: Sequence[int] = sorted(scores)
        columns = {
            "reward": [self._names.get(key, "")] * len(rows),
            "identity": [key] * len(rows),
            "prompt_id": [pool.prompt_ids[i] for i in rows],
            "response_id": [pool.response_ids[i] for i in rows],
            "value": [scores[i].value for i in rows],
            "cause": [scores[i].cause for i in rows],
        }
        return pa.table(columns, schema=SCHEMA)

    def _read(self) -> None:
        try:
            table = pq.read_table(self.path, schema=SCHEMA)
            said = (pq.read_schema(self.path).metadata or {}).get(REMARKS.encode(), b"{}")
            self._remarks = json.loads(said)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise RunError(
                f"the scores cannot be read: {error}", where=str(self.path), hint="remove the file"
            ) from None
        for row in table.to_pylist():
            self._take(
                row["reward"], row["identity"], row["response_id"], row["value"], row["cause"]
            )

    def _partial_lines(self) -> Iterator[_Line]:
        """Yield the whole lines of the partial file; a kill may have torn the last."""
        with contextlib.suppress(FileNotFoundError):
            for line in self._partial.read_bytes().splitlines():
                with contextlib.suppress(msgspec.DecodeError):
                    yield msgspec.json.decode(line, type=_Line)

    def _take(
        self, reward: str, identity: str, response: str, value: float | None, cause: str
    ) -> None:
        at = self._places.get(response)
        if at is not None:
            self._names[identity] = reward
            self._scores.setdefault(identity, {})[at] = Scored(value, cause)
