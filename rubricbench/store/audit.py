"""What a store holds, and whether it is still what was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import StoreError
from rubricbench.store.completion import from_record

# CAST, because newer SQLite takes a blob for its own binary JSON.
# TOTAL, because SUM refuses what is beyond 64 bits.
_TOKENS = "TOTAL(json_extract(CAST(usage AS TEXT), '$.{}'))"
_BY_MODEL = (
    "SELECT model, COUNT(*), "
    + ", ".join(_TOKENS.format(kind) for kind in ("prompt_tokens", "completion_tokens"))
    # Where a stranger wrote the file, a time may be anything.
    + ", MIN(created) FILTER (WHERE typeof(created) = 'real')"
    + ", MAX(created) FILTER (WHERE typeof(created) = 'real')"
    + " FROM completions GROUP BY model ORDER BY model"
)


class ModelStats(msgspec.Struct, frozen=True):
    """What one model answered; tokens as the endpoint reported them."""

    completions: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class StoreStats(msgspec.Struct, frozen=True):
    """What a store holds.

    Args:
        path: its file.
        bytes: size on disk, with the write-ahead log.
        completions: number of rows.
        prompt_tokens: sum over all rows, as the endpoints reported them.
        completion_tokens: likewise.
        by_model: the same by the name the endpoint reported.
        first: time of the oldest answer in Unix seconds, None in an empty store.
        last: time of the newest.
    """

    path: str
    bytes: int
    completions: int
    prompt_tokens: int
    completion_tokens: int
    by_model: dict[str, ModelStats]
    first: float | None
    last: float | None


class VerifyReport(msgspec.Struct, frozen=True):
    """What `Store.verify` found.

    Args:
        completions: rows read.
        damaged: keys of rows that do not match their digest, or whose key is not the hash of their
            request.
        database: what SQLite's own integrity check says, ``ok`` if nothing.
    """

    completions: int
    damaged: tuple[str, ...]
    database: str

    @property
    def ok(self) -> bool:
        """True if nothing is wrong."""
        return not self.damaged and self.database == "ok"


def collect_stats(connection: sqlite3.Connection, path: Path) -> StoreStats:
    """Count by model and add up."""
    rows = connection.execute(_BY_MODEL).fetchall()
    by_model = {_name(row[0]): ModelStats(*map(int, row[1:4])) for row in rows}
    files = (path, path.with_name(path.name + "-wal"))
    return StoreStats(
        path=str(path),
        bytes=sum(file.stat().st_size for file in files if file.exists()),
        completions=sum(m.completions for m in by_model.values()),
        prompt_tokens=sum(m.prompt_tokens for m in by_model.values()),
        completion_tokens=sum(m.completion_tokens for m in by_model.values()),
        by_model=by_model,
        first=min((row[4] for row in rows if row[4] is not None), default=None),
        last=max((row[5] for row in rows if row[5] is not None), default=None),
    )


def self_check(connection: sqlite3.Connection) -> str:
    """Return what SQLite says of its own pages: ``ok``, or the first fault."""
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)


def _name(model: Any) -> str:
    """Return a model's name to be shown: what is not Unicode in it as escapes."""
    return model.decode("utf-8", "backslashreplace") if isinstance(model, bytes) else repr(model)


def check_rows(
    rows: Iterable[tuple[Any, ...]], database: str, advance: Callable[[], object]
) -> VerifyReport:
    """Compare every row with its digest.

    Args:
        rows: records, each followed by its digest.
        database: what `self_check` found.
        advance: called after each row.
    """
    count, damaged = 0, []
    try:
        for *record, digest in rows:
            count += 1
            if from_record(record, digest) is None:
                damaged.append(key_shown(record[0]))
            advance()
    except StoreError as error:  # a page that cannot be read ends the walk, and is a finding
        database = error.what if database == "ok" else database
    return VerifyReport(completions=count, damaged=tuple(damaged), database=database)


def key_shown(key: Any) -> str:
    """Return a key in hex, or what stands in its place."""
    return key.hex() if isinstance(key, bytes) else repr(key)
