"""One process at a time in a folder; the system frees the lock however its process ends."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path

from rubricbench.errors import RunError
from rubricbench.runs.files import explained

_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()


class FolderLock:
    """An exclusive lock on a file, which names its holder for the error message of the next.

    The file stays; only the lock on it counts, so one left by a kill is no obstacle.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            RunError: another run has it (its pid and start are named), or the file cannot be
                written.
        """
        with explained(self._path.parent, "lock the folder"):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                os.pwrite(descriptor, f"pid {os.getpid()}, since {now}".encode(), 0)
            except BlockingIOError:
                holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
                os.close(descriptor)
                raise RunError(
                    f"another run ({holder or 'just starting'}) is using this folder",
                    where=str(self._path.parent),
                    hint="wait for it or stop it, or name another folder",
                ) from None
            except BaseException:
                os.close(descriptor)
                raise
        self._descriptor = descriptor
        _held.add(self)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _let_go_in_child() -> None:
    # A forked worker shares the lock; if it lived on, it would hold the folder of a dead run.
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)
