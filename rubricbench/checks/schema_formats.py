"""The string formats a JSON Schema check knows; each function tells whether a string has it.

They raise ValueError or return False for a string that does not.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}:")
_NOT_IN_URI = re.compile(r'[\s<>"{}|\\^`]|[^\x21-\x7e]')


def _date(value: str) -> bool:
    return bool(_DATE.fullmatch(value)) and bool(date.fromisoformat(value))


def _time(value: str) -> bool:
    return bool(_TIME.fullmatch(value)) and bool(time.fromisoformat(value.upper()))


def _date_time(value: str) -> bool:
    shaped = _DATE.fullmatch(value[:10]) and value[10:11] in ("T", "t")
    return bool(shaped and _TIME.fullmatch(value[11:]) and datetime.fromisoformat(value.upper()))


def _email(value: str) -> bool:
    name, at, domain = value.rpartition("@")
    dotted = "." in domain.strip(".") and not domain.startswith(".")
    return bool(name and at) and dotted and not any(map(str.isspace, value))


def _uri(value: str) -> bool:
    scheme = _SCHEME.match(value)
    return scheme is not None and len(value) > scheme.end() and not _NOT_IN_URI.search(value)


def _uuid(value: str) -> bool:
    return str(uuid.UUID(value)) == value.lower()


def _ipv4(value: str) -> bool:
    return bool(ipaddress.IPv4Address(value))


def _ipv6(value: str) -> bool:
    return bool(ipaddress.IPv6Address(value))


FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _date,
    "time": _time,
    "date-time": _date_time,
    "email": _email,
    "uri": _uri,
    "uuid": _uuid,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
}
