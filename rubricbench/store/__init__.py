"""The completion store: every paid call, once, under the hash of what was asked.

    with Store.open("store.sqlite") as store:
        key, request = request_key({"messages": [...], "model": "judge-1", "sampling": {...}})
        found = store.get_many([key])
        if key not in found:
            store.put(Completion(key=key, request=request, text=ask_the_model()))
        store.flush()          # returns once it is on disk

Append-only SQLite in WAL mode. A writer thread commits in groups about every 20 ms; `Store.put`
does not wait for it. Several threads and several processes may use one store; a process killed at
any moment loses at most what it had not flushed, and the file opens again as it is.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from rubricbench.errors import StoreError
from rubricbench.store.completion import Completion, from_record, request_key
from rubricbench.store.database import COLUMNS, connect, explained
from rubricbench.store.writer import Writer

__all__ = ["Completion", "Store", "StoreStats", "VerifyReport", "request_key"]

LOOKUP_CHUNK = 256
_SUM = "COALESCE(SUM(json_extract(usage, '$.{}')), 0)"


class StoreStats(msgspec.Struct, frozen=True):
    """What a store holds; tokens as the endpoints reported them, times in Unix seconds."""

    path: str
    completions: int
    bytes: int
    prompt_tokens: int
    completion_tokens: int
    by_model: dict[str, int]
    first: float | None
    last: float | None


class VerifyReport(msgspec.Struct, frozen=True):
    """What `Store.verify` found.

    Args:
        completions: rows read.
        damaged: keys whose content no longer matches its digest, or whose key is not the hash of
            its request.
        database: what SQLite's own integrity check says, ``ok`` if nothing.
    """

    completions: int
    damaged: tuple[str, ...]
    database: str

    @property
    def ok(self) -> bool:
        """True if nothing is wrong."""
        return not self.damaged and self.database == "ok"


class Store:
    """A completion store; make one with `Store.open`."""

    def __init__(self, path: Path, reader: sqlite3.Connection, writer: Writer | None) -> None:
        self.path = path
        self._reader = reader
        self._writer = writer
        self._reading = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> Store:
        """Open a store, creating the file if it is not there.

        Raises:
            StoreError: the file is foreign, damaged, of a newer version, or not permitted.
        """
        path = Path(path)
        writer = None
        if not read_only:
            writer = Writer(connect(path, read_only=False), path)
        return cls(path, connect(path, read_only=True), writer)

    def get_many(self, keys: Sequence[str]) -> dict[str, Completion]:
        """Return the completions that are there, by key.

        Raises:
            StoreError: the file cannot be read.
        """
        found: dict[str, Completion] = {}
        with self._reading, explained(self.path, "read the store"):
            for start in range(0, len(keys), LOOKUP_CHUNK):
                chunk = [bytes.fromhex(key) for key in keys[start : start + LOOKUP_CHUNK]]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT {COLUMNS} FROM completions WHERE key IN ({marks})"
                for record in self._reader.execute(query, chunk):
                    completion = from_record(record)
                    found[completion.key] = completion
        return found

    def put(self, completion: Completion) -> None:
        """Queue a completion for the next group commit; the first one under a key stays.

        Raises:
            StoreError: the store is read-only or closed, or an earlier commit failed.
        """
        self._writing().put(completion)

    def flush(self) -> None:
        """Return once everything put so far is on disk.

        Raises:
            StoreError: the store is read-only or closed, or a commit failed.
        """
        self._writing().flush()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreError("the store was opened read-only", where=str(self.path))
        return self._writer

    def close(self) -> None:
        """Write what is queued and close the file.

        Raises:
            StoreError: a commit failed.
        """
        # The writing connection goes last: the last one folds the log into the file, and a
        # read-only one cannot.
        self._reader.close()
        if self._writer:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except StoreError:
            if error is None:  # the error under way is the one to hear about
                raise

    def iterate(self) -> Iterator[Completion]:
        """Yield every completion, ordered by key.

        Raises:
            StoreError: the file cannot be read.
        """
        for record, _ in self._records():
            yield from_record(record)

    def _records(self) -> Iterator[tuple[tuple[object, ...], bytes]]:
        # A connection of its own: a long walk must not hold up look-ups.
        connection = connect(self.path, read_only=True)
        try:
            with explained(self.path, "read the store"):
                rows = connection.execute(f"SELECT {COLUMNS}, digest FROM completions ORDER BY key")
                for row in rows:
                    yield row[:-1], row[-1]
        finally:
            connection.close()

    def stats(self) -> StoreStats:
        """Count what is there.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._reading, explained(self.path, "read the store"):
            prompt, answer = _SUM.format("prompt_tokens"), _SUM.format("completion_tokens")
            rows, first, last, prompt_tokens, completion_tokens = self._reader.execute(
                f"SELECT COUNT(*), MIN(created), MAX(created), {prompt}, {answer} FROM completions"
            ).fetchone()
            models = self._reader.execute(
                "SELECT model, COUNT(*) FROM completions GROUP BY model ORDER BY model"
            ).fetchall()
            size = sum(
                file.stat().st_size
                for suffix in ("", "-wal")
                if (file := self.path.with_name(self.path.name + suffix)).exists()
            )
        return StoreStats(
            path=str(self.path),
            completions=rows,
            bytes=size,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            by_model=dict(models),
            first=first,
            last=last,
        )

    def verify(self) -> VerifyReport:
        """Read everything and compare it with its digests.

        Raises:
            StoreError: the file cannot be read at all.
        """
        with self._reading, explained(self.path, "read the store"):
            database = self._reader.execute("PRAGMA integrity_check").fetchone()[0]
        count, damaged = 0, []
        for record, digest in self._records():
            count += 1
            key = bytes(record[0]) if isinstance(record[0], bytes) else b""
            if not _intact(record, digest):
                damaged.append(key.hex())
        return VerifyReport(completions=count, damaged=tuple(damaged), database=str(database))


def _intact(record: tuple[object, ...], digest: bytes) -> bool:
    try:
        completion = from_record(record)
    except (ValueError, TypeError, msgspec.DecodeError):
        return False
    keyed = hashlib.sha256(completion.request).hexdigest() == completion.key
    return keyed and completion.digest() == digest
