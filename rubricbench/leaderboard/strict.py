"""Strict structs: the same checks for what is read and what is built, each fault with a name."""

from __future__ import annotations

import math
import re
import unicodedata

import msgspec

from rubricbench.errors import SchemaError

FAULTS: dict[str, str] = {
    "bad_json": "not JSON, NaN, or a key that stands twice",
    "bad_encoding": "bytes that are not UTF-8",
    "text_too_long": "a text, or the row, over its limit",
    "too_many": "a list or mapping over its limit",
    "missing_key": "a required key is absent",
    "unknown_key": "a key that rows do not have",
    "wrong_type": "a value of another type than the field's",
    "unknown_value": "a value outside a closed list",
    "out_of_range": "a number outside the range of its field",
    "empty_text": "a required text is empty",
    "bad_text": "control or invisible characters, NUL, or half of a surrogate pair",
    "bad_hash": "a hash that is not 8 to 64 lower-case hex digits",
    "bad_created": "a time that is not UTC as YYYY-MM-DDTHH:MM:SSZ",
    "bad_currency": "a currency that is not three capital letters (ISO 4217)",
    "no_metrics": "a row without metrics",
    "unknown_metric": "a metric name that is neither listed nor begins with x_",
    "metric_not_finite": "a metric that is NaN or infinite",
    "half_interval": "an interval with one end",
    "interval_reversed": "an interval whose low end is above its high end",
    "value_outside_interval": "an estimate outside its own interval",
    "interval_without_method": "an interval that does not say how it was made",
    "value_without_units": "an estimate from no independent units",
    "missing_seeds": "a row without seeds",
    "duplicate_seed": "one seed twice",
    "label_budget_of_model": "a label budget for what was not trained on labels by us",
}

# `$` alone would let a line break follow; this form is also valid in JSON schema.
HASH = r"^[0-9a-f]{8,64}$(?!\n)"
CREATED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$(?!\n)"
CURRENCY = r"^[A-Z]{3}$(?!\n)"


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A struct that checks itself also when it is built in Python."""

    def __post_init__(self) -> None:
        # msgspec checks the constraints of the annotations when it reads, not when we construct.
        for field in msgspec.structs.fields(type(self)):
            try:
                value = msgspec.convert(getattr(self, field.name), field.type)
            except msgspec.ValidationError as error:
                raise fault(error, field.name) from None
            if isinstance(value, str):
                _check_text(value, field.name)
            elif isinstance(value, float) and not math.isfinite(value):
                raise SchemaError("out_of_range", "not a finite number", field=field.name)
            msgspec.structs.force_setattr(self, field.name, value)


# Control and format characters, halves of surrogate pairs, line and paragraph separators: they
# reorder what stands around them, break lines, or are not seen at all.
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # needed inside words of some scripts, and in emoji


def _check_text(text: str, field: str) -> None:
    """Refuse what could break a page or a log, or pass one name off as another."""
    if text and not text.translate(dict.fromkeys(map(ord, _JOINERS))).strip():
        raise SchemaError("empty_text", "nothing but white space", field=field)
    allowed = _JOINERS + "\n\t" if field == "notes" else _JOINERS
    for character in text:
        if unicodedata.category(character) in _HIDDEN and character not in allowed:
            raise SchemaError("bad_text", f"character U+{ord(character):04X}", field=field)


# What msgspec says -> the fault it is. The first that matches counts.
_MESSAGES: tuple[tuple[str, str], ...] = (
    (r"missing required field `seeds`", "missing_seeds"),
    (r"missing required field", "missing_key"),
    (r"unknown field", "unknown_key"),
    (r"`str` of length >=", "empty_text"),
    (r"`str` of length <=", "text_too_long"),
    (r"`array` of length >=", "missing_seeds"),
    (r"`object` of length >=", "no_metrics"),
    (r"of length <=", "too_many"),
    (re.escape(repr(HASH)), "bad_hash"),
    (re.escape(repr(CREATED)), "bad_created"),
    (re.escape(repr(CURRENCY)), "bad_currency"),
    (r"`(int|float)[^`]*` [<>]=? ", "out_of_range"),
    (r"Invalid enum value", "unknown_value"),
)


def fault(error: msgspec.ValidationError, parent: str = "") -> SchemaError:
    """Return what msgspec found, by its name in `FAULTS`, with the path of the field."""
    found = re.fullmatch(r"(.*?)(?: - at `\$(.*)`)?", str(error), re.DOTALL)
    assert found is not None  # the pattern matches any text
    what, path = found[1], found[2] or ""
    code = next((code for form, code in _MESSAGES if re.search(form, what)), "wrong_type")
    absent = re.search(r"field `(.*)`", what, re.DOTALL)
    steps = [parent + path, shown(absent[1]) if absent else ""]
    field = ".".join(step.strip(".") for step in steps if step)
    text = FAULTS[code] if "matching regex" in what else shown(what, 200)
    return SchemaError(code, text, field=field or None)


def shown(text: str, limit: int = 60) -> str:
    """Return a stranger's text as it may stand in a message: short, nothing in it but print."""
    printable = text if text.isprintable() else repr(text)[1:-1]
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"
