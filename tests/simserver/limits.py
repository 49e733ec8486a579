"""What a server permits: limits of five kinds, and how it tells a client about them.

A limit is arithmetic on times that are handed in, so it serves the simulator's real clock and the
tests' virtual one alike. In words (`read_limit`, the simulator's ``--limit``)::

    in flight 40
    bucket 800/s burst 100
    counting bucket 800/s burst 100     refused requests take a token, too
    window 800 in 1 s
    in flight 40, halved after 8 s      any kind
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol


class Limit(Protocol):
    """Decides which requests pass; times are seconds of one clock, never going back."""

    def admit(self, now: float) -> bool:
        """Whether a request that arrives now passes."""

    def done(self, now: float) -> None:
        """A request that passed got its reply."""

    def wait(self, now: float) -> float:
        """Seconds until one may pass, as far as that is known."""

    def quota(self, now: float) -> tuple[float, float, float]:
        """The whole quota, what is left of it, and seconds until it is whole again."""

    def permits(self, start: float, end: float, held: float) -> float:
        """How many requests of ``held`` seconds each may pass in the long run between two times."""


@dataclass
class Scale:
    """One, and a half from some seconds after the first request on."""

    halved_after: float = float("inf")
    start: float | None = None

    def at(self, now: float) -> float:
        if self.start is None:
            self.start = now
        return 0.5 if now >= self.start + self.halved_after else 1.0

    def mean(self, start: float, end: float) -> float:
        change = min(max((self.start or 0.0) + self.halved_after, start), end)
        return ((change - start) + 0.5 * (end - change)) / (end - start)


@dataclass
class InFlight:
    """So many at once."""

    most: int
    scale: Scale = field(default_factory=Scale)
    inside: int = 0

    def admit(self, now: float) -> bool:
        passes = self.inside < self.most * self.scale.at(now)
        self.inside += passes
        return passes

    def done(self, now: float) -> None:
        self.inside -= 1

    def wait(self, now: float) -> float:
        return 1.0  # it cannot know: servers of this kind send a fixed word

    def quota(self, now: float) -> tuple[float, float, float]:
        most = self.most * self.scale.at(now)
        return most, max(0.0, most - self.inside), 1.0

    def permits(self, start: float, end: float, held: float) -> float:
        return self.most * self.scale.mean(start, end) * (end - start) / held


@dataclass
class Bucket:
    """Tokens come at a rate, up to a burst; a request takes one.

    With ``counting`` a refused request takes one as well, down to a debt of one burst.
    """

    rate: float
    burst: float
    counting: bool = False
    scale: Scale = field(default_factory=Scale)
    tokens: float | None = None
    seen: float = 0.0

    def _fill(self, now: float) -> float:
        scale = self.scale.at(now)
        full = self.burst * scale
        before = full if self.tokens is None else self.tokens
        self.tokens = min(full, before + (now - self.seen) * self.rate * scale)
        self.seen = now
        return self.tokens

    def admit(self, now: float) -> bool:
        tokens = self._fill(now)
        passes = tokens >= 1
        if passes or self.counting:
            self.tokens = max(tokens - 1, -self.burst)
        return passes

    def done(self, now: float) -> None:
        pass

    def wait(self, now: float) -> float:
        return max(0.0, 1 - self._fill(now)) / (self.rate * self.scale.at(now))

    def quota(self, now: float) -> tuple[float, float, float]:
        left, scale = self._fill(now), self.scale.at(now)
        full = self.burst * scale
        return full, max(0.0, left), (full - left) / (self.rate * scale)

    def permits(self, start: float, end: float, held: float) -> float:
        return self.rate * self.scale.mean(start, end) * (end - start)


@dataclass
class Window:
    """So many in each stretch of time; the stretches follow the clock, not the client."""

    most: int
    seconds: float
    scale: Scale = field(default_factory=Scale)
    number: int = -1
    used: int = 0

    def _turn(self, now: float) -> float:
        number = int(now // self.seconds)
        if number != self.number:
            self.number, self.used = number, 0
        return (number + 1) * self.seconds - now

    def admit(self, now: float) -> bool:
        self._turn(now)
        passes = self.used < self.most * self.scale.at(now)
        self.used += passes
        return passes

    def done(self, now: float) -> None:
        pass

    def wait(self, now: float) -> float:
        left = self._turn(now)
        return left if self.used >= self.most * self.scale.at(now) else 0.0

    def quota(self, now: float) -> tuple[float, float, float]:
        left, most = self._turn(now), self.most * self.scale.at(now)
        return most, max(0.0, most - self.used), left

    def permits(self, start: float, end: float, held: float) -> float:
        return self.most * self.scale.mean(start, end) * (end - start) / self.seconds


_NUMBER = r"(\d+(?:\.\d+)?)"
_LIMIT = re.compile(
    rf"(?:in flight (?P<most>\d+)"
    rf"|(?P<counting>counting )?bucket (?P<rate>{_NUMBER})/s burst (?P<burst>{_NUMBER})"
    rf"|window (?P<in_window>\d+) in (?P<seconds>{_NUMBER}) s)"
    rf"(?:, halved after (?P<halved>{_NUMBER}) s)?"
)


def read_limit(words: str) -> Limit:
    """Return the limit that words describe (see the module)."""
    found = _LIMIT.fullmatch(words)
    if not found:
        raise ValueError(f"no limit: {words!r}")
    scale = Scale(float(found["halved"] or "inf"))
    if found["most"]:
        return InFlight(int(found["most"]), scale)
    if found["rate"]:
        counting = bool(found["counting"])
        return Bucket(float(found["rate"]), float(found["burst"]), counting, scale)
    return Window(int(found["in_window"]), float(found["seconds"]), scale)


def told(limit: Limit, now: float, *, refused: bool, styles: Collection[str]) -> dict[str, str]:
    """Return the headers of a reply.

    Args:
        styles: of ``retry-after`` (on refusals; whole seconds, upwards, as the standard has it),
            ``retry-after-ms``, ``openai`` (``x-ratelimit-*-requests``), ``draft``
            (``RateLimit`` and ``RateLimit-Policy``), ``plain`` (``RateLimit-Remaining``, …).
    """
    most, left, reset = limit.quota(now)
    headers: dict[str, str] = {}
    if refused and "retry-after" in styles:
        headers["Retry-After"] = str(-int(-limit.wait(now) // 1))
    if refused and "retry-after-ms" in styles:
        headers["Retry-After-Ms"] = f"{1000 * limit.wait(now):.0f}"
    if "openai" in styles:
        headers["x-ratelimit-limit-requests"] = f"{most:.0f}"
        headers["x-ratelimit-remaining-requests"] = str(int(left))
        headers["x-ratelimit-reset-requests"] = f"{1000 * reset:.0f}ms"
    if "draft" in styles:
        headers["RateLimit-Policy"] = f'"requests";q={most:.0f};w={max(1, round(reset))}'
        headers["RateLimit"] = f'"requests";r={int(left)};t={-int(-reset // 1)}'
    if "plain" in styles:
        headers["RateLimit-Limit"] = f"{most:.0f}"
        headers["RateLimit-Remaining"] = str(int(left))
        headers["RateLimit-Reset"] = str(-int(-reset // 1))
    return headers


class Guard:
    """A limit at the simulator's door: counts, and puts the words into its replies.

    Args:
        limit: what it permits.
        styles: what it tells the client (`told`).
    """

    def __init__(self, limit: Limit, styles: Collection[str] = ()) -> None:
        self.limit, self._styles = limit, styles
        self.permitted = self.refused = self._inside = 0
        self._held = 0.0

    def enter(self) -> tuple[bool, dict[str, str]]:
        """Whether a request passes, and the headers of its reply, as things stand at the door."""
        now = time.monotonic()
        passes = self.limit.admit(now)
        if passes:
            self.permitted += 1
            self._inside += 1
            self._held -= now
        else:
            self.refused += 1
        return passes, told(self.limit, now, refused=not passes, styles=self._styles)

    def leave(self) -> None:
        """Let out a request that passed."""
        now = time.monotonic()
        self._inside -= 1
        self._held += now
        self.limit.done(now)

    def log(self) -> dict[str, float]:
        """Counts so far, the time, and how many seconds all that passed were inside, together."""
        now = time.monotonic()
        held = self._held + self._inside * now
        return {"permitted": self.permitted, "refused": self.refused, "now": now, "held": held}
