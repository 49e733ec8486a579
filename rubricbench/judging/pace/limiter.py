"""Calls that wait for their turn, on any threads and event loops of a process.

One `Pace` decides for all. It is arithmetic under a lock that is held for microseconds; waiting
calls stand in one queue, and each is woken on its own loop. Whoever changes something (an answer, a
refusal, a call that gives up) grants what has become possible; where only time has to pass, the
loop of the call that stands first sets a timer.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from rubricbench.judging.pace.control import Pace, Sent
from rubricbench.judging.pace.quota import QuotaReader

LEAST_TIMER_SECONDS = 0.001  # loops round to milliseconds; less would be spinning
_NO_HEADERS: Mapping[str, str] = {}


class Limiter:
    """The pace of one endpoint and key. Runs `join` it.

    Args:
        clock: seconds, never going back; the loops' timers must run by it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._pace = Pace(1)
        self._quotas = QuotaReader()
        self._queue: deque[_Waiter] = deque()
        self._ceilings: list[int] = []
        self._timer = 0  # number of the timer that counts; others are out of date
        self._wakes_at = math.inf

    @property
    def window(self) -> float:
        """How many requests may be in flight, as far as is known."""
        return self._pace.window.size

    @property
    def in_flight(self) -> int:
        """How many slots are taken."""
        return self._pace.in_flight

    @property
    def members(self) -> int:
        """How many runs have joined and not left."""
        return len(self._ceilings)

    def join(self, ceiling: int) -> Share:
        """Return a run's share.

        Args:
            ceiling: the most calls the run may have in flight; added to the others' until it
                leaves.
        """
        with self._lock:
            self._ceilings.append(ceiling)
            self._pace.window.set_ceiling(sum(self._ceilings))
        return Share(self, ceiling)

    def _leave(self, ceiling: int) -> None:
        with self._lock:
            self._ceilings.remove(ceiling)
            self._pace.window.set_ceiling(max(1, sum(self._ceilings)))
            self._wakes_at = math.inf  # that timer may be on a loop that ends now
            self._grant()

    def _take(self, share: Share) -> Slot | _Waiter | None:
        """Return a slot if there is one, a place in the queue if not, nothing when stopped."""
        with self._lock:
            if share.stopped:
                return None
            now = self.clock()
            if not self._queue and not self._pace.wait(now):
                return Slot(self, self._pace.send(now))
            waiter = _Waiter(share)
            self._queue.append(waiter)
            self._grant(now)
            return waiter

    def _grant(self, now: float | None = None) -> None:
        """Let those go who may, and see to it that the next is woken; under the lock."""
        now = self.clock() if now is None else now
        while self._queue:
            wait = self._pace.wait(now)
            if wait:
                if wait == math.inf or self._wake_in(wait, now):
                    return
                self._queue.popleft()  # nobody waits there any more
            else:
                waiter = self._queue.popleft()
                sent = self._pace.send(now)
                waiter.slot = Slot(self, sent)
                if not waiter.wake():
                    self._pace.failed(sent)

    def _wake_in(self, wait: float, now: float) -> bool:
        """Set a timer on the loop of the first in the queue; False if that loop is closed."""
        at = now + wait
        if now < self._wakes_at <= at:
            return True
        self._timer += 1
        self._wakes_at = at
        seconds = max(wait, LEAST_TIMER_SECONDS)
        return self._queue[0].call_later(seconds, self._tick, self._timer)

    def _tick(self, timer: int) -> None:
        with self._lock:
            if timer == self._timer:
                self._wakes_at = math.inf
                self._grant()

    def _answered(self, sent: Sent, headers: Mapping[str, str], tokens: int) -> None:
        with self._lock:
            now = self.clock()
            quotas = self._quotas.of_answer(headers) if headers else ()
            wanted = bool(self._queue)
            self._pace.answered(sent, now, wanted=wanted, quotas=quotas, tokens=tokens)
            if wanted:
                self._grant(now)

    def _refused(self, sent: Sent, headers: Mapping[str, str], told: float | None) -> None:
        with self._lock:
            now = self.clock()
            self._pace.refused(sent, now, told, self._quotas.of_refusal(headers))
            self._grant(now)

    def _failed(self, sent: Sent) -> None:
        with self._lock:
            self._pace.failed(sent)
            self._grant()

    def _give_up(self, waiter: _Waiter) -> None:
        """End a wait without permission, if it has not ended otherwise."""
        with self._lock:
            if waiter in self._queue:
                self._queue.remove(waiter)
                waiter.wake()
                self._wakes_at = math.inf  # its loop may end now, and a timer with it
                self._grant()

    def _stop(self, share: Share) -> None:
        with self._lock:
            share.stopped = True
            waiting = [waiter for waiter in self._queue if waiter.share is share]
        for waiter in waiting:
            self._give_up(waiter)


class Share:
    """A run's part of a `Limiter`; made by `Limiter.join`, used on one event loop."""

    def __init__(self, limiter: Limiter, ceiling: int) -> None:
        self.stopped = False
        self._limiter = limiter
        self._ceiling = ceiling
        self._left = False

    async def slot(self, within: float = math.inf) -> Slot | None:
        """Wait until a request may be sent.

        Args:
            within: seconds to wait at most.

        Returns:
            Permission, to be given back by one of its methods as soon as the outcome is known;
            None if there was none in time, or after `stop`.
        """
        taken = self._limiter._take(self)
        return await self._wait(taken, within) if isinstance(taken, _Waiter) else taken

    async def _wait(self, waiter: _Waiter, within: float) -> Slot | None:
        timer = None
        if within < math.inf:
            timer = waiter.loop.call_later(max(0.0, within), self._limiter._give_up, waiter)
        try:
            await waiter.future
        except asyncio.CancelledError:
            self._limiter._give_up(waiter)
            if waiter.slot:
                waiter.slot.failed()
            raise
        finally:
            if timer:
                timer.cancel()
        return waiter.slot

    def stop(self) -> None:
        """Give no more permissions; calls that wait get None."""
        self._limiter._stop(self)

    def leave(self) -> None:
        """Stop, and take back what the run added to the ceiling. Once more does nothing."""
        if not self._left:
            self._left = True
            self.stop()
            self._limiter._leave(self._ceiling)


class Slot:
    """Permission to send one request. Only the first of its methods that is called counts."""

    __slots__ = ("_limiter", "_sent")

    def __init__(self, limiter: Limiter, sent: Sent) -> None:
        self._limiter = limiter
        self._sent: Sent | None = sent

    def _give_back(self) -> Sent | None:
        sent, self._sent = self._sent, None
        return sent

    def answered(self, headers: Mapping[str, str] = _NO_HEADERS, tokens: int = 0) -> None:
        """Say that an answer came.

        Args:
            headers: of the reply; names are found in any case.
            tokens: of request and answer, if known.
        """
        if sent := self._give_back():
            self._limiter._answered(sent, headers, tokens)

    def refused(self, told: float | None = None, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """Say that the endpoint refused the request because it was one too many.

        Args:
            told: seconds it asked to wait, if it did.
            headers: of the reply.
        """
        if sent := self._give_back():
            self._limiter._refused(sent, headers, told)

    def failed(self) -> None:
        """Say that the request ended otherwise, or was never sent."""
        if sent := self._give_back():
            self._limiter._failed(sent)


class _Waiter:
    """A call that waits, on the loop it runs on."""

    __slots__ = ("_thread", "future", "loop", "share", "slot")

    def __init__(self, share: Share) -> None:
        self.share = share
        self.slot: Slot | None = None
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self._thread = threading.get_ident()

    def wake(self) -> bool:
        """End the wait; False if its loop is closed."""
        return self._call(self._wake)

    def call_later(self, seconds: float, work: Callable[[int], None], argument: int) -> bool:
        """Call something on its loop; False if that is closed."""
        return self._call(self.loop.call_later, seconds, work, argument)

    def _wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def _call(self, work: Callable[..., object], *arguments: object) -> bool:
        try:
            if threading.get_ident() == self._thread:
                work(*arguments)
            else:
                self.loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:
            return False
        return True
