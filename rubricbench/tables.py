"""The columns of every table: Arrow schemas, and the `datasets.Features` that mirror them.

Arrow is enough to read and write a table, and imports in a tenth of the time of `datasets`, which
is loaded only by `features`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rubricbench.errors import InputError

if TYPE_CHECKING:
    import datasets

_STRINGS = pa.list_(pa.string())
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_CHECK = pa.struct([("name", pa.string()), ("params", pa.string())])  # params: canonical JSON
_ORIGIN = pa.struct(
    [
        ("method", pa.string()),
        ("round", pa.int64()),
        ("pair", _STRINGS),
        ("generators", _STRINGS),
    ]
)
_CRITERION = pa.struct(
    [
        ("id", pa.string()),
        ("criterion", pa.string()),
        ("weight", pa.int64()),
        ("check", _CHECK),
        ("tags", _STRINGS),
        ("origin", _ORIGIN),
    ]
)
_PROVENANCE = [
    ("domain", pa.string()),
    ("source", pa.string()),
    ("license", pa.string()),
    ("split", pa.string()),
    ("canary", pa.string()),
]
_VERDICT = [
    ("criterion_id", pa.string()),
    ("status", pa.string()),
    ("p_met", pa.float64()),
    ("cause", pa.string()),
    ("evidence", pa.string()),
]
_ANNOTATION = [
    ("annotators", pa.int64()),  # how many people gave the reference
    ("agreement", pa.float64()),  # share of them who agree with it
]
_RESPONSE = [
    ("prompt_id", pa.string()),
    ("response_id", pa.string()),
    ("generator", pa.string()),
    ("sampling", pa.string()),  # canonical JSON
    ("text", pa.string()),
    ("finish_reason", pa.string()),
    ("usage", pa.string()),  # canonical JSON
]

SCHEMAS: dict[str, pa.Schema] = {
    "prompts": pa.schema([("prompt_id", pa.string()), ("messages", _MESSAGES), *_PROVENANCE]),
    "responses": pa.schema(_RESPONSE),
    "rubrics": pa.schema(
        [
            ("prompt_id", pa.string()),
            ("prompt", pa.string()),
            ("messages", _MESSAGES),
            ("rubrics", pa.list_(_CRITERION)),
            ("number_of_criteria", pa.int64()),
            ("total_weight", pa.int64()),
            ("version", pa.string()),
            ("method", pa.string()),
            *_PROVENANCE,
        ]
    ),
    "verdicts": pa.schema(
        [
            ("prompt_id", pa.string()),
            ("response_id", pa.string()),
            ("generator", pa.string()),
            *_VERDICT,
            ("captured", pa.float64()),
            ("judge", pa.string()),
            ("replicate", pa.int64()),
        ]
    ),
    "votes": pa.schema(
        [
            ("prompt_id", pa.string()),
            ("response_id", pa.string()),
            ("generator", pa.string()),
            ("criterion_id", pa.string()),
            ("status", pa.string()),
            ("p_met", pa.float64()),
            ("cause", pa.string()),
            ("met", pa.int64()),
            ("unmet", pa.int64()),
            ("unknown", pa.int64()),
            ("spread", pa.float64()),
        ]
    ),
    "scores": pa.schema(
        [
            ("prompt_id", pa.string()),
            ("response_id", pa.string()),
            ("generator", pa.string()),
            ("rubric_id", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("raw", pa.float64()),
            ("coverage", pa.float64()),
            ("all_met", pa.bool_()),
            ("strategy", pa.string()),
            ("judge", pa.string()),
            ("replicate", pa.int64()),  # null for what several judges come to
            ("spread", pa.float64()),  # standard deviation of those judges' values
        ]
    ),
    "calibration": pa.schema(
        [
            *_RESPONSE,
            ("prompt", pa.string()),
            ("messages", _MESSAGES),
            ("rubrics", pa.list_(_CRITERION)),
            ("tier", pa.string()),
            ("attack", pa.string()),
            ("verdicts", pa.list_(pa.struct([*_VERDICT, *_ANNOTATION]))),
        ]
    ),
    "reference_responses": pa.schema(_RESPONSE),
    "pool": pa.schema([*_RESPONSE, ("gold", pa.float64())]),
}


def schema(table: str) -> pa.Schema:
    """Return the Arrow schema of a table.

    Raises:
        InputError: there is no such table.
    """
    if table not in SCHEMAS:
        raise InputError(f"unknown table {table!r}", hint="choose from " + ", ".join(SCHEMAS))
    return SCHEMAS[table]


def features(table: str) -> datasets.Features:
    """Return the `datasets.Features` of a table."""
    import datasets

    return datasets.Features.from_arrow_schema(schema(table))


def to_arrow(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Build an Arrow table of exactly the table's columns.

    Raises:
        InputError: a value does not fit its column.
    """
    try:
        return pa.Table.from_pylist(rows, schema=schema(table))
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        raise InputError(f"rows do not fit the {table} table: {error}") from None
