"""Whether more in flight still brings more answers."""

from __future__ import annotations

import math

LEAST_ROUND = 8
COMPARED_AT = 1.5
LEAST_GAIN = 0.25
ROUNDS = 2
HEADROOM = 1.25


class Saturation:
    """Compares what goes through at different numbers in flight.

    By Little's law a request that finds n - 1 others in flight and takes t seconds stands for a
    throughput of n/t. Means over rounds of answers are compared once the number in flight has
    grown by half: if the throughput grew by less than a quarter of that (in logarithms), there is
    doubt; if it did two rounds running, the endpoint is saturated, and further calls in flight
    only wait in its queue.

    Attributes:
        enough: how many in flight bring all the throughput there is, with a little headroom; 0 if
            no growth since the last `reset` brought anything.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Compare with what comes from now on."""
        self._level = self._throughput = self.enough = 0.0
        self._flat = self._gains = 0
        self._clear()

    def _clear(self) -> None:
        self._answers, self._round = 0, 0.0
        self._in_flight = self._seconds = 0.0

    @property
    def doubt(self) -> bool:
        """Whether the last round brought too little for its size."""
        return self._flat > 0

    def answered(self, in_flight: int, seconds: float, window: float) -> bool:
        """Count an answer; whether the endpoint proves saturated by it.

        Args:
            in_flight: requests in flight when this one was sent, with it.
            seconds: how long it took.
            window: how many make a round, if this is its first.
        """
        self._round = self._round or max(window, LEAST_ROUND)
        self._answers += 1
        self._in_flight += in_flight
        self._seconds += seconds
        if self._answers < self._round:
            return False
        level = self._in_flight / self._answers
        throughput = self._in_flight / max(self._seconds, 1e-9)
        self._clear()
        return self._compare(level, throughput)

    def _compare(self, level: float, throughput: float) -> bool:
        grown = level / self._level if self._level else math.inf
        if grown < COMPARED_AT:
            self._flat = 0
            return False
        if not self._level or throughput > self._throughput * grown**LEAST_GAIN:
            self._gains += bool(self._level)
            self._level, self._throughput, self._flat = level, throughput, 0
            return False
        self._flat += 1
        if self._gains:
            # What goes through, times the seconds a request took before there was a queue.
            self.enough = HEADROOM * throughput * self._level / self._throughput
        return self._flat >= ROUNDS
