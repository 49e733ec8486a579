"""Who is about to pay for which call: so that two processes on one store do not pay twice.

A file beside the store, thrown away at will: it holds no answers, only claims. A claim lasts while
its owner renews it, and for a while after an answer was put, until everybody can see that answer.
Claims of a process that has died on this machine are void at once, those of any other after
`LEASE_SECONDS`.
"""

from __future__ import annotations

import itertools
import math
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0
BUSY_SECONDS = 0.5  # the event loop waits: claims are written in less than a millisecond
SWITCH_SECONDS = 0.005
REST_SECONDS = 30.0
_CHUNK = 256
_numbers = itertools.count()


class Claims:
    """The claims of one pass over one store; one thread's.

    Where the file cannot be used (a folder nobody may write to, a full disk), or another process
    does not let go of it, every claim is granted: paying twice is better than not going on. It is
    tried again after `REST_SECONDS`.

    Args:
        store: path of the completion store.
        clock: seconds since the Unix epoch.
    """

    def __init__(self, store: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._host = socket.gethostname()
        self._owner = f"{self._host}:{os.getpid()}:{next(_numbers)}"
        self._settled: list[str] = []  # answered since the last renewal
        self._visible: list[str] = []  # answered before it: on disk by now
        self._path = store.with_name(store.name + "-claims")
        self._connection: sqlite3.Connection | None = None
        self._rests_until = -math.inf

    def take(self, keys: Collection[str]) -> set[str]:
        """Claim keys; return those that were granted. The others are somebody else's."""
        if not keys or not self._connected():
            return set(keys)
        try:
            return self._take(list(dict.fromkeys(keys)))
        except sqlite3.Error:
            self._rest()
            return set(keys)

    def settle(self, key: str) -> None:
        """Note that a claimed call has its answer in the store; the claim outlasts the commit."""
        if self._connection is not None:
            self._settled.append(key)

    def give_up(self, keys: Iterable[str]) -> None:
        """Let others have claimed keys whose calls failed or were never made."""
        self._delete(list(keys))

    def renew(self) -> None:
        """Keep what is claimed; to be called every `RENEW_SECONDS`."""
        if self._connection is None:
            return
        self._delete(self._visible)
        self._visible, self._settled = self._settled, []
        if self._connected():
            try:
                self._connection.execute(
                    "UPDATE claims SET until = ? WHERE owner = ?",
                    (self._clock() + LEASE_SECONDS, self._owner),
                )
            except sqlite3.Error:
                self._rest()

    def close(self) -> None:
        """Give up everything; what was answered must be on disk."""
        if self._connection is None:
            return
        try:
            self._connection.execute("DELETE FROM claims WHERE owner = ?", (self._owner,))
        except sqlite3.Error:
            pass  # they run out
        finally:
            self._connection.close()
            self._connection = None

    def _connected(self) -> bool:
        if self._clock() < self._rests_until:
            return False
        if self._connection is None:
            try:
                self._connection = _connect(self._path)
            except sqlite3.Error:
                self._rest()
        return self._connection is not None

    def _rest(self) -> None:
        # A process that was halted holds the file for as long as it likes.
        self._rests_until = self._clock() + REST_SECONDS

    def _take(self, keys: list[str]) -> set[str]:
        assert self._connection is not None
        granted: set[str] = set()
        now = self._clock()
        with _transaction(self._connection):
            for start in range(0, len(keys), _CHUNK):
                chunk = keys[start : start + _CHUNK]
                taken = self._others(chunk, now)
                free = [key for key in chunk if key not in taken]
                self._connection.executemany(
                    "INSERT OR REPLACE INTO claims (key, owner, until) VALUES (?, ?, ?)",
                    ((key, self._owner, now + LEASE_SECONDS) for key in free),
                )
                granted.update(free)
        return granted

    def _others(self, keys: list[str], now: float) -> set[str]:
        """Return the keys that somebody else, alive, has claimed."""
        assert self._connection is not None
        marks = ",".join("?" * len(keys))
        rows = self._connection.execute(
            f"SELECT key, owner FROM claims WHERE key IN ({marks}) AND until > ? AND owner != ?",
            (*keys, now, self._owner),
        ).fetchall()
        dead = {owner for owner in {owner for _, owner in rows} if self._is_dead(owner)}
        return {key for key, owner in rows if owner not in dead}

    def _is_dead(self, owner: str) -> bool:
        host, _, rest = owner.rpartition(":")[0].rpartition(":")
        if host != self._host or not rest.isdecimal():
            return False
        try:
            os.kill(int(rest), 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # alive, and somebody else's; or no process's number
            return False
        return False

    def _delete(self, keys: list[str]) -> None:
        """Give up keys; where that cannot be done they run out."""
        if not keys or self._connection is None or not self._connected():
            return
        try:
            with _transaction(self._connection):
                self._connection.executemany(
                    "DELETE FROM claims WHERE key = ? AND owner = ?",
                    ((key, self._owner) for key in keys),
                )
        except sqlite3.Error:
            self._rest()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the file, made if it is not there.

    Raises:
        sqlite3.Error: it cannot be used.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = OFF")  # nothing in it is worth a wait
        connection.execute(
            "CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, owner TEXT, until REAL)"
            " WITHOUT ROWID"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    # Processes that start together all make the file. Switching it to WAL needs it alone, and
    # SQLite does not wait for that of its own.
    for _ in range(round(BUSY_SECONDS / SWITCH_SECONDS)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(SWITCH_SECONDS)
        else:
            return
