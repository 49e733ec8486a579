"""Progress on standard error: a bar on a terminal, a line now and then elsewhere.

    with progress(len(items), "judging", quiet=quiet) as bar:
        for item in items:
            ...
            bar.advance()

Work that takes under two seconds shows nothing. Standard output is never touched. `advance` does
not block and may be called from an event loop; the bar redraws itself on a thread of its own. A
terminal that goes away does not stop the work.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TextIO, TypeVar

Unit = TypeVar("Unit")
SILENT_SECONDS = 2.0
LINE_SECONDS = 10.0
# The rate is that of the last while: a resumed run answers its first thousands from the store, and
# an average over the whole run would promise that speed for the rest.
RATE_SECONDS = 30.0
SAMPLE_SECONDS = 0.5


class Progress:
    """Counts work done and shows it; a context manager, made by `progress`."""

    def __init__(
        self,
        total: int | None,
        description: str,
        *,
        quiet: bool,
        stream: TextIO,
        clock: Callable[[], float],
    ) -> None:
        self.done = 0
        self.total = total
        self._description = description
        self._stream = stream
        self._clock = clock
        self._shown = not quiet
        self._bar: _Bar | None = None
        self._start = self._next_look = 0.0
        self._next_line: float | None = None
        self._samples: deque[tuple[float, int]] = deque()

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._next_look = self._start + SAMPLE_SECONDS
        self._samples.append((self._start, 0))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        now = self._clock()
        if self._bar is not None:
            self._safely(self._bar.stop)
        if error is None and now - self._start >= SILENT_SECONDS:
            self._print(f"{self._counted()} in {_duration(now - self._start)}")

    def advance(self, units: int = 1) -> None:
        """Count finished work, and show it if it is time to."""
        self.done += units
        if self._shown:
            now = self._clock()
            if now >= self._next_look:
                self._look(now)

    def describe(self, description: str) -> None:
        """Change what is said to be going on, such as to count failures."""
        self._description = description

    def _look(self, now: float) -> None:
        self._next_look = now + SAMPLE_SECONDS
        self._samples.append((now, self.done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RATE_SECONDS:
            self._samples.popleft()
        if now - self._start < SILENT_SECONDS:
            return
        if self._bar is None and self._next_line is None:
            if _draws(self._stream):
                self._safely(self._show_bar)
            else:
                self._next_line = now
        if self._bar is not None:
            bar = self._bar
            self._safely(lambda: bar.update(self._description, self.done, self.total, self._pace()))
        elif self._next_line is not None and now >= self._next_line:
            self._next_line = now + LINE_SECONDS
            self._print(f"{self._counted()}, {self._pace()}")

    def _show_bar(self) -> None:
        self._bar = _Bar(self._stream)

    def _counted(self) -> str:
        of = "" if self.total is None else f"/{self.total:,}"
        return f"{self._description}: {self.done:,}{of}"

    def _pace(self) -> str:
        """Return rate and time left, such as ``3.5/s, 2 min left``."""
        (before, some), (now, more) = self._samples[0], self._samples[-1]
        rate = (more - some) / (now - before)
        shown = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 0.1 else ""
        if not shown:
            shown = f"{rate * 60:.1f}/min"
        if self.total is None or not rate:
            return shown
        return f"{shown}, {_duration(max(self.total - self.done, 0) / rate)} left"

    def _print(self, line: str) -> None:
        if self._shown:
            self._safely(lambda: print(line, file=self._stream, flush=True))

    def _safely(self, show: Callable[[], None]) -> None:
        try:
            show()
        except (OSError, ValueError):  # closed, or its reader went away
            self._shown = False


def progress(
    total: int | None,
    description: str,
    *,
    quiet: bool = False,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Return a progress display, to be used as a context manager.

    Args:
        total: units of work, None if unknown.
        description: what is being done.
        quiet: show nothing.
        stream: where to show it; standard error unless given.
        clock: seconds; for tests.
    """
    return Progress(total, description, quiet=quiet, stream=stream or sys.stderr, clock=clock)


def watched(work: Iterable[Unit], advance: Callable[[], object]) -> Iterator[Unit]:
    """Yield the units of work, and call ``advance`` once each is done with."""
    for unit in work:
        yield unit
        advance()


def _draws(stream: TextIO) -> bool:
    """Return whether a bar can be redrawn there."""
    try:
        return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    except ValueError:
        return False


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole / 60:.0f} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


class _Bar:
    """A rich progress bar; rich is imported only once there is one to show."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._progress = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}", markup=False),
            console=Console(file=stream),
            transient=True,
            redirect_stdout=False,  # results printed meanwhile belong to standard output
        )
        self._task: Any = self._progress.add_task("", total=None, pace="")
        self._progress.start()

    def update(self, description: str, done: int, total: int | None, pace: str) -> None:
        self._progress.update(
            self._task, description=description, completed=done, total=total, pace=pace
        )

    def stop(self) -> None:
        self._progress.stop()
