"""What an endpoint's headers say is left of a quota.

Read are the families in use: ``x-ratelimit-remaining-requests`` and ``-tokens`` with their
``x-ratelimit-reset-…`` (OpenAI and many others), ``anthropic-ratelimit-requests-remaining`` and
``-reset``, the ``RateLimit`` field of the IETF draft in both its forms, and the older
``RateLimit-Remaining`` and ``X-RateLimit-Remaining``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

COARSE_SECONDS = 5.0
SETTLED_AFTER = 16  # answers without a word
_EPOCH, _EPOCH_MS = 1e9, 1e12  # no relative time is that large
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|d|h|m|s))")
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ITEM = re.compile(r"(?:^|[;,\s])(?:r|remaining)=(\d+)\s*[;,].*?(?:t|reset)=(\d+)")


class Quota(msgspec.Struct, frozen=True):
    """What is left.

    Args:
        left: requests, or tokens.
        seconds: until the quota is whole again.
        tokens: whether tokens are counted.
    """

    left: float
    seconds: float
    tokens: bool = False


_Family = Callable[[Mapping[str, str], float], list[Quota]]


class QuotaReader:
    """Reads one endpoint's headers; remembers which of them it sends, to look for no others."""

    def __init__(self) -> None:
        self._families: tuple[_Family, ...] = FAMILIES
        self._without = 0

    def of_answer(self, headers: Mapping[str, str]) -> list[Quota]:
        """Return the quotas of an answer.

        Args:
            headers: of it, whose names are found in any case.
        """
        if not self._families:
            return []
        now = time.time()
        found = read_quotas(headers, now, self._families)
        if found:
            self._settle(headers, now)
        elif self._families is FAMILIES:
            self._without += 1
            if self._without == SETTLED_AFTER:
                self._families = ()
        return found

    def of_refusal(self, headers: Mapping[str, str]) -> list[Quota]:
        """Return the quotas of a refusal: some endpoints speak of them there alone."""
        now = time.time()
        found = read_quotas(headers, now)
        if found:
            self._settle(headers, now)
        return found

    def _settle(self, headers: Mapping[str, str], now: float) -> None:
        if self._families is FAMILIES or not self._families:
            self._families = tuple(read for read in FAMILIES if read(headers, now))


def read_quotas(
    headers: Mapping[str, str], now: float, families: Iterable[_Family] | None = None
) -> list[Quota]:
    """Return the quotas that headers speak of.

    A time in whole seconds that is soon over is left out: half a second more or less is too much.

    Args:
        headers: whose names are found in any case.
        now: seconds since the Unix epoch.
        families: which to look for; by default all.
    """
    quotas = (quota for read in families or FAMILIES for quota in read(headers, now))
    return [quota for quota in quotas if not _is_vague(quota)]


def _is_vague(quota: Quota) -> bool:
    return quota.seconds < COARSE_SECONDS and quota.seconds == int(quota.seconds)


def seconds_until(text: str, now: float) -> float | None:
    """Return the seconds until a time, in any of the ways endpoints write it; None if in none.

    Args:
        text: seconds, seconds or milliseconds since the Unix epoch, a duration (``6m0s``,
            ``120ms``) or a moment (RFC 3339).
        now: seconds since the Unix epoch.
    """
    text = text.strip()
    number = _number(text)
    if number is None:
        return _moment(text, now)
    if number >= _EPOCH_MS:
        number /= 1000
    return max(0.0, number - now) if number >= _EPOCH else number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return _duration(text)
    return number if 0 <= number < float("inf") else None


def _duration(text: str) -> float | None:
    parts = _DURATION.findall(text)
    if not parts or "".join(a + b for a, b in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _moment(text: str, now: float) -> float | None:
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _pair(left: str, reset: str, *, tokens: bool = False) -> _Family:
    """Read a family of two headers."""

    def read(headers: Mapping[str, str], now: float) -> list[Quota]:
        number, until = headers.get(left), headers.get(reset)
        if number is None or until is None:
            return []
        seconds = seconds_until(until, now)
        if seconds is None or not number.strip().isdecimal():
            return []
        return [Quota(float(number), seconds, tokens)]

    return read


def _draft(headers: Mapping[str, str], now: float) -> list[Quota]:
    """Read the draft's field: ``"default";r=50;t=30`` or ``limit=100, remaining=50, reset=30``."""
    field = headers.get("RateLimit", "")
    items = [field] if "remaining=" in field else field.split(",")
    found = (_ITEM.search(item) for item in items)
    return [Quota(float(item[1]), float(item[2])) for item in found if item]


FAMILIES: tuple[_Family, ...] = (
    _pair("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    _pair("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", tokens=True),
    _pair("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    _pair("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset", tokens=True),
    _draft,
    _pair("RateLimit-Remaining", "RateLimit-Reset"),
    _pair("X-RateLimit-Remaining", "X-RateLimit-Reset"),
)
