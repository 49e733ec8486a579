"""Sends that keep their distance."""

from __future__ import annotations

LEAST_SHARE = 0.8
WHOLE_UP_TO = 3
CATCH_UP_SENDS = 2
CATCH_UP_SECONDS = 0.002


class Spacing:
    """Spreads a window's sends over most of a round trip.

    Not over all of it: replies come irregularly, and a window that stands empty for want of
    permission to send is lost. Event loops wake up a millisecond late; a send that was due that
    long ago costs the next ones nothing.
    """

    def __init__(self) -> None:
        self.next_at = float("-inf")

    def sent(self, now: float, window: float, round_trip: float) -> None:
        """Count a send, of a window of so many in a round trip of so many seconds."""
        interval = _interval(window, round_trip)
        start = max(self.next_at, now - max(CATCH_UP_SECONDS, CATCH_UP_SENDS * interval))
        self.next_at = start + interval

    def not_before(self, moment: float) -> None:
        """Send nothing before a moment."""
        self.next_at = max(self.next_at, moment)


def _interval(window: float, round_trip: float) -> float:
    share = LEAST_SHARE + (1 - LEAST_SHARE) * min(1.0, WHOLE_UP_TO / window)
    return share * round_trip / window
