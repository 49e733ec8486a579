"""`Store`: the door to the file, the writer thread and the reports."""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rubricbench.errors import StoreError
from rubricbench.store.audit import (
    StoreStats,
    VerifyReport,
    check_rows,
    collect_stats,
    key_shown,
    self_check,
)
from rubricbench.store.completion import (
    Completion,
    digest_of,
    from_record,
    raw_key,
    to_record,
)
from rubricbench.store.database import connect, explained, selection
from rubricbench.store.writer import Writer

if TYPE_CHECKING:
    from rubricbench.store.transfer import ExportReport, ImportReport

LOOKUP_CHUNK = 256


def _nothing() -> None:
    """What `advance` is where nobody watches."""


class Store:
    """A completion store; make one with `Store.open`. Any thread may use it."""

    def __init__(self, path: Path, reader: sqlite3.Connection, writer: Writer | None) -> None:
        self.path = path
        self._reader = reader
        self._reading = threading.Lock()
        self._writer = writer
        self._process = os.getpid()
        atexit.register(self.close)  # what was put is paid for, even if nobody closed the store

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> Store:
        """Open a store, creating the file (not its folder) if it is not there.

        Raises:
            StoreError: the file is foreign, damaged, of another version, or not permitted.
        """
        path = Path(path).absolute()
        writing = None if read_only else connect(path, read_only=False)
        try:
            reading = connect(path, read_only=True)
        except BaseException:
            if writing:
                writing.close()
            raise
        return cls(path, reading, Writer(writing, path) if writing else None)

    def get_many(self, keys: Sequence[str]) -> dict[str, Completion]:
        """Return the completions that are there, by key.

        Raises:
            StoreError: the file cannot be read, or a completion is damaged.
            InputError: a key is not one that `request_key` makes.
        """
        self._require_own()
        wanted = [raw_key(key) for key in keys]
        # What is on its way first: it may reach the disk, and the disk has the last word.
        queued = self._writer.pending(wanted) if self._writer else []
        rows: list[Sequence[Any]] = [(*record, digest_of(record)) for record in queued]
        with self._reading, explained(self.path, "read the store"):
            select = selection(self._reader)
            for start in range(0, len(wanted), LOOKUP_CHUNK):
                chunk = wanted[start : start + LOOKUP_CHUNK]
                marks = ",".join("?" * len(chunk))
                rows += self._reader.execute(f"{select} WHERE key IN ({marks})", chunk)
        return {found.key: found for found in map(self._completion, rows)}

    def put(self, completion: Completion, *, keyed: bool = False) -> None:
        """Queue a completion for the next group commit; the first one under a key stays.

        It returns in microseconds, unless the disk is so far behind that 32 MB are waiting.

        Args:
            completion: the completion.
            keyed: True where the key has just been made of its request, and need not be checked.

        Raises:
            InputError: a field is of the wrong type, or the key not the hash of the request.
            StoreError: the store is read-only or closed, or an earlier commit failed.
        """
        self._writing().put(to_record(completion, keyed=keyed))

    def flush(self) -> None:
        """Return once everything put so far is on disk.

        Raises:
            StoreError: the store is read-only or closed, or the commit failed; it may be tried
                again.
        """
        self._writing().flush()

    def count(self) -> int:
        """Return the number of completions on disk.

        Raises:
            StoreError: the file cannot be read.
        """
        self._require_own()
        with self._reading, explained(self.path, "read the store"):
            return int(self._reader.execute("SELECT COUNT(*) FROM completions").fetchone()[0])

    def iterate(self) -> Iterator[Completion]:
        """Yield every completion that was put before, ordered by key.

        Raises:
            StoreError: the file cannot be read, or a completion is damaged.
        """
        return map(self._completion, self.rows())

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield every record, followed by its digest and unchecked, ordered by key.

        Raises:
            StoreError: the file cannot be read.
        """
        self._require_own()
        if self._writer:
            self._writer.flush()
        # A connection of its own: a long walk must not hold up look-ups.
        connection = connect(self.path, read_only=True)
        try:
            with explained(self.path, "read the store"):
                yield from connection.execute(f"{selection(connection)} ORDER BY key")
        finally:
            connection.close()

    def stats(self) -> StoreStats:
        """Count what is on disk.

        Raises:
            StoreError: the file cannot be read.
        """
        self._require_own()
        with self._reading, explained(self.path, "read the store"):
            return collect_stats(self._reader, self.path)

    def verify(self, *, advance: Callable[[], object] = _nothing) -> VerifyReport:
        """Read everything and compare it with its digests; damage is reported, not raised.

        Args:
            advance: called after each row.

        Raises:
            StoreError: the file cannot be opened or reached.
        """
        self._require_own()
        with self._reading:
            database = self_check(self._reader)
        return check_rows(self.rows(), database, advance)

    def export(self, path: str | Path, *, advance: Callable[[], object] = _nothing) -> ExportReport:
        """Write every completion to a parquet file, replaced as a whole; damaged ones are left out.

        Args:
            path: where to; the columns are described in `rubricbench.store.transfer`.
            advance: called after each row.

        Raises:
            StoreError: the store cannot be read, or the file cannot be written.
            InputError: the file is the store itself.
        """
        from rubricbench.store.transfer import export_store

        return export_store(self, Path(path), advance)

    def import_(
        self, path: str | Path, *, advance: Callable[[], object] = _nothing
    ) -> ImportReport:
        """Add the completions of an exported file; what is there stays, what is damaged is refused.

        Args:
            path: the parquet file.
            advance: called after each row.

        Raises:
            InputError: the file is missing, damaged, or is no export of a store.
            StoreError: the store cannot be read or written.
        """
        from rubricbench.store.transfer import import_store

        return import_store(self, Path(path), advance)

    def close(self) -> None:
        """Write what is queued and close the file.

        Raises:
            StoreError: the commit failed.
        """
        atexit.unregister(self.close)
        if os.getpid() != self._process:
            return  # after a fork, the file and what is queued are the parent's
        with self._reading:
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

    def _completion(self, row: Sequence[Any]) -> Completion:
        found = from_record(row[:-1], row[-1])
        if found is None:
            raise StoreError(
                f"completion {key_shown(row[0])} is damaged",
                where=str(self.path),
                hint="export the store and import that into a new one: it leaves out the damaged",
            )
        return found

    def _writing(self) -> Writer:
        self._require_own()
        if self._writer is None:
            raise StoreError("the store was opened read-only", where=str(self.path))
        return self._writer

    def _require_own(self) -> None:
        # SQLite's locks and the writer thread do not survive a fork.
        if os.getpid() != self._process:
            raise StoreError(
                "the store was opened before this process was forked",
                where=str(self.path),
                hint="open it in the process that uses it",
            )
