"""Whether an answer could have come out under an enforced JSON schema, and whether it is one.

The validator is imported where it is needed: most servers enforce nothing, and start sooner.
"""

from __future__ import annotations

import json
from typing import Any

from simserver.faults import Exchange, Says

_CLOSE = "</think>"


def violates(fault: Says, exchange: Exchange, schema: dict[str, Any]) -> bool:
    """Whether a model whose tokens are held to a schema could not say this.

    It can still be cut off, filtered, or refuse in the field for that; and think before.
    """
    content = fault.make(exchange)
    if fault.finish != "stop" or content is None or not isinstance(content, str):
        return False
    return not _fits(content.rpartition(_CLOSE)[2], schema)


def fault_of(schema: dict[str, Any]) -> str:
    """Return what is wrong with a schema; nothing if it is one."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as wrong:
        return str(wrong)
    return ""


def _fits(text: str, schema: dict[str, Any]) -> bool:
    from jsonschema import Draft202012Validator

    try:
        value = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        return False
    return Draft202012Validator(schema).is_valid(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)
