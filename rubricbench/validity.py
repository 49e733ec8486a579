"""What a value of the data model must be: the named faults, the limits, and the checks of them."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable
from types import UnionType
from typing import Any

from rubricbench.canonical import canonical_json
from rubricbench.errors import SchemaError

MAX_CRITERION_CHARS = 10_000
MAX_TEXT_CHARS = 2_000_000  # one message or one response
MAX_TAG_CHARS = 200
MAX_ID_CHARS = 1_000
MAX_LABEL_CHARS = 10_000  # source, license, version and other notes on where something comes from
MAX_CRITERIA = 200
MAX_ABS_WEIGHT = 1e6

FAULTS: dict[str, str] = {
    "empty_criterion": "a criterion without text",
    "empty_text": "a required text is empty",
    "empty_messages": "a prompt without messages",
    "unknown_role": "a message role outside: system, user, assistant, tool",
    "weight_not_a_number": "a weight that is not an int or float",
    "weight_not_finite": "a weight that is NaN or infinite, or beyond one million",
    "weight_zero": "a weight of zero: the criterion could not count",
    "no_criteria": "a rubric without criteria",
    "no_positive_weight": "a rubric whose weights are all penalties has no scale",
    "too_many_criteria": f"more than {MAX_CRITERIA} criteria",
    "duplicate_criterion": "the same criterion twice in a rubric",
    "unknown_key": "a key the data model does not have",
    "missing_key": "a required key is absent",
    "wrong_type": "a value of another type than the field's",
    "text_too_long": "a text over the limit of its field",
    "lone_surrogate": "a text with half of a surrogate pair: not valid Unicode",
    "nul_character": "a text with a NUL character",
    "count_mismatch": "number_of_criteria differs from the criteria present",
    "total_weight_mismatch": "total_weight differs from the sum of the positive weights",
    "id_mismatch": "a prompt_id that contradicts the prompt it stands beside",
    "bad_check": "a check that does not exist, or parameters it does not accept",
    "bad_verdict": "a verdict whose status, probability and cause contradict one another",
    "bad_json": "text that is not JSON",
    "bad_csv": "text that is not CSV",
    "bad_encoding": "bytes that are not UTF-8",
    "ragged_row": "a CSV row with more or fewer fields than its header",
    "duplicate_id": "one response id on two rows",
    "duplicate_prompt": "one prompt with two rubrics",
}


def valid_text(
    value: Any,
    field: str,
    *,
    limit: int = MAX_TEXT_CHARS,
    allow_empty: bool = False,
    empty_fault: str = "empty_text",
) -> str:
    """Return ``value`` if it is text that can be stored, hashed and sent, else SchemaError."""
    if not isinstance(value, str):
        raise SchemaError("wrong_type", f"expected text, got {type(value).__name__}", field=field)
    if not allow_empty and not value.strip():
        raise SchemaError(empty_fault, FAULTS[empty_fault], field=field)
    if len(value) > limit:
        raise SchemaError(
            "text_too_long", f"{len(value):,} characters, the limit is {limit:,}", field=field
        )
    if "\x00" in value:
        raise SchemaError("nul_character", FAULTS["nul_character"], field=field)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise SchemaError("lone_surrogate", FAULTS["lone_surrogate"], field=field) from None
    return value


def valid_weight(value: Any, field: str) -> int | float:
    """Return the weight, whole floats as int; raise SchemaError for what cannot weigh anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SchemaError(
            "weight_not_a_number", f"expected a number, got {value!r:.60}", field=field
        )
    # In this order: an int may be too large to be made a float.
    if abs(value) > MAX_ABS_WEIGHT or not math.isfinite(value):
        raise SchemaError("weight_not_finite", FAULTS["weight_not_finite"], field=field)
    if value == 0:
        raise SchemaError("weight_zero", FAULTS["weight_zero"], field=field)
    return int(value) if float(value).is_integer() else float(value)


def weight_sum(weights: Iterable[int | float]) -> int | float:
    """Return the sum, added from the left as `rubricbench.scoring` adds the credits.

    So a response that meets everything scores exactly 1, and in every Python: from 3.12 on, the
    built-in ``sum`` adds floats in another way.
    """
    return functools.reduce(operator.add, weights, 0)


def valid_label(value: Any, field: str, *, limit: int = MAX_LABEL_CHARS) -> str:
    """Return a text that may be empty: an id, a name, a note on where something comes from."""
    return valid_text(value, field, limit=limit, allow_empty=True)


def valid_tuple(value: Any, kind: type, field: str) -> None:
    """Raise SchemaError unless the value is a tuple of ``kind``."""
    valid_type(value, tuple, field)
    for i, item in enumerate(value):
        valid_type(item, kind, f"{field}[{i}]")


def valid_type(value: Any, kind: type | UnionType, field: str) -> None:
    """Raise SchemaError unless the value is of ``kind``."""
    if not isinstance(value, kind):
        raise SchemaError(
            "wrong_type",
            f"expected {getattr(kind, '__name__', kind)}, got {type(value).__name__}",
            field=field,
        )


def valid_object(value: Any, field: str) -> None:
    """Raise SchemaError unless the value is a dict that has a canonical JSON form."""
    valid_type(value, dict, field)
    try:
        canonical_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError("bad_json", f"it has no JSON form: {error}", field=field) from None
