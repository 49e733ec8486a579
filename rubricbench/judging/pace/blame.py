"""Whether it is our pace that requests are refused for."""

from __future__ import annotations

from typing import NamedTuple

EARLIER, LATER = 0.8, 0.6
AS_MANY = 0.5
FEWER_ANSWERS = 0.85
GAIN = 0.75
MORE_SHARE = 1.5
MOST_SHARE = 0.3
LEAST_REFUSALS = 5
TOLERANCE = 1.5
SMOOTHED = 128
TRIAL_ROUND_TRIPS = 4
TRIAL_ANSWERS = 100


class _Count(NamedTuple):
    at: float
    size: float
    answers: int
    refusals: int


class Blame:
    """Notices refusals that come at any pace: other users' doing, or one ill replica of many.

    Going slower does not help there, and a window that is cut for each of them closes. The sign:
    over a series of cuts the answers became fewer with the window, and as large a share of the
    requests was refused as before. (Above a real limit the answers stay as many, and the
    refusals become fewer.) Then the cuts are taken back, on trial: if that brings more answers,
    and no larger a share of refusals, such a share and half as much again is tolerated from then
    on. A trial that fails doubles the evidence the next one needs.
    """

    def __init__(self) -> None:
        self._answers = self._refusals = 0
        self._share = self._usual = 0.0
        self._cuts: list[_Count] = []
        self._before = 0.0  # the window before the series of cuts
        self._trial: _Count | None = None  # as things were when it began
        self._trial_from = 0.0
        self._trial_counts: _Count | None = None
        self._rate = 0.0  # answers a second before the trial
        self._needed = LEAST_REFUSALS

    def answered(self) -> None:
        """Count an answer."""
        self._answers += 1
        self._share -= self._share / SMOOTHED

    def refused(self) -> bool:
        """Count a refusal; whether it is one of those that come at any pace."""
        self._refusals += 1
        self._share += (1 - self._share) / SMOOTHED
        return self._share < TOLERANCE * self._usual

    def forget(self) -> None:
        """Begin the series of cuts anew: it has been quiet for a while."""
        self._cuts.clear()
        self._before = 0.0

    def cut(self, now: float, before: float, after: float, round_trip: float) -> float | None:
        """Take note that the window was cut.

        Returns:
            The size to give it, where cutting it was in vain; None if it is to stay as it is.
        """
        if self._trial:
            return self._end_trial(held=False)
        cut = _Count(now, after, self._answers, self._refusals)
        if after > self._before:
            self.forget()
        if not self._cuts:
            # The first cut of a series does not count: what is answered after it was sent before.
            if self._before:
                self._cuts.append(cut)
            self._before = self._before or before
            return None
        self._cuts.append(cut)
        first = self._cuts[0]
        if after > LATER * first.size:
            return None
        middle = next(i for i, c in enumerate(self._cuts) if c.size <= EARLIER * first.size)
        if cut.refusals - self._cuts[middle].refusals < self._needed:
            return None
        if not self._in_vain(first, self._cuts[middle], cut):
            self._before, self._cuts = self._cuts[middle].size, self._cuts[middle:]
            return None
        self._trial, self._trial_from = cut, now + round_trip
        return self._before

    def _in_vain(self, first: _Count, middle: _Count, last: _Count) -> bool:
        early, late = _between(first, middle), _between(middle, last)
        if early is None or late is None:
            return False
        fewer = late[0] <= FEWER_ANSWERS * early[0]
        if not fewer or not AS_MANY * early[1] <= late[1] <= MOST_SHARE:
            return False
        self._rate, self._usual = late
        self._share = self._usual
        return True

    def failed_trial(self, now: float, round_trip: float) -> float | None:
        """Return the window to go back to, if taking the cuts back turns out to be of no use."""
        if self._trial is None or now < self._trial_from:
            return None
        if not self._trial_counts:  # what was in flight has been answered
            self._trial_counts = _Count(now, 0.0, self._answers, self._refusals)
            return None
        begun = self._trial_counts
        enough = self._answers - begun.answers >= TRIAL_ANSWERS
        if not enough or now - begun.at < TRIAL_ROUND_TRIPS * round_trip:
            return None
        found = _between(begun, _Count(now, 0.0, self._answers, self._refusals))
        wanted = GAIN * self._rate * self._before / self._trial.size
        more = found is not None and found[0] >= wanted and found[1] <= MORE_SHARE * self._usual
        return self._end_trial(held=more)

    def _end_trial(self, *, held: bool) -> float | None:
        """Tolerate what is usual, or return the window to go back to."""
        trial, self._trial, self._trial_counts = self._trial, None, None
        self.forget()
        if held or not trial:
            return None
        self._usual = 0.0
        self._needed *= 2
        return trial.size


def _between(one: _Count, other: _Count) -> tuple[float, float] | None:
    """Return answers a second and the share of refusals between two counts; None if none came."""
    answers, refusals = other.answers - one.answers, other.refusals - one.refusals
    if other.at <= one.at or not answers:
        return None
    return answers / (other.at - one.at), refusals / (answers + refusals)
