"""Counts with a lower and an upper bound: parameters, decision and words, shared by many families.

A counting family is written as::

    @family(
        "word_count",
        describe=lambda p: f"The response has {amount(p, 'word')}.",
        **bounds("words"),
        passes=…, fails=…,
    )
    def word_count(text: str, params: Params) -> Outcome:
        return counted(len(words(text)), params, "word")
"""

from __future__ import annotations

from typing import Any

from rubricbench.checks.registry import Outcome, Param, Params

MAX_COUNT = 1_000_000


def bounds(unit: str, **others: Param) -> dict[str, Any]:
    """Return the options of `registry.family` for a count of ``unit``.

    Args:
        unit: what is counted, plural, for the parameter's documentation.
        others: further parameters of the family, listed before the bounds.
    """
    return {
        "params": {
            **others,
            "minimum": Param("int", f"fewest {unit} allowed", None, minimum=0, maximum=MAX_COUNT),
            "maximum": Param("int", f"most {unit} allowed", None, minimum=0, maximum=MAX_COUNT),
        },
        "at_least_one_of": ("minimum", "maximum"),
        "validate": bad_bounds,
    }


def bad_bounds(params: Params) -> str | None:
    """Return a complaint where no response, or every response, lies within the bounds."""
    low, high = params["minimum"], params["maximum"]
    if high is None and low == 0:
        return "minimum 0 without a maximum: every response would meet it"
    if low is not None and high is not None and low > high:
        return f"minimum {low} is above maximum {high}"
    return None


def within(count: int, params: Params) -> bool:
    """Tell whether the count lies within the bounds, both included."""
    low, high = params["minimum"], params["maximum"]
    return (low is None or count >= low) and (high is None or count <= high)


def amount(params: Params, singular: str, plural: str = "") -> str:
    """Put the bounds into words: "at least 3 words", "exactly 1 title", "no links"."""
    low, high = params["minimum"], params["maximum"]
    plural = plural or f"{singular}s"
    if high == 0:
        return f"no {plural}"
    if low == high:
        return f"exactly {_number(low)} {singular if low == 1 else plural}"
    if high is None:
        return f"at least {_number(low)} {singular if low == 1 else plural}"
    if not low:
        return f"at most {_number(high)} {singular if high == 1 else plural}"
    return f"between {_number(low)} and {_number(high)} {plural}"


def times(params: Params) -> str:
    """Put bounds on occurrences, not all zero, into words: "exactly once", "at least 2 times"."""
    words = amount(params, "time")
    return words.replace("1 time", "once") if words.endswith(" 1 time") else words


def counted(count: int, params: Params, singular: str, plural: str = "") -> Outcome:
    """Return whether the count is within the bounds, with the count as evidence."""
    unit = singular if count == 1 else plural or f"{singular}s"
    return Outcome(within(count, params), f"{_number(count)} {unit}")


def _number(count: int) -> str:
    return f"{count:,}"
