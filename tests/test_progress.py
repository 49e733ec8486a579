"""Progress: silent when short, lines elsewhere than on a terminal, never on standard output."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import subprocess
import sys

import pytest

from rubricbench.progress import progress


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def lines(
    seconds: float, *, steps: int = 40, total: int | None = 100, **options: bool
) -> list[str]:
    """Run ``steps`` steps of one unit, evenly over some seconds; return what was printed."""
    clock, stream = Clock(), io.StringIO()
    with progress(total, "judging", stream=stream, clock=clock, **options) as bar:
        for _ in range(steps):
            clock.now += seconds / steps
            bar.advance()
    return stream.getvalue().splitlines()


def test_short_work_says_nothing():
    assert lines(1.9) == []


def test_long_work_says_how_far_how_fast_how_long_and_that_it_is_over():
    # the first look at or after 2 s: 8 of 100 done, 4 a second, 92 left: 23 s
    assert lines(10) == ["judging: 8/100, 4.0/s, 23 s left", "judging: 40/100 in 10 s"]


def test_lines_come_every_ten_seconds():
    # looks at 2.5 (a step is 1.25 s), 12.5, 22.5, 32.5, 42.5, and the end
    assert len(lines(50)) == 6


def test_unknown_total_has_no_time_left():
    assert lines(10, total=None) == ["judging: 8, 4.0/s", "judging: 40 in 10 s"]


def test_quiet_says_nothing():
    assert lines(100, quiet=True) == []


def test_rate_is_that_of_the_last_half_minute():
    clock, stream = Clock(), io.StringIO()
    with progress(11_000, "judging", stream=stream, clock=clock) as bar:
        clock.now += 1.0
        bar.advance(10_000)  # all found in the store
        for _ in range(120):
            clock.now += 1.0
            bar.advance(2)
    # 119 s in, 2 a second: the next line is at 112 s: 10,222 done, 778 left at 2 a second: 389 s
    assert stream.getvalue().splitlines()[-2] == "judging: 10,222/11,000, 2.0/s, 6 min left"


@pytest.mark.parametrize(
    ("done", "left", "pace"),
    [
        (4_000, 40_000, "400/s, 2 min left"),  # 4,000 in 10 s; 40,000 more take 100 s
        (5, 49, "0.5/s, 98 s left"),
        (5, 3_000, "0.5/s, 1 h 40 min left"),  # 6,000 s
        (0, 10, "0.0/min"),
    ],
)
def test_pace_suits_its_size(done, left, pace):
    clock, stream = Clock(), io.StringIO()
    with progress(done + left, "x", stream=stream, clock=clock) as bar:
        clock.now += 10.0
        bar.advance(done)
    assert stream.getvalue().splitlines()[0].endswith(f", {pace}")


def test_failures_can_be_told_on_the_way():
    clock, stream = Clock(), io.StringIO()
    with progress(10, "judging", stream=stream, clock=clock) as bar:
        bar.describe("judging, 2 failed")
        clock.now += 4.0
        bar.advance(4)
    assert stream.getvalue().startswith("judging, 2 failed: 4/10, 1.0/s, 6 s left\n")


def _fail_midway(stream: io.StringIO) -> None:
    clock = Clock()
    with progress(10, "judging", stream=stream, clock=clock) as bar:
        clock.now += 4.0
        bar.advance(4)
        raise ZeroDivisionError


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_error_inside_ends_without_a_claim_to_be_done(stream):
    with pytest.raises(ZeroDivisionError):
        _fail_midway(stream)
    assert "4/10" in stream.getvalue()
    assert " in 4 s" not in stream.getvalue()


def test_terminal_gets_a_bar_that_goes_away_and_a_last_line():
    clock, stream = Clock(), Terminal()
    with progress(10, "judging [x]", stream=stream, clock=clock) as bar:
        clock.now += 3.0
        bar.advance(6)
        clock.now += 1.0
        bar.advance(2)
    drawn = stream.getvalue()
    assert "8/10" in drawn  # done and total
    assert "2.0/s, 1 s left" in drawn
    assert drawn.endswith("judging [x]: 8/10 in 4 s\n")


def test_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    clock, stream = Clock(), Terminal()
    with progress(10, "judging", stream=stream, clock=clock) as bar:
        clock.now += 4.0
        bar.advance(4)
    assert stream.getvalue().splitlines() == [
        "judging: 4/10, 1.0/s, 6 s left",
        "judging: 4/10 in 4 s",
    ]


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_stream_whose_reader_went_away_does_not_stop_the_work():
    clock = Clock()
    for stream in (Gone(), io.StringIO()):
        if not isinstance(stream, Gone):
            stream.close()
        with progress(10, "judging", stream=stream, clock=clock) as bar:
            for _ in range(10):
                clock.now += 4.0
                bar.advance()
        assert bar.done == 10


async def test_event_loop_goes_on_under_a_bar():
    stream = Terminal()
    clock = Clock()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticker = asyncio.create_task(tick())
    with progress(100, "judging", stream=stream, clock=clock) as bar:
        for _ in range(50):
            clock.now += 1.0
            bar.advance()
            await asyncio.sleep(0.01)
    ticker.cancel()
    # 50 naps of 10 ms beside a ticker of 10 ms: about 50 ticks, and far from none
    assert ticks > 20


SCRIPT = """
import sys, time
from rubricbench.progress import progress
ticks = iter([0.0, 3.0, 4.0, 5.0])
with progress(4, "judging", clock=lambda: next(ticks)) as bar:
    bar.advance()
    print("result 1", flush=True)
    bar.advance()
print("result 2")
assert ("rich.progress" in sys.modules) is sys.stderr.isatty()
"""


@pytest.mark.parametrize("terminal", [False, True])
def test_standard_output_carries_results_and_nothing_else(terminal):
    ours, theirs = pty.openpty()
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=theirs if terminal else subprocess.PIPE,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    os.close(ours)
    assert result.stdout == b"result 1\nresult 2\n"


class Counting(Terminal):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)

    def isatty(self) -> bool:
        return False


def test_steps_that_come_fast_are_not_each_shown():
    clock, stream = Clock(), Counting()
    with progress(20_000, "judging", stream=stream, clock=clock) as bar:
        for _ in range(20_000):
            clock.now += 0.0005
            bar.advance()
    # 10 s: one line at 2 s and the last; a line is its text and its end
    assert stream.writes == 4
