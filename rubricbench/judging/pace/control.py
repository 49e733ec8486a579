"""The arithmetic of a pace: when the next request may be sent, learnt from what comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rubricbench.judging.pace.allowance import Allowance
from rubricbench.judging.pace.blame import Blame
from rubricbench.judging.pace.gate import SHARE_OF_ROUND_TRIP, Gate
from rubricbench.judging.pace.passage import Passage
from rubricbench.judging.pace.quota import Quota
from rubricbench.judging.pace.saturation import Saturation
from rubricbench.judging.pace.spacing import Spacing
from rubricbench.judging.pace.window import Window

FIRST_ROUND_TRIP = 0.1
NO_TIME = 1e-6  # seconds not worth waking up for
MOST_SMOOTHED, LEAST_SMOOTHED = 64, 8


class Sent:
    """A request under way.

    Args:
        number: of the request, from 0 on.
        at: when it was sent.
        others: how many were in flight then.
    """

    __slots__ = ("at", "number", "others")

    def __init__(self, number: int, at: float, others: int) -> None:
        self.number, self.at, self.others = number, at, others


class Pace:
    """What one endpoint permits, as far as is known; times are seconds of one clock.

    Args:
        ceiling: the most that may ever be in flight.
    """

    def __init__(self, ceiling: int) -> None:
        self.window = Window(ceiling)
        self.in_flight = 0
        self._spacing = Spacing()
        self._gate = Gate()
        self._allowance = Allowance()
        self._saturation = Saturation()
        self._passage = Passage()
        self._blame = Blame()
        self._round_trip = 0.0
        self._refusal_seconds = 0.0
        self._sent = 0
        self._last = -math.inf  # when the last one was sent
        self._spaced = False
        # Only requests from these numbers on tell something new of a refusal.
        self._since_cut = self._since_gate = 0
        self._passed = True  # one that was sent since the last cut got through
        self._trial = False

    @property
    def round_trip(self) -> float:
        """Seconds from a request to its answer, smoothed; a guess before the first."""
        return self._round_trip or FIRST_ROUND_TRIP

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be sent: infinite if an answer must come first."""
        if self.in_flight >= self.window.most:
            return math.inf
        if not self._spaced:
            return 0.0
        allowed_at = self._last + self._allowance.wait(now, self._sent, self.window.size)
        wait = max(self._gate.opens_at, self._spacing.next_at, allowed_at) - now
        return wait if wait > NO_TIME else 0.0

    def send(self, now: float) -> Sent:
        """Count a request that is being sent."""
        sent = Sent(self._sent, now, self.in_flight)
        self._sent += 1
        self.in_flight += 1
        self._last = now
        if self._spaced:
            self._space(now)
        return sent

    def _space(self, now: float) -> None:
        self._spacing.sent(now, self.window.size, self.round_trip)
        if self._trial:  # let the first one through a gate be refused before others follow
            self._spacing.not_before(now + 2 * self._refusal_seconds)
            self._trial = False

    def answered(
        self, sent: Sent, now: float, *, wanted: bool, quotas: Iterable[Quota] = (), tokens: int = 0
    ) -> None:
        """Learn from an answer.

        Args:
            wanted: whether calls wait for permission: only then is the window what limits them.
            quotas: what the endpoint says is left.
            tokens: of request and answer.
        """
        busy = self.in_flight
        self.in_flight -= 1
        self._smooth(now - sent.at)
        self._blame.answered()
        failed = self._blame.failed_trial(now, self.round_trip)
        if failed:
            self.window.restore(failed)
        self._allowance.spent(tokens)
        self._note(quotas, sent, answered=True)
        if not self._passed and sent.number >= self._since_cut:
            self._passed = True
            self._gate.passed(sent.at, self.round_trip)
            self.window.settle(now, self.round_trip)
        if self.window.held(now, sent.number, sent.at):
            self._passage.begin(now, self._sent)
        if 2 * busy >= self.window.size:
            self._grow(sent, now, wanted)

    def _grow(self, sent: Sent, now: float, wanted: bool) -> None:
        if self._saturation.answered(sent.others + 1, now - sent.at, self.window.size):
            self.window.saturated(now, self._saturation.enough, self.round_trip)
            self._saturation.reset()
            return
        may_grow = wanted and not self._saturation.doubt
        if may_grow and self.window.grow(now, self._sent, self.round_trip):
            self._saturation.reset()
            self._blame.forget()

    def refused(
        self, sent: Sent, now: float, told: float | None = None, quotas: Iterable[Quota] = ()
    ) -> None:
        """Learn from a refusal.

        Args:
            told: seconds the endpoint asked to wait, if it did.
            quotas: what the endpoint says is left.
        """
        self.in_flight -= 1
        tolerated = self._blame.refused()
        self._passage.refused(sent.number)
        self._refusal_seconds += 0.2 * (now - sent.at - self._refusal_seconds)
        self._note(quotas, sent, answered=False)
        if sent.number < max(self._since_cut, self._since_gate):
            return
        self._spaced = True
        if tolerated:
            return
        if self._passed:
            self._cut(sent, now)
        elif sent.number > self._since_gate:
            # Others were sent before it, after the gate, and were not refused.
            self._gate.passed(sent.at, self.round_trip)
        self._gate.shut(now, self.round_trip, told)
        self._since_gate, self._trial = self._sent, True

    def _cut(self, sent: Sent, now: float) -> None:
        """Begin an episode of refusals: shrink the window, once for all of them."""
        before = self.window.size
        self.window.cut(now, sent.others, self._sustained(sent, now), self.round_trip)
        in_vain = self._blame.cut(now, before, self.window.size, self.round_trip)
        if in_vain:
            self.window.restore(in_vain)
        self._saturation.reset()
        self._gate.forget()
        self._since_cut, self._passed = self._sent, False

    def _sustained(self, sent: Sent, now: float) -> float | None:
        """Return how many in flight the passage since the last cut stands for, if it says.

        Half at least: it is an estimate. And where nothing points to a limit on the rate, no less
        than was in flight when the request was refused.
        """
        sustained = self._passage.sustained(now, self._sent, self.round_trip)
        self._passage.paused(SHARE_OF_ROUND_TRIP * self.round_trip)
        if sustained is None:
            return None
        if self.window.climbed:
            return sustained
        least = 0 if self._gate.was_long else sent.others
        return max(sustained, least, self.window.size / 2)

    def failed(self, sent: Sent) -> None:
        """Count a request that ended in a way which tells nothing of the pace."""
        self.in_flight -= 1

    def _smooth(self, seconds: float) -> None:
        if not self._round_trip:
            self._round_trip = seconds
        over = min(max(self.window.size, LEAST_SMOOTHED), MOST_SMOOTHED)
        self._round_trip += (seconds - self._round_trip) / over

    def _note(self, quotas: Iterable[Quota], sent: Sent, *, answered: bool) -> None:
        for quota in quotas:
            self._spaced = True
            self._allowance.told(quota, sent.number, sent.at, answered=answered)
