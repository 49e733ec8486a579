"""The one thread that writes: takes what is put, commits it in groups."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from rubricbench.errors import StoreError
from rubricbench.store.completion import COLUMNS, Record, digest_of
from rubricbench.store.database import explained

COMMIT_SECONDS = 0.02
MAX_QUEUED_BYTES = 32 << 20  # put() waits beyond this, so memory stays bounded on a slow disk

# First write wins: a key's text never changes once someone may have read it. Not INSERT OR IGNORE,
# which would pass over every other broken constraint in silence too.
_INSERT = (
    f"INSERT INTO completions ({', '.join(COLUMNS)}, digest)"
    f" VALUES ({', '.join('?' * (len(COLUMNS) + 1))}) ON CONFLICT (key) DO NOTHING"
)


class Writer:
    """Commits records about every 20 ms, off the caller's thread.

    After a failed commit its records are kept, `put` refuses more, and `flush` and `close` try
    again: a disk that has room once more loses nothing.

    Args:
        connection: a connection nobody else uses; closed by `close`.
        path: the store's file, for error messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queued: dict[bytes, Record] = {}
        self._queued_bytes = 0
        self._group: dict[bytes, Record] = {}  # being committed
        self._accepted = self._settled = 0  # records ever queued; those of them on disk
        self._hurry = self._closing = False
        self._failure: StoreError | None = None
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # where the thread waits
        self._news = threading.Condition(self._lock)  # where callers wait for the thread
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def put(self, record: Record) -> None:
        """Queue a record; it is on disk after the next group commit.

        Raises:
            StoreError: an earlier commit failed, or the store is closed.
        """
        key = record[0]
        with self._lock:
            self._require_working()
            while self._queued_bytes >= MAX_QUEUED_BYTES:
                self._news.wait()
                self._require_working()
            if key in self._queued or key in self._group:
                return
            self._queued[key] = record
            self._queued_bytes += _size(record)
            self._accepted += 1
            if len(self._queued) == 1 or self._queued_bytes >= MAX_QUEUED_BYTES:
                self._work.notify()

    def flush(self) -> None:
        """Return once everything put before is on disk.

        Raises:
            StoreError: the commit failed, or the store is closed.
        """
        with self._lock:
            if self._closing:
                raise self._closed()
            target = self._accepted
            self._failure = None
            while self._settled < target:
                self._hurry = True
                self._work.notify()
                self._news.wait()
                if self._failure:
                    raise self._failure.with_traceback(None)

    def pending(self, keys: Iterable[bytes]) -> list[Record]:
        """Return the records among these keys that are on their way to the disk."""
        with self._lock:
            if not self._group and not self._queued:
                return []
            found = (self._group.get(key) or self._queued.get(key) for key in keys)
            return [record for record in found if record]

    def close(self) -> None:
        """Write what is queued and end the thread.

        Raises:
            StoreError: the commit failed; what was queued is lost.
        """
        with self._lock:
            self._closing = True
            self._work.notify()
        self._thread.join()
        self._connection.close()
        if self._failure:
            raise self._failure.with_traceback(None)

    def _require_working(self) -> None:
        if self._closing:
            raise self._closed()
        if self._failure:
            raise self._failure.with_traceback(None)

    def _closed(self) -> StoreError:
        return StoreError("the store is closed", where=str(self._path), hint="open it again")

    def _run(self) -> None:
        closing = False
        while not closing:
            closing = self._next_group()
            failure = self._commit(self._group.values()) if self._group else None
            with self._lock:
                if failure:
                    self._queued = {**self._group, **self._queued}
                    self._queued_bytes = sum(map(_size, self._queued.values()))
                else:
                    self._settled += len(self._group)
                self._group = {}
                self._failure = failure
                self._news.notify_all()

    def _next_group(self) -> bool:
        """Wait for work and for more of it, then take it; return whether it is the last."""
        with self._lock:
            self._work.wait_for(
                lambda: self._closing or self._hurry or (self._queued and not self._failure)
            )
            self._work.wait_for(
                lambda: self._closing or self._hurry or self._queued_bytes >= MAX_QUEUED_BYTES,
                COMMIT_SECONDS,
            )
            self._hurry = False
            self._group, self._queued, self._queued_bytes = self._queued, {}, 0
            self._news.notify_all()
            return self._closing

    def _commit(self, records: Iterable[Record]) -> StoreError | None:
        try:
            with explained(self._path, "write to the store"):
                rows = [(*record, digest_of(record)) for record in records]
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    self._connection.executemany(_INSERT, rows)
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        except StoreError as failure:
            return failure
        except Exception as error:  # whatever it is, nobody may wait for a dead thread
            return StoreError(f"cannot write to the store: {error!r}", where=str(self._path))
        return None


def _size(record: Record) -> int:
    # The short columns and the objects themselves take about a kilobyte.
    return 1024 + sum(map(len, record[-4:]))
