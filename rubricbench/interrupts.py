"""Interrupts that are not lost: one that lands inside a heavy import can be swallowed there."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def remembered_interrupts() -> Iterator[Callable[[], None]]:
    """Within, SIGINT and SIGTERM raise KeyboardInterrupt and are remembered.

    Yields a check to call between pieces of work: it raises KeyboardInterrupt again where the
    first one was caught by somebody else's code (torch and its relatives import inside ``except``
    clauses and callbacks). An error that comes out after an interrupt counts as the interrupt.
    Outside the main thread, where no signal arrives, nothing is changed.
    """
    asked = threading.Event()

    def on_signal(number: int, frame: Any) -> None:
        asked.set()
        raise KeyboardInterrupt

    def check() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield check
    except Exception as error:
        if asked.is_set():
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
