"""Numbers as a report prints them: true minus signs, no false precision, bounds where needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from rubricbench.report.bootstrap import Estimate

MINUS = "\u2212"
DASH = "\u2013"


def decimal(value: float, places: int = 3) -> str:
    """Return a fixed number of decimals; what rounds to zero has no sign."""
    text = f"{value:.{places}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: float, places: int = 3) -> str:
    """Return a decimal with its sign; zero has none."""
    text = decimal(value, places)
    return f"+{text}" if value > 0 and float(f"{value:.{places}f}") != 0 else text


def percent(share: float) -> str:
    """Return a share as a percentage; 0% and 100% only where they are exact."""
    value = 100 * share
    if 0 < value < 1 or 99 < value < 100:
        floor, ceiling = 0.1, 99.9
        return f"{min(max(value, floor), ceiling):.1f}%"
    return f"{value:.0f}%".replace("-", MINUS)


def count(value: float) -> str:
    """Return a whole number, or one decimal, with thousands separated."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def number(value: float) -> str:
    """Return a number as short as it can be: ``3``, ``2.5``."""
    return f"{round(value, 6):g}".replace("-", MINUS)


def weight(value: float) -> str:
    """Return a criterion's weight with its sign."""
    return f"{MINUS if value < 0 else '+'}{abs(value):g}"


def span(low: float, high: float, form: Callable[[float], str] = decimal) -> str:
    """Return ``low–high``, or ``low to high`` where a sign would meet the dash."""
    start, end = form(low), form(high)
    if start.endswith("%") and end.endswith("%"):
        start = start.removesuffix("%")
    bare = start[:1].isdigit() and end[:1].isdigit()
    return f"{start}{DASH}{end}" if bare else f"{start} to {end}"


def point(estimate: Estimate, form: Callable[[float], str] = decimal) -> str:
    """Return the point estimate, or its bounds where verdicts are unknown."""
    if estimate.value is None:
        return span(estimate.low, estimate.high, form)
    return form(estimate.value)


def interval(estimate: Estimate, form: Callable[[float], str] = decimal) -> str:
    """Return the 95% interval, or a dash where there is none."""
    return span(*estimate.interval, form) if estimate.interval else DASH


def plural(number: int, noun: str, nouns: str = "") -> str:
    """Return ``1 prompt``, ``2 prompts``."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def moment(text: str) -> str:
    """Return an ISO 8601 time to the minute, in UTC if it has a zone; other text as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    if found.tzinfo is None:
        return f"{found:%Y-%m-%d %H:%M}"
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def tick(value: float) -> str:
    """Return an axis label as short as it can be."""
    text = f"{value:,.0f}" if value == math.floor(value) else f"{value:g}"
    return text.replace("-", MINUS)
