"""Which JSON Schemas a check accepts, and the validator that never hangs on any text.

Accepted is a closed part of draft 2020-12: the keywords of `KEYWORDS`, the formats of
`schema_formats.FORMATS`, references to the schema's own definitions (``#/$defs/name``). Everything
else is refused when the check is made, never ignored: a misspelt ``requierd`` would otherwise let
every response pass. Nothing is fetched.

Time stays linear in the text: patterns are RE2's, ``uniqueItems`` compares digests, and a schema
with its references written out must be small and finite (no recursion, no "billion laughs").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rubricbench.checks.patterns import PatternError, compiled
from rubricbench.checks.schema_formats import FORMATS

MAX_SCHEMA_CHARS = 20_000
MAX_SCHEMA_DEPTH = 40  # subschemas inside one another, references written out
MAX_SUBSCHEMAS = 2_000  # in all, references written out
DRAFT = "https://json-schema.org/draft/2020-12/schema"

_ONE = ("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames")
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "dependentSchemas")
_DEFINITIONS = ("$defs", "definitions")
_PLAIN = (
    "$comment $ref $schema const default dependentRequired description enum examples "
    "exclusiveMaximum exclusiveMinimum format maxContains maxItems maxLength maxProperties maximum "
    "minContains minItems minLength minProperties minimum multipleOf pattern required title type "
    "uniqueItems"
)
KEYWORDS = frozenset({*_ONE, *_MANY, *_NAMED, *_DEFINITIONS, *_PLAIN.split()})
_REFERENCE = re.compile(r"#/(\$defs|definitions)/([A-Za-z0-9_.-]{1,100})")


class UnsupportedSchemaError(ValueError):
    """A schema that the check does not accept; the message says why and where."""


@lru_cache(maxsize=256)
def validator(schema_json: str) -> Any:
    """Return a jsonschema validator for a schema given as JSON text.

    Raises:
        UnsupportedSchemaError: the schema is not valid, or uses what is not accepted.
    """
    from jsonschema import FormatChecker
    from jsonschema.exceptions import SchemaError

    if len(schema_json) > MAX_SCHEMA_CHARS:
        raise UnsupportedSchemaError(f"a schema of {len(schema_json):,} characters")
    schema = json.loads(schema_json)
    _Measure(schema).root()
    try:
        _validator_class().check_schema(schema, format_checker=FormatChecker(formats=()))
    except SchemaError as error:
        raise UnsupportedSchemaError(f"{error.json_path}: {error.message}"[:200]) from None
    return _validator_class()(schema, format_checker=_format_checker())


class _Measure:
    """Walks a schema with its references written out; refuses what is too large or not accepted."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._sizes: dict[str, tuple[int, int]] = {}  # by reference: subschemas, depth
        self._entered: set[str] = set()

    def root(self) -> None:
        """Measure the whole schema and every definition.

        Raises:
            UnsupportedSchemaError: see `validator`.
        """
        for name in _DEFINITIONS:
            for key in _mapping(self._schema.get(name, {}), f"#/{name}"):
                self._reference(f"#/{name}/{key}", f"#/{name}")
        self._measure(self._schema, "#")

    def _measure(self, schema: Any, place: str, level: int = 0) -> tuple[int, int]:
        """Return how many subschemas there are, and how many levels."""
        if isinstance(schema, bool):
            return 1, 1
        if level > MAX_SCHEMA_DEPTH:
            raise UnsupportedSchemaError(
                f"{place[:60]}…: nested more than {MAX_SCHEMA_DEPTH} levels deep"
            )
        _check_keywords(_mapping(schema, place), place)
        inner = [self._measure(part, where, level + 1) for part, where in _parts(schema, place)]
        if "$ref" in schema:
            inner.append(self._reference(schema["$ref"], place))
        size = 1 + sum(one for one, _ in inner)
        depth = 1 + max((levels for _, levels in inner), default=0)
        if size > MAX_SUBSCHEMAS or depth > MAX_SCHEMA_DEPTH:
            raise UnsupportedSchemaError(
                f"{place}: with its references written out, the schema is too large"
            )
        return size, depth

    def _reference(self, reference: Any, place: str) -> tuple[int, int]:
        match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        if not match:
            raise UnsupportedSchemaError(f"{place}: a reference must have the form #/$defs/name")
        if reference in self._entered:
            raise UnsupportedSchemaError(f"{place}: {reference} refers back to itself")
        if reference not in self._sizes:
            definitions = _mapping(self._schema.get(match[1], {}), f"#/{match[1]}")
            if match[2] not in definitions:
                raise UnsupportedSchemaError(f"{place}: there is no {reference}")
            self._entered.add(reference)
            self._sizes[reference] = self._measure(definitions[match[2]], reference)
            self._entered.discard(reference)
        return self._sizes[reference]


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnsupportedSchemaError(f"{place}: expected an object or a boolean")
    return value


def _parts(schema: Mapping[str, Any], place: str) -> Iterator[tuple[Any, str]]:
    """Yield the subschemas, definitions aside, each with its place."""
    for key in _ONE:
        if key in schema:
            yield schema[key], f"{place}/{key}"
    for key in _MANY:
        parts = schema.get(key, [])
        if not isinstance(parts, list):
            raise UnsupportedSchemaError(f"{place}/{key}: expected an array")
        yield from ((part, f"{place}/{key}/{i}") for i, part in enumerate(parts))
    for key in _NAMED:
        named = _mapping(schema.get(key, {}), f"{place}/{key}")
        yield from ((part, f"{place}/{key}/{name}") for name, part in named.items())


def _check_keywords(schema: Mapping[str, Any], place: str) -> None:
    for key, value in schema.items():
        if key not in KEYWORDS:
            raise UnsupportedSchemaError(f"{place}: the keyword {key!r:.40} is not supported")
        if key in (*_DEFINITIONS, "$schema") and place != "#":
            raise UnsupportedSchemaError(f"{place}: {key} stands at the top of a schema only")
        if key == "$schema" and value != DRAFT:
            raise UnsupportedSchemaError(f"{place}: $schema must be {DRAFT}")
        if key == "format" and not (isinstance(value, str) and value in FORMATS):
            raise UnsupportedSchemaError(f"{place}: format must be one of {', '.join(FORMATS)}")
        if key == "pattern" and isinstance(value, str):
            _compile(value, place)


def _compile(pattern: str, place: str) -> None:
    try:
        compiled(pattern)
    except PatternError as error:
        raise UnsupportedSchemaError(f"{place}: {error}") from None


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, validators

    # jsonschema's own search with `re`, compare items pairwise, divide floats or walk a set.
    ours = {
        "pattern": _pattern,
        "uniqueItems": _unique_items,
        "multipleOf": _multiple_of,
        "additionalProperties": _additional_properties,
    }
    return validators.extend(Draft202012Validator, ours)


@lru_cache(maxsize=1)
def _format_checker() -> Any:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for name, has_format in FORMATS.items():
        checker.checks(name, raises=ValueError)(
            lambda value, test=has_format: not isinstance(value, str) or test(value)
        )
    return checker


def _fault(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    if isinstance(value, str) and not compiled(pattern).search(value):
        yield _fault(f"does not match {pattern}")


def _unique_items(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[Any]:
    if wanted and isinstance(value, list) and len(set(map(_digest, value))) < len(value):
        yield _fault("has an item twice")


def _digest(value: Any) -> str:
    return json.dumps(_equal_form(value), sort_keys=True)


def _equal_form(value: Any) -> Any:
    """Return the value with 1.0 as 1: equal numbers are the same JSON value."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_equal_form(item) for item in value]
    if isinstance(value, dict):
        return {key: _equal_form(item) for key, item in value.items()}
    return value


def _multiple_of(_: Any, unit: float, value: Any, __: Any) -> Iterator[Any]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # By decimal digits: 0.3 is a multiple of 0.1, though its binary form is not.
    if is_number and (Fraction(repr(value)) / Fraction(repr(unit))).denominator != 1:
        yield _fault(f"{value!r} is not a multiple of {unit!r}")


def _additional_properties(
    checker: Any, allowed: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    extras = [key for key in value if key not in known]
    if allowed is False and extras:
        yield _fault(f"has properties that are not allowed: {', '.join(extras)}")
    elif isinstance(allowed, dict):
        for key in extras:
            yield from checker.descend(value[key], allowed, path=key)
