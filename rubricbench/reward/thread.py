"""An event loop of our own, on a thread of its own.

Trainers run rewards on loops that come and go: TRL starts one for each trainer and stops it at
exit, a script calls ``asyncio.run`` for each batch. What a judge keeps open (connections, the
limits it has found, a local model) belongs to one loop. So the judge lives on this one, and callers
wait for it from wherever they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

STOP_SECONDS = 5.0


class LoopThread:
    """A running event loop; uvloop where there is one.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = _new_loop()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether work can be given to it; never after a fork, which takes no threads along."""
        return os.getpid() == self._process and self._thread.is_alive()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run work to its end there; cancelled with whoever waits for it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def run_blocking(self, work: Coroutine[Any, Any, Result], timeout: float) -> Result:
        """Run work to its end there, and block until then.

        Raises:
            TimeoutError: it took longer; it is cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the loop and its thread; what still runs there is cancelled."""
        if self.alive:
            with contextlib.suppress(TimeoutError):
                self.run_blocking(_cancel_others(), STOP_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)
            self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
