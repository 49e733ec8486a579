"""Families about structured output: JSON under a schema, comma-separated values."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from rubricbench.checks.bounds import amount, bad_bounds, within
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.schema_rules import UnsupportedSchemaError, validator
from rubricbench.checks.text import clip, fences, searchable
from rubricbench.checks.wording import quote, quoted_series

MAX_JSON_DEPTH = 60
MAX_INTEGER_DIGITS = 300

_PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}


class _NotFoundError(ValueError):
    """The text does not hold what is looked for; the message says why."""


def _bad_schema(params: Params) -> str | None:
    try:
        validator(_canonical(params["schema"]))
    except UnsupportedSchemaError as error:
        return f"schema not accepted: {error}"[:300]
    return None


def _canonical(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, sort_keys=True, allow_nan=False)


@family(
    "json_schema",
    describe=lambda p: (
        "The response gives JSON, by itself or in one fenced code block, that is valid under this "
        f"JSON Schema: {quote(json.dumps(p['schema'], ensure_ascii=False))}."
    ),
    params={"schema": Param("object", "a JSON Schema, draft 2020-12 (see the notes)", maximum=100)},
    validate=_bad_schema,
    passes=[
        ({"schema": _PERSON}, '{"name": "Ada", "age": 36}'),
        ({"schema": _PERSON}, 'Here you are:\n```json\n{"name": "Ada"}\n```\nEnjoy.'),
        ({"schema": {"type": "array", "items": {"type": "number", "multipleOf": 0.1}}}, "[0.3]"),
        ({"schema": {"type": "string", "pattern": "^[A-Z]{2}$"}}, '"AB"'),
    ],
    fails=[
        ({"schema": _PERSON}, '{"age": 36}'),
        ({"schema": _PERSON}, '{"name": "Ada", "age": "36"}'),
        ({"schema": _PERSON}, '{"name": "Ada", "name": "Bob"}'),
        ({"schema": _PERSON}, 'Sure! {"name": "Ada"}'),
        ({"schema": {"type": "string", "format": "date"}}, '"2024-02-30"'),
    ],
)
def json_schema(text: str, params: Params) -> Outcome:
    """The JSON in the response is valid under the schema.

    The JSON is the whole response or, where there are fenced code blocks, the only one (or the only
    one marked ``json``); prose may stand around a block. It must be strict: no key twice, no NaN,
    no comments, at most 60 levels deep. The schema is of draft 2020-12 without
    ``patternProperties``, ``unevaluated…``, anchors, remote or recursive references; ``pattern`` is
    in RE2 syntax; ``format`` is checked and one of date, time, date-time, email, uri, uuid, ipv4,
    ipv6. Anything else in a schema is refused.
    """
    try:
        value = _read_json(fenced_or_whole(text, "json"))
    except _NotFoundError as error:
        return Outcome(False, str(error)[:120])
    fault = next(validator(_canonical(params["schema"])).iter_errors(value), None)
    if fault is None:
        return Outcome(True, "valid")
    return Outcome(False, f"{clip(fault.json_path)}: {clip(fault.message, 100)}")


def fenced_or_whole(text: str, language: str) -> str:
    """Return the only fenced code block (or only one of this language), else the whole text.

    Raises:
        _NotFoundError: there are several blocks, or one is not closed.
    """
    blocks = fences(text)
    if len(blocks) > 1:
        blocks = tuple(block for block in blocks if block.language == language)
    if not blocks and not fences(text):
        return text.strip()
    if len(blocks) != 1 or not blocks[0].closed:
        raise _NotFoundError(f"not exactly one closed code block for {language}")
    return blocks[0].body.strip()


def _read_json(text: str) -> Any:
    try:
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_finite,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _NotFoundError("nested too deeply") from None
    except _NotFoundError:
        raise
    except ValueError as error:
        raise _NotFoundError(f"not JSON: {error}") from None
    if _deeper_than(value, MAX_JSON_DEPTH):
        raise _NotFoundError("nested too deeply")
    if "\\u" in text:
        _reject_half_pairs(value)
    return value


def _reject_half_pairs(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise _NotFoundError("half of a surrogate pair in a string") from None


def _no_constant(name: str) -> NoReturn:
    raise _NotFoundError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise _NotFoundError(f"a number of {len(digits):,} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _NotFoundError(f"number out of range: {digits:.40}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise _NotFoundError(f"the key {twice!r:.60} twice")
    return found


def _deeper_than(value: Any, limit: int) -> bool:
    """Tell whether a value is nested more than ``limit`` levels deep, without recursion."""
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(outer, dict | list) for outer in level)


def _bad_csv(params: Params) -> str | None:
    headers, columns = params["headers"], params["columns"]
    if headers is not None and columns is not None and len(headers) != columns:
        return f"{len(headers)} headers for {columns} columns"
    rows = {"minimum": params["min_rows"] or None, "maximum": params["max_rows"]}
    return bad_bounds(rows)


@family(
    "csv_shape",
    describe=lambda p: f"The response gives {_csv_shape(p)}.",
    params={
        "columns": Param("int", "number of columns", None, minimum=1, maximum=1000),
        "min_rows": Param("int", "fewest rows, the header aside", None, minimum=0, maximum=100_000),
        "max_rows": Param("int", "most rows, the header aside", None, minimum=0, maximum=100_000),
        "headers": Param("list[str]", "column headers, in order", None, minimum=1, maximum=1000),
    },
    validate=_bad_csv,
    passes=[
        ({"headers": ["name", "age"]}, 'Here:\n```csv\nName,Age\n"Lee, Ada",36\n```'),
        ({"columns": 2, "min_rows": 1, "max_rows": 1}, "a,b\n1,2\n"),
    ],
    fails=[
        ({"columns": 2}, "a,b\n1,2,3"),
        ({"headers": ["name", "age"]}, "age,name\n36,Ada"),
        ({"columns": 1}, "```\na\n```\n```\nb\n```"),
    ],
)
def csv_shape(text: str, params: Params) -> Outcome:
    """The CSV in the response has one header row and rows of the same number of fields.

    The CSV is the whole response or the only fenced code block (or the only one marked ``csv``).
    Fields are separated by commas and may be quoted with ``"``; blank lines do not count. Headers
    are compared whole, without case.
    """
    try:
        body = fenced_or_whole(text, "csv")
        rows = [row for row in csv.reader(io.StringIO(body), strict=True) if row]
    except (csv.Error, _NotFoundError) as error:
        return Outcome(False, f"no CSV: {error}"[:120])
    if not rows or len({len(row) for row in rows}) != 1:
        return Outcome(False, "rows of different lengths" if rows else "no rows")
    header, count = [searchable(cell) for cell in rows[0]], len(rows) - 1
    limits = {"minimum": params["min_rows"], "maximum": params["max_rows"]}
    wanted = params["headers"]
    has_header = wanted is None or [searchable(name) for name in wanted] == header
    met = has_header and params["columns"] in (None, len(header)) and within(count, limits)
    return Outcome(met, f"columns × rows: {len(header)}×{count}")


def _csv_shape(params: Params) -> str:
    what = "CSV with a header row"
    if params["headers"] is not None:
        what += f" of the columns {quoted_series(params['headers'])}"
    elif params["columns"] is not None:
        columns = {"minimum": params["columns"], "maximum": params["columns"]}
        what += f" of {amount(columns, 'column')}"
    rows = {"minimum": params["min_rows"] or None, "maximum": params["max_rows"]}
    if rows["minimum"] is not None or rows["maximum"] is not None:
        what += f" and {amount(rows, 'row')} below it"
    return f"{what}, by itself or in one fenced code block"
