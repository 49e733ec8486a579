"""What an endpoint lets through between one episode of refusals and the next."""

from __future__ import annotations

LEAST_ROUND_TRIPS = 2


class Passage:
    """Counts the requests that pass from one cut to the next, or to a later one if they are close.

    A quota for a second or a minute is used up at any speed, and then refuses everything until the
    next; a bucket's burst hides for a while that requests come too fast. How many are in flight
    when the refusals begin says little then; what passed since the last ones, over the time
    between, is what can be sustained.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._number = self._refused = 0
        self._pause = 0.0

    def begin(self, now: float, number: int) -> None:
        """Begin to count.

        Args:
            number: of the next request.
        """
        self._began, self._number, self._refused, self._pause = now, number, 0, 0.0

    def refused(self, number: int) -> None:
        """Count a refusal."""
        self._refused += number >= self._number

    def paused(self, seconds: float) -> None:
        """Leave out seconds that the client let pass of its own accord."""
        self._pause += seconds

    def sustained(self, now: float, number: int, round_trip: float) -> float | None:
        """Return how many pass in a round trip, and begin anew; None if it is too early to say.

        Args:
            number: of the next request.
        """
        if self._began is None:
            self.begin(now, number)
            return None
        seconds = now - self._began - self._pause
        if seconds < LEAST_ROUND_TRIPS * round_trip:
            return None
        passed = number - self._number - self._refused
        self.begin(now, number)
        return (passed + 1) * round_trip / seconds
