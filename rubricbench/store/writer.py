"""The one thread that writes: takes what is put, commits it in groups."""

from __future__ import annotations

import queue
import sqlite3
import threading
from pathlib import Path

from rubricbench.errors import StoreError
from rubricbench.store.completion import Completion, to_record
from rubricbench.store.database import COLUMNS, explained

COMMIT_SECONDS = 0.02
MAX_GROUP = 2_000
MAX_QUEUED = 10_000  # put() waits beyond this: memory stays bounded on a slow disk

# First write wins: a key's text never changes once someone may have read it.
_INSERT = f"INSERT OR IGNORE INTO completions ({COLUMNS}, digest) VALUES (?,?,?,?,?,?,?,?,?,?)"

_Item = Completion | threading.Event


class Writer:
    """Commits completions about every 20 ms, off the caller's thread.

    Args:
        connection: a connection nobody else uses.
        path: the store's file, for error messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queue: queue.Queue[_Item | None] = queue.Queue(MAX_QUEUED)
        self._failure: StoreError | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def put(self, completion: Completion) -> None:
        """Queue a completion; it is on disk after the next group commit.

        Raises:
            StoreError: an earlier commit failed, or the store is closed.
        """
        self._check()
        self._queue.put(completion)

    def flush(self) -> None:
        """Return once everything put before is on disk.

        Raises:
            StoreError: a commit failed.
        """
        self._check()
        done = threading.Event()
        self._queue.put(done)
        done.wait()
        self._check()

    def close(self) -> None:
        """Write what is queued and end the thread.

        Raises:
            StoreError: a commit failed.
        """
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
            self._thread.join()
            self._connection.close()
        if self._failure:
            raise self._failure

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if self._closed.is_set():
            raise StoreError("the store is closed", where=str(self._path))

    def _run(self) -> None:
        open_ = True
        while open_:
            group, open_ = self._next_group()
            completions = [item for item in group if isinstance(item, Completion)]
            if completions and not self._failure:
                self._commit(completions)
            # Also after a failure: whoever waits in flush() must wake up and see it.
            for item in group:
                if isinstance(item, threading.Event):
                    item.set()

    def _next_group(self) -> tuple[list[_Item], bool]:
        """Wait for an item, then take what arrives until the interval ends or a flush asks."""
        first = self._queue.get()
        if first is None:
            return [], False
        group = [first]
        urgent = isinstance(first, threading.Event)
        if not urgent:
            self._closed.wait(COMMIT_SECONDS)
        while len(group) < MAX_GROUP:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return group, False
            group.append(item)
        return group, True

    def _commit(self, completions: list[Completion]) -> None:
        rows = [(*to_record(c), c.digest()) for c in completions]
        try:
            with explained(self._path, "write to the store"):
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    self._connection.executemany(_INSERT, rows)
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        except StoreError as failure:
            self._failure = failure
