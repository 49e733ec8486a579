"""Room for so many rows at once; who finds none waits, and not everybody may."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CrowdedError(Exception):
    """So many wait already that there is no point in waiting too."""


class Room:
    """A counted room; first come, first served, so that a large batch gets its turn.

    Args:
        rows: how many rows it holds. A batch larger than that gets it all.
        waiting: how many batches may wait.
    """

    def __init__(self, rows: int, waiting: int) -> None:
        self._rows = rows
        self._most_waiting = waiting
        self._queue: deque[object] = deque()
        self._changed = asyncio.Condition()
        self.taken = 0

    @property
    def waiting(self) -> int:
        """How many batches wait."""
        return len(self._queue)

    @asynccontextmanager
    async def hold(self, rows: int) -> AsyncIterator[None]:
        """Hold room for a batch.

        Raises:
            CrowdedError: it would have to wait, and so many do already.
        """
        size = min(rows, self._rows)
        fits = not self._queue and self.taken + size <= self._rows
        if not fits and self.waiting >= self._most_waiting:
            raise CrowdedError
        await self._enter(size)
        try:
            yield
        finally:
            self.taken -= size
            async with self._changed:
                self._changed.notify_all()

    async def _enter(self, size: int) -> None:
        ticket = object()
        self._queue.append(ticket)
        async with self._changed:
            try:
                await self._changed.wait_for(
                    lambda: self._queue[0] is ticket and self.taken + size <= self._rows
                )
                self.taken += size
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
