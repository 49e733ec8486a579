"""An endpoint with a limit and a client that always has work, in virtual time.

The limits are those of the simulator (`simserver.limits`); the client is the arithmetic of
`rubricbench.judging.pace.control` alone. Nothing sleeps: forty seconds of 800 requests each take a
tenth of a second.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict
from simserver.limits import read_limit, told

from rubricbench.judging.pace.control import Pace, Sent
from rubricbench.judging.pace.quota import read_quotas
from rubricbench.judging.retry import retry_after

NETWORK_SECONDS = 0.001  # one way
TIMER_SECONDS = 0.001  # how exactly an event loop wakes up


@dataclass(frozen=True)
class Setting:
    """A limit and the circumstances it is met in.

    Args:
        limit: in words.
        latency: mean seconds the endpoint takes for an answer.
        jitter: sigma of its logarithm.
        ceiling: calls the client would have in flight.
        seconds: length of the run.
        warm: seconds before what counts as steady.
        tell: headers the endpoint sends.
    """

    limit: str
    latency: float
    jitter: float = 0.0
    ceiling: int = 128
    seconds: float = 40.0
    warm: float = 10.0
    tell: tuple[str, ...] = ()

    def __str__(self) -> str:
        jitter = f" jitter {self.jitter:g}" if self.jitter else ""
        tell = f", tells {' '.join(self.tell)}" if self.tell else ""
        return f"{self.limit}, {self.latency:g} s{jitter}{tell}"


@dataclass
class Counts:
    passed: int = 0
    refused: int = 0
    held: float = 0.0  # seconds that the permitted took, as the client sees it


@dataclass
class Result:
    """What came of a run: shares of what was permitted, and of requests that were refused."""

    steady: float
    refused: float
    whole: float
    whole_refused: float


@dataclass
class World:
    """Events in the order of their times."""

    now: float = 0.0
    _events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = field(
        default_factory=list
    )
    _count: int = 0

    def at(self, moment: float, work: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, work, arguments))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] < until:
            self.now, _, work, arguments = heapq.heappop(self._events)
            work(*arguments)
        self.now = until


class LimitedRun:
    """One run of a setting."""

    def __init__(self, setting: Setting, seed: int = 0) -> None:
        self.setting = setting
        self.limit = read_limit(setting.limit)
        self.pace = Pace(setting.ceiling)
        self.world = World()
        self.steady, self.all = Counts(), Counts()
        self._random = random.Random(seed)
        self._waiting = setting.ceiling
        self._timer = -math.inf

    def result(self) -> Result:
        setting = self.setting
        self._send()
        self.world.run(setting.seconds)
        return Result(
            self._share(self.steady, setting.warm),
            self.steady.refused / max(1, self.steady.passed + self.steady.refused),
            self._share(self.all, 0.0),
            self.all.refused / (self.all.passed + self.all.refused),
        )

    def _share(self, counts: Counts, start: float) -> float:
        held = counts.held / max(1, counts.passed)
        return counts.passed / self.limit.permits(start, self.setting.seconds, held)

    def _counts(self) -> list[Counts]:
        return [self.all] if self.world.now < self.setting.warm else [self.all, self.steady]

    def _send(self) -> None:
        now = self.world.now
        while self._waiting:
            wait = self.pace.wait(now)
            if wait:
                self._wake_in(wait)
                return
            self._waiting -= 1
            delay = NETWORK_SECONDS * self._random.uniform(0.5, 1)
            self.world.at(now + delay, self._arrives, self.pace.send(now))

    def _wake_in(self, wait: float) -> None:
        now = self.world.now
        ticks = math.ceil((now + wait) / TIMER_SECONDS) if wait < math.inf else math.inf
        at = max(ticks * TIMER_SECONDS, now + TIMER_SECONDS / 2)
        if at < math.inf and not now < self._timer <= at:
            self._timer = at
            self.world.at(at, self._send)

    def _arrives(self, sent: Sent) -> None:
        now = self.world.now
        passes = self.limit.admit(now)
        headers = self._headers(refused=not passes)
        if not passes:
            for counts in self._counts():
                counts.refused += 1
            self.world.at(now + NETWORK_SECONDS, self._refused, sent, headers)
            return
        spread = self.setting.jitter
        seconds = self.setting.latency * self._random.lognormvariate(-(spread**2) / 2, spread)
        for counts in self._counts():
            counts.passed += 1
            counts.held += seconds + 1.75 * NETWORK_SECONDS
        self.world.at(now + seconds, self._leaves, sent, headers)

    def _headers(self, *, refused: bool) -> CIMultiDict[str]:
        tell: Collection[str] = self.setting.tell
        return CIMultiDict(told(self.limit, self.world.now, refused=refused, styles=tell))

    def _leaves(self, sent: Sent, headers: CIMultiDict[str]) -> None:
        self.limit.done(self.world.now)
        self.world.at(self.world.now + NETWORK_SECONDS, self._answered, sent, headers)

    def _answered(self, sent: Sent, headers: CIMultiDict[str]) -> None:
        quotas = read_quotas(headers, 0.0) if headers else ()
        self.pace.answered(sent, self.world.now, wanted=self._waiting > 0, quotas=quotas)
        self._waiting += 1
        self._send()

    def _refused(self, sent: Sent, headers: CIMultiDict[str]) -> None:
        quotas = read_quotas(headers, 0.0) if headers else ()
        self.pace.refused(sent, self.world.now, retry_after(headers, 0.0), quotas)
        self._waiting += 1
        self._send()
