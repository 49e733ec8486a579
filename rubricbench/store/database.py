"""The SQLite file of a store: opening it safely, and saying plainly why it cannot be opened."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rubricbench.errors import StoreError

APPLICATION_ID = 0x52424E43  # "RBNC"
SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0
COLUMNS = "key, text, reasoning, finish_reason, usage, model, url, request, created"

_SCHEMA = """
CREATE TABLE completions (
    key BLOB PRIMARY KEY,
    text BLOB NOT NULL,
    reasoning BLOB NOT NULL,
    finish_reason TEXT NOT NULL,
    usage BLOB NOT NULL,
    model TEXT NOT NULL,
    url TEXT NOT NULL,
    request BLOB NOT NULL,
    created REAL NOT NULL,
    digest BLOB NOT NULL
) WITHOUT ROWID
"""


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn SQLite's and the system's errors into one StoreError line."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(f"cannot {doing}: {_plain(error)}", where=str(path)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"cannot {doing}: {reason}", where=str(path)) from error


def _plain(error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorname", "")
    reasons = {
        "SQLITE_NOTADB": "this is not a completion store (not an SQLite file)",
        "SQLITE_CORRUPT": "the file is damaged; keep a copy, then export what `store verify` reads",
        "SQLITE_FULL": "the disk is full; free some space and run again, nothing finished is lost",
        "SQLITE_READONLY": "it is read-only; choose another place or change its permissions",
        "SQLITE_CANTOPEN": "it cannot be opened; check that the folder exists and is yours",
        "SQLITE_BUSY": "another process has held it for 30 s; wait or end that process",
    }
    for name, reason in reasons.items():
        if code.startswith(name):
            return reason
    return str(error)


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a store, creating it unless ``read_only``.

    Raises:
        StoreError: missing, foreign, damaged, of a newer version, or not permitted.
    """
    if path.is_dir():
        raise StoreError("this is a folder, not a store", where=str(path))
    if read_only and not path.exists():
        raise StoreError("no such store", where=str(path), hint="check the path")
    with explained(path, "open the store"):
        connection = _open(path, read_only=read_only)
        try:
            if not read_only:
                _create(connection, path)
            _recognise(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    if read_only and _at_rest(path):
        mode = "ro&immutable=1"
    # isolation_level None: transactions are begun by us, IMMEDIATE, never deferred. A deferred one
    # that reads first and then writes fails at once when another process wrote in between.
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _at_rest(path: Path) -> bool:
    """True for a store in a read-only folder, where the log's side files cannot be made."""
    return not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()


def _create(connection: sqlite3.Connection, path: Path) -> None:
    # Switching to WAL needs the file to itself and does not wait; a file lock makes it orderly.
    with open(path.with_name(path.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.execute("PRAGMA user_version").fetchone()[0] or _tables(connection):
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreError(
            "this SQLite file is not a completion store", where=str(path), hint="check the path"
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"store version {version}, this rubricbench reads {SCHEMA_VERSION}",
            where=str(path),
            hint="use the rubricbench that wrote it, or export and import it",
        )
    # Set per connection. FULL costs nothing under group commit, and survives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
