"""Progress on standard error: a bar with rate and ETA on a terminal, a line now and then elsewhere.

Work that takes under two seconds shows nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TextIO

SILENT_SECONDS = 2.0
LINE_SECONDS = 10.0


class Progress:
    """Counts work done; use it as a context manager.

    Args:
        total: units of work, or None if unknown.
        description: what is being done.
        quiet: show nothing.
        stream: where to show it.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        total: int | None,
        description: str,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.done = 0
        self._total = total
        self._description = description
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._clock = clock
        self._bar: Any = None
        self._task: Any = None
        self._start = self._last_line = 0.0

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._last_line = self._start + SILENT_SECONDS - LINE_SECONDS
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, units: int = 1) -> None:
        """Count finished work and show it if it is time to."""
        self.done += units
        now = self._clock()
        if self._quiet or now - self._start < SILENT_SECONDS:
            return
        if self._stream.isatty():
            self._show_bar()
        elif now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            print(self._line(now), file=self._stream, flush=True)

    def _line(self, now: float) -> str:
        rate = self.done / (now - self._start)
        if self._total is None or not rate:
            return f"{self._description}: {self.done:,}, {rate:.1f}/s"
        left = (self._total - self.done) / rate
        return (
            f"{self._description}: {self.done:,}/{self._total:,}, {rate:.1f}/s, {left:.0f} s left"
        )

    def _show_bar(self) -> None:
        if self._bar is None:
            self._bar = _rich_bar(self._stream)
            self._bar.start()
            self._task = self._bar.add_task(self._description, total=self._total)
        self._bar.update(self._task, completed=self.done)


def _rich_bar(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    class Rate(TextColumn):
        def __init__(self) -> None:
            super().__init__("")

        def render(self, task: Any) -> Any:
            from rich.text import Text

            return Text(f"{task.speed or 0:.1f}/s")

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=stream),
        transient=True,
    )
