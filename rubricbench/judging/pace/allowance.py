"""What is left of a quota the endpoint speaks of, spread over the time it must last."""

from __future__ import annotations

from rubricbench.judging.pace.quota import Quota

LOW_WINDOWS = 2.0
LOW_SENDS = 8.0
TOKEN_WEIGHT = 0.1
LONGEST_SECONDS = 60.0


class Allowance:
    """Slows sends down when little is left.

    Two windows of requests, at most, are left by then: those in flight when a reply was written
    are not counted in it. From there on sends are spaced so that what is left lasts until the
    quota is whole. A fixed window is used up that way, and a bucket is kept just above the mark,
    since it fills faster than it is drained.

    Where nothing is left for long, a request is tried once a minute. If that is answered, the
    headers are no help (some proxies send the same ones always), and are ignored from then on.
    """

    def __init__(self) -> None:
        self._requests, self._tokens = _Told(), _Told()
        self._cost = 0.0  # tokens of a request, smoothed

    def spent(self, tokens: int) -> None:
        """Count the tokens of an answer."""
        if tokens > 0:
            weight = TOKEN_WEIGHT if self._cost else 1.0
            self._cost += weight * (tokens - self._cost)

    def told(self, quota: Quota, number: int, sent_at: float, *, answered: bool) -> None:
        """Take note of a quota; replies to earlier requests say nothing new.

        Args:
            number: of the request that it came in reply to.
            sent_at: when that was sent.
            answered: whether that was answered, not refused.
        """
        told = self._tokens if quota.tokens else self._requests
        if number <= told.number:
            return
        late = sent_at - told.at >= LONGEST_SECONDS and sent_at < told.until
        if answered and late and told.left < number - told.number:
            told.ignored = True
        told.number, told.at = number, sent_at
        told.left, told.until = quota.left, sent_at + quota.seconds

    def wait(self, now: float, sent: int, window: float) -> float:
        """Return the seconds that have to lie between two sends.

        Args:
            sent: how many requests were sent so far.
            window: how many may be in flight.
        """
        waits = [_wait(self._requests, 1.0, now, sent, window)]
        if self._cost:
            waits.append(_wait(self._tokens, self._cost, now, sent, window))
        return min(max(waits), LONGEST_SECONDS)


class _Told:
    """The last word on a quota: the number of the request, when that was sent, what it said."""

    __slots__ = ("at", "ignored", "left", "number", "until")

    def __init__(self) -> None:
        self.number = -1
        self.at = self.until = float("-inf")
        self.left = 0.0
        self.ignored = False


def _wait(told: _Told, cost: float, now: float, sent: int, window: float) -> float:
    seconds = told.until - now
    if seconds <= 0 or told.ignored:
        return 0.0
    left = told.left / cost - (sent - told.number - 1)
    if left > max(LOW_WINDOWS * window, LOW_SENDS):
        return 0.0
    return seconds / (max(left, 0.0) + 1.0)
