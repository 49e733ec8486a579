"""JSON out of what a model wrote around it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import jsonschema

from rubricbench.canonical import canonical_json
from rubricbench.errors import SchemaError
from rubricbench.rows import parse_json

MOST_STARTS = 50  # opening braces tried: prose may hold some before the answer
_decoder = json.JSONDecoder()


def read_json(text: str, schema: dict[str, Any]) -> Any:
    """Return the first JSON value in a text that keeps to a schema.

    Raises:
        SchemaError: ``bad_json``: there is none; what is wrong with the nearest is said.
    """
    start, fault = -1, "it holds no JSON object"
    for _ in range(MOST_STARTS):
        start = text.find("{", start + 1)
        if start < 0:
            break
        try:
            _, end = _decoder.raw_decode(text, start)
            value = parse_json(text[start:end], "answer")
        except (ValueError, RecursionError, SchemaError):
            fault = "the JSON in it is not well-formed"
            continue
        error = jsonschema.exceptions.best_match(
            _validator(canonical_json(schema)).iter_errors(value)
        )
        if error is None:
            return value
        place = "".join(f"[{step!r}]" for step in error.absolute_path)
        fault = f"{place or 'the object'}: {error.message:.120}"
    raise SchemaError("bad_json", fault)


@lru_cache(maxsize=64)
def _validator(schema: bytes) -> Any:
    return jsonschema.Draft202012Validator(json.loads(schema))
