"""The SQLite file of a store: opening it safely, and saying plainly why it cannot be opened."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rubricbench.errors import StoreError
from rubricbench.store.completion import COLUMNS

APPLICATION_ID = 0x52424E43  # "RBNC"
SCHEMA_VERSION = 2
WITHOUT_LOGPROBS = 1  # the version before; read as it is, and brought up to date to be written to
BUSY_SECONDS = 30.0

# Rows in the order they come, the key in an index: clustered by key (WITHOUT ROWID) every row of a
# group would dirty a page of its own, at a half to a third of the speed.
_SCHEMA = """
CREATE TABLE completions (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    created REAL NOT NULL,
    finish_reason BLOB NOT NULL,
    model BLOB NOT NULL,
    url BLOB NOT NULL,
    usage BLOB NOT NULL,
    text BLOB NOT NULL,
    reasoning BLOB NOT NULL,
    request BLOB NOT NULL,
    logprobs BLOB NOT NULL DEFAULT x''
)
"""
_ADD_LOGPROBS = "ALTER TABLE completions ADD COLUMN logprobs BLOB NOT NULL DEFAULT x''"

# SQLite's error name, or how it begins: what is wrong, what to do.
_REASONS = {
    "SQLITE_NOTADB": ("this is not a completion store", "check the path"),
    "SQLITE_CORRUPT": (
        "the file is damaged",
        "keep it, and use a copy, an earlier export, or a new store",
    ),
    "SQLITE_FULL": ("the disk is full", "free some space; what was flushed before is intact"),
    "SQLITE_IOERR": (
        "the disk does not take or give the data",
        "is it full, over a quota, or failing? What was flushed before is intact",
    ),
    "SQLITE_READONLY": ("it may not be written to", "change its permissions or choose another"),
    "SQLITE_CANTOPEN": (
        "it cannot be opened",
        "check that the folder exists and that you may write there",
    ),
    "SQLITE_BUSY": ("another process does not let go of it", "wait for that process, or end it"),
}


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn SQLite's and the system's errors into one StoreError line."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        known = (reason for prefix, reason in _REASONS.items() if name.startswith(prefix))
        what, hint = next(known, (str(error), None))
        raise StoreError(f"cannot {doing}: {what}", where=str(path), hint=hint) from error
    except OSError as error:
        what = error.strerror or str(error)
        raise StoreError(
            f"cannot {doing}: {what}", where=str(path), hint=_REASONS["SQLITE_CANTOPEN"][1]
        ) from error


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a store, creating it unless ``read_only``.

    Raises:
        StoreError: missing, foreign, damaged, of another version, or not permitted.
    """
    with explained(path, "open the store"):
        if path.exists() and not path.is_file():  # a pipe would be waited for, for ever
            raise StoreError("this is not a file", where=str(path), hint="name a file")
        if read_only and not path.exists():
            raise StoreError("no such store", where=str(path), hint="check the path")
        connection = _open(path, read_only=read_only)
        try:
            if not read_only and _blank(connection):
                _create(connection, path)
            _recognise(connection, path)
            if not read_only:
                _require_writable(connection)
                _renew(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def selection(connection: sqlite3.Connection) -> str:
    """Return the query of all records, each followed by its digest.

    Asked for with every reading: another process may bring the file up to date meanwhile.
    """
    columns = ", ".join(COLUMNS)
    if _pragma(connection, "user_version") == WITHOUT_LOGPROBS:
        columns = columns.replace("logprobs", "x''")
    return f"SELECT {columns}, digest FROM completions"


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # Reading, too, is done by a connection that may write, held back by `query_only`: a read-only
    # one leaves the log's side files behind. Only where it may not write does it have to do.
    mode = "rwc"
    if read_only:
        mode = "rw" if os.access(path.parent, os.W_OK, effective_ids=True) else "ro"
        if mode == "ro" and not path.with_name(path.name + "-wal").exists():
            mode = "ro&immutable=1"  # at rest, and the side files could not be made
    # isolation_level None: transactions are begun by us, IMMEDIATE, never deferred. A deferred one
    # that reads first and then writes fails at once when another process wrote in between.
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _blank(connection: sqlite3.Connection) -> bool:
    return not (
        _pragma(connection, "application_id")
        or _pragma(connection, "user_version")
        or connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _create(connection: sqlite3.Connection, path: Path) -> None:
    # Switching to WAL needs the file to itself and may not wait; a lock makes it orderly. It is
    # removed by whoever finds the store made, since from then on nobody makes it.
    lock_path = path.with_name(f".{path.name}.creating")
    with open(lock_path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _blank(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        lock_path.unlink(missing_ok=True)


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreError("this is not a completion store", where=str(path), hint="check the path")
    version = _pragma(connection, "user_version")
    if version not in (WITHOUT_LOGPROBS, SCHEMA_VERSION):
        raise StoreError(
            f"store version {version}, this rubricbench knows {SCHEMA_VERSION}",
            where=str(path),
            hint="use the rubricbench that wrote it, or a newer one",
        )
    # Set per connection. FULL costs nothing under group commit, and survives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA trusted_schema = OFF")  # the file may come from anywhere


def _require_writable(connection: sqlite3.Connection) -> None:
    # SQLite opens a file that it may not write without a word, and even begins a transaction;
    # better to hear it before paying.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {_pragma(connection, 'user_version')}")
    connection.execute("ROLLBACK")


def _renew(connection: sqlite3.Connection) -> None:
    """Bring a file of the version before up to date; rows and digests stay as they are."""
    if _pragma(connection, "user_version") == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if _pragma(connection, "user_version") != SCHEMA_VERSION:  # nobody else did meanwhile
        connection.execute(_ADD_LOGPROBS)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
