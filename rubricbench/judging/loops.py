"""Running asynchronous work from synchronous code."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run work to its end on an event loop of its own: uvloop where there is one.

    Where this thread has a loop already (a notebook), the work gets a thread of its own; Ctrl-C
    cancels it there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    return _run_in_thread(work)


def _run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _run_in_thread(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    results: list[Result] = []
    errors: list[BaseException] = []
    begun, ended = threading.Event(), threading.Event()
    cancels: list[Callable[[], object]] = []

    async def noted() -> Result:
        task = asyncio.current_task()
        assert task is not None
        cancels.append(partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel))
        begun.set()
        return await work()

    def target() -> None:
        try:
            results.append(_run(noted))
        except BaseException as error:  # carried over to the caller's thread
            errors.append(error)
        finally:
            begun.set()
            ended.set()

    thread = threading.Thread(target=target, name="judging")
    thread.start()
    try:
        ended.wait()  # an interrupted join() takes a thread for ended that is not
    except BaseException:  # Ctrl-C in a notebook: what goes on costs
        begun.wait()
        for cancel in cancels:
            with contextlib.suppress(RuntimeError):  # it is over already
                cancel()
        thread.join()
        raise
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
