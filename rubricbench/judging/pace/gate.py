"""The pause after a refusal."""

from __future__ import annotations

SHARE_OF_ROUND_TRIP = 0.5
MAX_SECONDS = 5.0
GROWTH, GROWTH_TOLD = 2.0, 4.0
MAX_STEPS = 30
LONG_ROUND_TRIPS = 3


class Gate:
    """Shuts for half a round trip, and twice as long each time it opens onto another refusal.

    A ``Retry-After`` is an upper bound, no more: servers that limit what is in flight name a fixed
    time and have room again much sooner, so that heeding it stands idle most of the time. But one
    that is longer than a few seconds is approached faster.

    Attributes:
        opens_at: when it opens, or opened last.
        was_long: whether a pause since `forget` was longer than it takes what is in flight to
            drain: then the limit is none of what is in flight.
    """

    def __init__(self) -> None:
        self.opens_at = float("-inf")
        self.was_long = False
        self._shut_at = 0.0
        self._refusals = 0  # since it was last open for good

    def shut(self, now: float, round_trip: float, told: float | None) -> None:
        """Shut, because a request was refused.

        Args:
            told: seconds the endpoint asked to wait, if it did.
        """
        if not self._refusals:
            self._shut_at = now
        limit = MAX_SECONDS if told is None else told
        growth = GROWTH_TOLD if limit > MAX_SECONDS else GROWTH
        length = SHARE_OF_ROUND_TRIP * round_trip * growth ** min(self._refusals, MAX_STEPS)
        self._refusals += 1
        self.opens_at = now + min(length, limit)

    def passed(self, sent_at: float, round_trip: float) -> None:
        """A request got through that was sent after it opened: the next refusal begins anew."""
        if self._refusals and sent_at - self._shut_at > LONG_ROUND_TRIPS * round_trip:
            self.was_long = True
        self._refusals = 0

    def forget(self) -> None:
        """Begin to look for long pauses anew."""
        self.was_long = False
