"""How long to wait before another attempt."""

from __future__ import annotations

import email.utils
import hashlib
import os
from collections.abc import Mapping

FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
RETRY_AFTER_SPREAD = 0.25


def backoff(key: str, attempt: int) -> float:
    """Return seconds to wait after an attempt (0 is the first): full jitter, keyed by the call.

    Uniform between nothing and a ceiling that doubles, so that calls which failed together do not
    come back together. The process id takes part: two processes may work on the same calls.
    """
    ceiling = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(attempt, 30))
    return ceiling * _uniform(f"backoff\x00{key}\x00{attempt}\x00{os.getpid()}")


def after_request(key: str, attempt: int, told: float) -> float:
    """Return seconds to wait where the endpoint named a time: no less, a little spread behind it.

    Everybody was told the same moment.
    """
    spread = RETRY_AFTER_SPREAD * max(told, FIRST_BACKOFF_SECONDS)
    return told + spread * _uniform(f"retry-after\x00{key}\x00{attempt}\x00{os.getpid()}")


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds an endpoint asks to wait, or None if it does not say.

    Args:
        headers: of its answer; ``Retry-After`` may be seconds or a date (RFC 9110, 10.2.3),
            ``Retry-After-Ms`` is what some providers send beside it.
        now: seconds since the Unix epoch.
    """
    seconds = _number(headers.get("Retry-After-Ms"))
    if seconds is not None:
        return seconds / 1000
    value = headers.get("Retry-After")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    moment = email.utils.parsedate_tz(value)
    try:
        return None if moment is None else max(0.0, email.utils.mktime_tz(moment) - now)
    except (ValueError, OverflowError):  # a date in no calendar
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _uniform(purpose: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    digest = hashlib.sha256(purpose.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
