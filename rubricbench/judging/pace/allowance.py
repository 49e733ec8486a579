"""What is left of a quota the endpoint speaks of, spread over the time it must last."""

from __future__ import annotations

from rubricbench.judging.pace.quota import Quota

LOW_WINDOWS = 2.0
LOW_SENDS = 8.0
TOKEN_WEIGHT = 0.1


class Allowance:
    """Slows sends down when little is left.

    Two windows of requests, at most, are left by then: those in flight when a reply was written
    are not counted in it. From there on sends are spaced so that what is left lasts until the
    quota is whole. A fixed window is used up that way, and a bucket is kept just above the mark,
    since it fills faster than it is drained.
    """

    def __init__(self) -> None:
        self._latest = [-1, -1]  # of requests, of tokens: numbers of the requests replied to
        self._left = [0.0, 0.0]
        self._until = [float("-inf")] * 2
        self._cost = 0.0  # tokens of a request, smoothed

    def spent(self, tokens: int) -> None:
        """Count the tokens of an answer."""
        if tokens > 0:
            weight = TOKEN_WEIGHT if self._cost else 1.0
            self._cost += weight * (tokens - self._cost)

    def told(self, quota: Quota, number: int, sent_at: float) -> None:
        """Take note of a quota; replies to earlier requests say nothing new.

        Args:
            number: of the request that it came in reply to.
            sent_at: when that was sent.
        """
        kind = int(quota.tokens)
        if number > self._latest[kind]:
            self._latest[kind] = number
            self._left[kind] = quota.left
            self._until[kind] = sent_at + quota.seconds

    def wait(self, now: float, sent: int, window: float) -> float:
        """Return the seconds that have to lie between two sends.

        Args:
            sent: how many requests were sent so far.
            window: how many may be in flight.
        """
        return max(self._wait(kind, now, sent, window) for kind in (0, 1))

    def _wait(self, kind: int, now: float, sent: int, window: float) -> float:
        time_left = self._until[kind] - now
        if time_left <= 0 or (kind and not self._cost):
            return 0.0
        left = self._left[kind] / self._cost if kind else self._left[kind]
        left -= sent - self._latest[kind] - 1
        if left > max(LOW_WINDOWS * window, LOW_SENDS):
            return 0.0
        return time_left / (max(left, 0.0) + 1.0)
