"""How many requests may be in flight."""

from __future__ import annotations

import math

from rubricbench.judging.pace.probes import Probes

FIRST = 32
LEAST = 1e-3
CUT = 0.9
HOLD = 0.97
LEAST_WALL = 0.7
LEAST_SETTLED = 0.95
NEAR_WALL = 0.85
RECOVERY = 0.1


class Window:
    """Doubles every round trip up to the ceiling, or to just below the wall once it hit one.

    The wall is the number in flight at which requests were last refused. Sizes below one mean that
    less than one request a round trip is sent: spacing sees to that.

    Args:
        ceiling: the most there may ever be.

    Attributes:
        size: how many; the next whole number may be in flight.
        wall: infinite as long as none was met.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.size = float(min(FIRST, ceiling))
        self.wall = math.inf
        self._probes = Probes()

    @property
    def most(self) -> int:
        """How many requests may be in flight."""
        return math.ceil(self.size - 1e-9)

    def set_ceiling(self, ceiling: int) -> None:
        """Change the most there may ever be."""
        self.ceiling = ceiling
        start = min(FIRST, ceiling) if self.wall == math.inf else 0
        self.size = min(max(self.size, start), ceiling)

    def grow(self, now: float, number: int, round_trip: float) -> bool:
        """Grow by what one answer permits; whether a ladder of probes begins.

        Args:
            number: of the next request.
        """
        goal = min(self.ceiling, HOLD * self.wall)
        if self.size < goal:
            near = self.size >= NEAR_WALL * self.wall
            self.size = min(goal, self.size + (RECOVERY if near else 1.0))
        elif self.size < self.ceiling and now >= self._probes.at and not self._probes.on_trial:
            begins = self._probes.begin_step(now, number, self.size, round_trip)
            self.size = min(self.ceiling, self.size * (1 + self._probes.step))
            return begins
        return False

    def held(self, now: float, number: int, sent_at: float) -> bool:
        """Whether the answer to a request shows that a probe holds."""
        if not self._probes.held(number, sent_at):
            return False
        self.wall = self.size / HOLD
        self._probes.at = now
        return True

    def cut(self, now: float, others: int, sustained: float | None, round_trip: float) -> None:
        """Shrink, because a request was refused.

        Args:
            others: how many were in flight when it was sent.
            sustained: how many in flight the passage since the last cut stands for, if known.
        """
        if self._probes.on_trial:
            self.size /= 1 + self._probes.step
            self.wall = self.size / HOLD
        else:
            self.wall = min(self.wall, self._wall(others, sustained))
        self.size = max(min(CUT * self.size, HOLD * self.wall), LEAST)
        self._probes.wait(now, self.size, round_trip)

    @property
    def climbed(self) -> bool:
        """Whether it is larger than it was for long, by a ladder of probes."""
        return 0 < self._probes.started < self.size

    def _wall(self, others: int, sustained: float | None) -> float:
        """Return the number in flight that was too much.

        It is what there was; but that varies by chance, and what held for long before the last
        ladder of probes is no less.
        """
        settled = self.wall < math.inf and self.size <= HOLD * self.wall
        least = LEAST_SETTLED if settled else LEAST_WALL
        wall = max(min(others, self.size), least * self.size)
        if sustained is not None:
            wall = min(wall, sustained / HOLD)
        return max(wall, self._probes.started / HOLD) if self.climbed else wall

    def restore(self, size: float) -> None:
        """Take cuts back that were in vain."""
        self.size = min(size, self.ceiling)
        self.wall = self.size / HOLD

    def settle(self, now: float, round_trip: float) -> None:
        """Requests pass again: leave things as they are for a while."""
        self._probes.wait(now, self.size, round_trip)

    def saturated(self, now: float, enough: float, round_trip: float) -> None:
        """Go back to what is enough, but not below where the growth began."""
        self.size = min(self.size, max(enough, self._probes.started or FIRST))
        self.wall = self.size / HOLD
        self._probes.wait(now, self.size, round_trip)
