"""When to see whether more has become possible."""

from __future__ import annotations

import math

ROUND_TRIPS = 10
SENDS = 100
MAX_SECONDS = 30.0
MAX_TIMES = 8
FIRST_STEP = 0.03
MAX_STEP = 0.25
SAME = 0.1
TRIAL_ROUND_TRIPS = 2
TRIAL_SENDS = 24


class Probes:
    """Ladders of steps, each twice the one before, as long as nothing is refused.

    A ladder that ends about where it began taught nothing: the next one waits twice as long. The
    first waits for ten round trips and 100 sends, so that its refusals stay a small share.
    """

    def __init__(self) -> None:
        self.at = math.inf
        self.step = FIRST_STEP
        self.started = 0.0  # the window that the last ladder began with
        self._interval = 0.0
        self._trial: tuple[int, float] | None = None

    @property
    def on_trial(self) -> bool:
        """Whether a step was made and it is not clear yet that it holds."""
        return self._trial is not None

    def wait(self, now: float, window: float, round_trip: float) -> None:
        """Begin no ladder before the interval has passed; the next begins with a small step."""
        self.step, self._trial = FIRST_STEP, None
        self._interval = max(self._interval, _shortest(window, round_trip))
        self.at = now + self._interval

    def begin_step(self, now: float, number: int, window: float, round_trip: float) -> bool:
        """Put a step on trial; whether a new ladder begins with it.

        Args:
            number: of the next request.
        """
        begins = self.step == FIRST_STEP
        if begins:
            self._set_interval(window, round_trip)
            self.started = window
        self._trial = number + TRIAL_SENDS, now + (TRIAL_ROUND_TRIPS - 1) * round_trip
        return begins

    def _set_interval(self, window: float, round_trip: float) -> None:
        shortest = _shortest(window, round_trip)
        longest = max(MAX_SECONDS, MAX_TIMES * shortest)
        same = abs(window - self.started) <= SAME * self.started
        self._interval = min(2 * self._interval, longest) if same else shortest

    def held(self, number: int, sent_at: float) -> bool:
        """Whether the answer to a request shows that the step on trial holds."""
        if self._trial is None or number < self._trial[0] or sent_at < self._trial[1]:
            return False
        self._trial = None
        self.step = min(2 * self.step, MAX_STEP)
        return True


def _shortest(window: float, round_trip: float) -> float:
    return round_trip * max(ROUND_TRIPS, SENDS / window)
