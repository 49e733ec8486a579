"""Ctrl-C or SIGTERM during judging: once ends it in order, twice at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rubricbench.judging.judge import Judge

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stopping_on_interrupt(judge: Judge, say: Callable[[str], None]) -> Iterator[Interrupt]:
    """Within, the first signal stops the judge's streams in order, the second cancels the task.

    The signals are SIGINT and SIGTERM, which schedulers send some time before they kill.

    Calls under way are paid for, so their answers are waited for the first time. Call it from a
    task of a running loop; outside the main thread, where signals do not arrive, it does nothing.

    Args:
        judge: whose streams to stop.
        say: takes a line for the user.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def on_signal() -> None:
        if interrupt.asked:
            task.cancel()
            return
        interrupt.asked = True
        left = judge.stop()
        say(f"stopping: waiting for {left:,} calls under way (Ctrl-C again to drop them)")

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
