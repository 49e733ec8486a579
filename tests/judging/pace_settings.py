"""Limits in all their kinds: those the pace was tuned on, and those it was not.

The first held-out set was chosen beforehand; four of its settings failed and moved to the tuned
ones. So did `SMALL`, a set drawn at random down to half a request in flight. The second held-out
set was drawn after all tuning.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace

from pace_world import Setting

_TOLD = ("retry-after",)

TUNED = [
    Setting("in flight 30", 0.05),
    Setting("in flight 4", 1.0, seconds=200, warm=40),
    Setting("in flight 30", 0.5, 0.5, seconds=80, warm=20),
    Setting("in flight 100", 0.05, tell=_TOLD),
    Setting("in flight 12", 3.0, 0.6, seconds=400, warm=100),
    Setting("in flight 1", 0.3, seconds=100, warm=30),
    Setting("in flight 50, halved after 20 s", 0.05),
    Setting("bucket 500/s burst 64", 0.05),
    Setting("bucket 10/s burst 5", 0.05, seconds=100, warm=30),
    Setting("bucket 20/s burst 20", 2.0, 0.5, seconds=200, warm=50),
    Setting("bucket 1200/s burst 20", 0.05),
    Setting("bucket 100/s burst 2", 0.05),
    Setting("bucket 1/s burst 1", 0.3, seconds=400, warm=100),
    Setting("bucket 200/s burst 2000", 0.1),
    Setting("bucket 700/s burst 100, halved after 20 s", 0.05),
    Setting("counting bucket 1000/s burst 150", 0.05),
    Setting("counting bucket 100/s burst 10", 0.2),
    Setting("counting bucket 8/s burst 8", 1.5, 0.5, seconds=200, warm=50),
    Setting("counting bucket 700/s burst 100, halved after 20 s", 0.05),
    Setting("window 400 in 0.5 s", 0.05),
    Setting("window 400 in 0.5 s", 0.05, tell=_TOLD),
    Setting("window 600 in 10 s", 0.2, seconds=100, warm=30),
    Setting("window 600 in 10 s", 0.2, seconds=100, warm=30, tell=_TOLD),
    Setting("window 1000 in 60 s", 0.8, 0.4, seconds=420, warm=120),
    Setting("window 300 in 1 s, halved after 20 s", 0.05),
    # Held out at first, and not held at first:
    Setting("in flight 7", 2.0, 0.6, seconds=200, warm=50),
    Setting("bucket 50/s burst 10", 1.0, 0.4, seconds=200, warm=50),
    Setting("bucket 3/s burst 3", 0.4, seconds=200, warm=50),
    Setting("window 120 in 30 s", 1.5, 0.4, seconds=390, warm=150, tell=_TOLD),
]

FIRST_HELD_OUT = [
    Setting("in flight 40", 0.05),
    Setting("in flight 23", 0.12, 0.3),
    Setting("in flight 90", 0.03),
    Setting("in flight 16", 0.3, tell=_TOLD),
    Setting("in flight 40, halved after 20 s", 0.05),
    Setting("in flight 60, halved after 15 s", 0.08),
    Setting("bucket 800/s burst 100", 0.05),
    Setting("bucket 300/s burst 30", 0.1),
    Setting("bucket 1500/s burst 400", 0.04),
    Setting("bucket 800/s burst 100, halved after 20 s", 0.05),
    Setting("bucket 600/s burst 50, halved after 20 s", 0.05),
    Setting("counting bucket 800/s burst 100", 0.05),
    Setting("counting bucket 500/s burst 60", 0.08),
    Setting("counting bucket 30/s burst 15", 0.7, 0.5, seconds=200, warm=50),
    Setting("counting bucket 400/s burst 100, halved after 20 s", 0.1),
    Setting("window 800 in 1 s", 0.05),
    Setting("window 500 in 2 s", 0.06),
    Setting("window 3000 in 5 s", 0.05, tell=_TOLD),
    Setting("window 1000 in 1 s, halved after 20 s", 0.05),
]


def drawn(seed: int, least: float) -> list[Setting]:
    """Eight settings of each kind of limit, drawn from wide ranges.

    Every limit is worth between ``least`` and 100 requests in flight. Runs are long enough for a
    hundred round trips, or twelve windows, after a third of that to warm up.
    """
    draw = _Draw(seed, least)
    kinds = (_in_flight, _bucket, _counting, _window, _halved)
    return [make(draw) for make in kinds for _ in range(8)]


class _Draw(random.Random):
    def __init__(self, seed: int, least: float) -> None:
        super().__init__(seed)
        self.least = least

    def between(self, low: float, high: float) -> float:
        """Uniform in the logarithm, rounded to two digits."""
        return float(f"{low * (high / low) ** self.random():.2g}")

    def in_flight(self) -> float:
        return self.between(self.least, 100)

    def latency(self) -> float:
        return self.between(0.03, 3)


def _setting(draw: _Draw, limit: str, latency: float, period: float) -> Setting:
    unit = period or 1.0
    steady = unit * math.ceil(max(30.0, 100 * latency, 12 * period) / unit)
    warm = unit * math.ceil(max(10.0, 30 * latency, 5 * period) / unit)
    jitter = draw.choice([0.0, 0.3, 0.6])
    tell = draw.choice([(), _TOLD])
    return Setting(limit, latency, jitter, seconds=warm + steady, warm=warm, tell=tell)


def _in_flight(draw: _Draw) -> Setting:
    return _setting(draw, f"in flight {max(2, draw.in_flight()):.0f}", draw.latency(), 0)


def _bucket(draw: _Draw, kind: str = "bucket") -> Setting:
    latency = draw.latency()
    rate = float(f"{draw.in_flight() / latency:.2g}")
    burst = max(2, round(rate * draw.between(0.2, 2)))
    return _setting(draw, f"{kind} {rate:g}/s burst {burst}", latency, 20 / rate)


def _counting(draw: _Draw) -> Setting:
    return _bucket(draw, "counting bucket")


def _window(draw: _Draw) -> Setting:
    latency, seconds = draw.latency(), draw.choice([0.5, 1, 2, 5, 10, 30, 60])
    most = min(max(10, round(draw.in_flight() / latency * seconds)), 3_000)
    return _setting(draw, f"window {most} in {seconds:g} s", latency, seconds)


def _halved(draw: _Draw) -> Setting:
    made = draw.choice([_in_flight, _bucket, _counting, _window])(draw)
    middle = round((made.warm + made.seconds) / 2)
    return replace(made, limit=f"{made.limit}, halved after {middle} s")


SMALL = drawn(4, least=0.5)
SECOND_HELD_OUT = drawn(5, least=3)
