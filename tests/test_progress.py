"""Progress: silent when short, lines elsewhere than on a terminal, never on standard output."""

from __future__ import annotations

import io

from rubricbench.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(seconds: float, *, quiet: bool = False, total: int | None = 100) -> list[str]:
    clock, stream = Clock(), io.StringIO()
    with Progress(total, "judging", quiet=quiet, stream=stream, clock=clock) as progress:
        for _ in range(40):
            clock.now += seconds / 40
            progress.advance()
    return stream.getvalue().splitlines()


def test_short_work_says_nothing():
    assert lines(1.9) == []


def test_long_work_says_how_far_how_fast_and_how_long():
    # first line once 2 s have passed: 8 of 100 done at 1 in 0.25 s: 4/s, 92 left, 23 s
    assert lines(10)[0] == "judging: 8/100, 4.0/s, 23 s left"


def test_lines_come_every_ten_seconds():
    assert len(lines(50)) == 5


def test_unknown_total_has_no_eta():
    assert lines(10, total=None) == ["judging: 8, 4.0/s"]


def test_quiet_says_nothing():
    assert lines(100, quiet=True) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_gets_a_bar():
    clock, stream = Clock(), Terminal()
    with Progress(10, "judging", stream=stream, clock=clock) as progress:
        clock.now = 3.0
        progress.advance(5)
    assert "judging" in stream.getvalue()
