"""Which of several endpoints that serve one model gets the next attempt.

The least loaded of those that are well. One that fails several times running is set aside and
probed: first after a second, then after twice as long each time, by one call. One whose key, model
or address is wrong is not used again; only when that is true of all is it an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable

from rubricbench.errors import EndpointError
from rubricbench.judging.endpoint import Endpoint
from rubricbench.judging.faults import PassingFaultError
from rubricbench.schema import Cause

FAILURES_TO_SET_ASIDE = 3
FIRST_PROBE_SECONDS = 1.0
MAX_PROBE_SECONDS = 60.0


class _Health:
    """What is known of an endpoint: failures running, and when it may be tried again if ill."""

    def __init__(self) -> None:
        self.failures = 0
        self.probes = 0  # begun since it was set aside
        self.probing = False
        self.probe_at = 0.0
        self.has_answered = False
        self.fault = ""  # the last one since an answer
        self.lost: EndpointError | None = None

    @property
    def is_ill(self) -> bool:
        return self.failures >= FAILURES_TO_SET_ASIDE

    @property
    def useless(self) -> str:
        """Why it is of no use as things stand; empty if it is, or was never tried."""
        if self.lost:
            return str(self.lost)
        return self.fault if self.is_ill or not self.has_answered else ""

    def failed(self, now: float) -> None:
        # Calls that were under way when it was set aside all fail of the one outage: only a probe
        # says that it lasts.
        if self.is_ill and not self.probing:
            return
        self.failures += 1
        self.probing = False
        self.probe_at = now + self._probe_seconds()

    def probe(self, now: float) -> None:
        # One call at a time finds out: the others go on elsewhere.
        self.probes += 1
        self.probing = True
        self.probe_at = now + self._probe_seconds()

    def answered(self) -> None:
        self.failures = self.probes = 0
        self.probing = False
        self.has_answered = True
        self.fault = ""

    def _probe_seconds(self) -> float:
        return min(MAX_PROBE_SECONDS, FIRST_PROBE_SECONDS * 2.0 ** min(30, self.probes))


class Fleet:
    """The endpoints of one judge.

    Args:
        endpoints: at least one.
        clock: seconds that only grow.
    """

    def __init__(
        self, endpoints: Iterable[Endpoint], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.endpoints = tuple(endpoints)
        self._health = {id(endpoint): _Health() for endpoint in self.endpoints}
        self._clock = clock
        self.ever_answered = False

    def pick(self, failed_at: Collection[Endpoint] = ()) -> Endpoint:
        """Return the endpoint for the next attempt.

        The least loaded of those that are well, or an ill one whose probe is due; where none is
        well, the one whose probe is due first.

        Args:
            failed_at: where earlier attempts at the call failed: one that fails at once is never
                loaded, and would have all of a call's attempts.

        Raises:
            EndpointError: what is wrong with the last one, where none is left of several.
        """
        if len(self.endpoints) == 1:
            return self.endpoints[0]
        self._require_one()
        usable = [e for e in self.endpoints if self._health[id(e)].lost is None]
        due = [e for e in usable if self._is_due(e)]
        if due:
            self._health[id(due[0])].probe(self._clock())
            return due[0]
        well = self._well()
        if well:
            others = [e for e in well if e not in failed_at] or well
            return min(others, key=lambda e: (e.in_flight, self._health[id(e)].failures))
        return min(usable, key=lambda e: (self._health[id(e)].probe_at, e.in_flight))

    def answered(self, endpoint: Endpoint) -> None:
        """Count an answer: the endpoint is well."""
        self.ever_answered = True
        self._health[id(endpoint)].answered()

    def failed(self, endpoint: Endpoint, fault: PassingFaultError) -> None:
        """Count a failed attempt; a refusal for the rate of requests is no sign of illness."""
        if fault.cause is not Cause.RATE_LIMITED:
            self._health[id(endpoint)].failed(self._clock())
            self._health[id(endpoint)].fault = str(fault)

    def lost(self, endpoint: Endpoint, error: EndpointError) -> None:
        """Use an endpoint no more.

        Raises:
            EndpointError: no endpoint is left.
        """
        self._health[id(endpoint)].lost = error
        self._require_one()

    def untried(self, attempt: int) -> bool:
        """Return whether another endpoint may do at once what failed at a call's try (0: first)."""
        return attempt + 1 < len(self._well())

    @property
    def has_others(self) -> bool:
        """Whether there are several endpoints, of which one is well as far as is known."""
        return len(self.endpoints) > 1 and bool(self._well())

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with endpoints that are used no more or only fail, by address."""
        found = {e.url: self._health[id(e)].useless for e in self.endpoints}
        return {url: why for url, why in found.items() if why}

    def _well(self) -> list[Endpoint]:
        found = ((endpoint, self._health[id(endpoint)]) for endpoint in self.endpoints)
        return [endpoint for endpoint, health in found if not (health.lost or health.is_ill)]

    def _require_one(self) -> None:
        faults = [health.lost for health in self._health.values() if health.lost]
        if len(faults) == len(self._health):
            raise faults[-1]

    def _is_due(self, endpoint: Endpoint) -> bool:
        health = self._health[id(endpoint)]
        return health.is_ill and self._clock() >= health.probe_at
