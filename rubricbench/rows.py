"""Rows of rubric tables to `Rubric` and back: our own form and that of `JunkaiZ/Rubrics`.

The paper's dataset has the columns ``prompt, rubrics: [{criterion, weight}], number_of_criteria,
total_weight``; ours has them too, with the same meaning, and more beside them, so code written for
either reads both. `rubric_from_row` takes both, `rubric_to_row` writes ours, `rubric_to_paper_row`
the paper's. Reading is strict: an unknown key, a wrong type or a sum that does not add up is a
`SchemaError` that names the field; pass ``file`` and ``line`` to have them named as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from rubricbench.canonical import canonical_json, content_id
from rubricbench.errors import SchemaError
from rubricbench.schema import Check, Criterion, Message, Origin, Prompt, Rubric

PROVENANCE = ("domain", "source", "license", "split", "canary")
_ROW_KEYS = frozenset(
    {"prompt_id", "prompt", "messages", "rubrics", "number_of_criteria", "total_weight"}
    | {"version", "method", *PROVENANCE}
)
_CRITERION_KEYS = frozenset({"id", "criterion", "weight", "check", "tags", "origin"})


def rubric_from_row(
    row: Mapping[str, Any], *, file: str | None = None, line: int | None = None
) -> Rubric:
    """Read one row.

    Args:
        row: the columns; absent and None optional columns are the same.
        file: where the row comes from, for error messages.
        line: 1-based row or line number, for error messages.

    Raises:
        SchemaError: with the name of the fault and the path of the field.
    """
    try:
        return _rubric(row)
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _rubric(row: Mapping[str, Any]) -> Rubric:
    mapping(row, "")
    known_keys(row, _ROW_KEYS)
    prompt = _prompt(row)
    items = typed(row, "rubrics", list | tuple)
    criteria = tuple(_criterion(item, f"rubrics[{i}]") for i, item in enumerate(items))
    rubric = Rubric(
        prompt=prompt,
        criteria=criteria,
        version=optional(row, "version", str) or "",
        method=optional(row, "method", str) or "",
    )
    _check_sums(row, rubric)
    return rubric


def _prompt(row: Mapping[str, Any]) -> Prompt:
    provenance = {key: optional(row, key, str) or "" for key in PROVENANCE}
    given_id = optional(row, "prompt_id", str) or ""
    text = optional(row, "prompt", str)
    turns = optional(row, "messages", list | tuple)
    if turns:
        prompt = Prompt(messages=messages_from(turns, "messages"), id=given_id, **provenance)
        if text is not None and text != prompt.text:
            raise SchemaError(
                "id_mismatch", "prompt and messages are not the same text", field="prompt"
            )
    else:
        prompt = Prompt.from_text(typed(row, "prompt", str), id=given_id, **provenance)
    _check_prompt_id(prompt, given_id)
    return prompt


def _check_prompt_id(prompt: Prompt, given_id: str) -> None:
    # Only ids of our own form promise to be a hash of the messages.
    derived = content_id("p", [[m.role, m.content] for m in prompt.messages])
    if given_id.startswith("p_") and len(given_id) == len(derived) and given_id != derived:
        raise SchemaError(
            "id_mismatch",
            f"{given_id} is not the id of this prompt ({derived})",
            field="prompt_id",
            hint="leave prompt_id out to have it computed",
        )


def messages_from(turns: Any, field: str) -> tuple[Message, ...]:
    """Read ``[{role, content}, …]``."""
    messages = []
    for i, turn in enumerate(turns):
        place = f"{field}[{i}]"
        mapping(turn, place)
        try:
            known_keys(turn, frozenset({"role", "content"}))
            messages.append(Message(typed(turn, "role", str), typed(turn, "content", str)))
        except SchemaError as error:
            raise error.within(place) from None
    return tuple(messages)


def _criterion(item: Any, place: str) -> Criterion:
    mapping(item, place)
    try:
        known_keys(item, _CRITERION_KEYS)
        return Criterion(
            criterion=typed(item, "criterion", str),
            weight=required(item, "weight"),
            check=_check(item.get("check")),
            tags=tuple(optional(item, "tags", list | tuple) or ()),
            origin=_origin(item.get("origin")),
            id=optional(item, "id", str) or "",
        )
    except SchemaError as error:
        raise error.within(place) from None


def _check(value: Any) -> Check | None:
    if value is None:
        return None
    mapping(value, "check")
    try:
        known_keys(value, frozenset({"name", "params"}))
        params = value.get("params") or {}
        if isinstance(params, str):
            params = parse_json(params, "params")
        mapping(params, "params")
        return Check(typed(value, "name", str), dict(params))
    except SchemaError as error:
        raise error.within("check") from None


def _origin(value: Any) -> Origin | None:
    if value is None:
        return None
    mapping(value, "origin")
    try:
        known_keys(value, frozenset({"method", "round", "pair", "generators"}))
        return Origin(
            method=typed(value, "method", str),
            round=optional(value, "round", int) or 0,
            pair=tuple(optional(value, "pair", list | tuple) or ()),
            generators=tuple(optional(value, "generators", list | tuple) or ()),
        )
    except SchemaError as error:
        raise error.within("origin") from None


def _check_sums(row: Mapping[str, Any], rubric: Rubric) -> None:
    stated = optional(row, "number_of_criteria", int)
    if stated is not None and stated != rubric.number_of_criteria:
        raise SchemaError(
            "count_mismatch",
            f"it says {stated}, there are {rubric.number_of_criteria}",
            field="number_of_criteria",
        )
    total = optional(row, "total_weight", int | float)
    # What another program added up may differ in the last digits.
    if total is not None and not math.isclose(total, rubric.total_weight, rel_tol=1e-9):
        raise SchemaError(
            "total_weight_mismatch",
            f"it says {total}, the positive weights add up to {rubric.total_weight}",
            field="total_weight",
        )


def rubric_to_row(rubric: Rubric) -> dict[str, Any]:
    """Return the row of our rubrics table (columns: `rubricbench.tables`)."""
    prompt = rubric.prompt
    return {
        "prompt_id": prompt.id,
        "prompt": prompt.text,
        "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
        "rubrics": [_criterion_row(c) for c in rubric.criteria],
        "number_of_criteria": rubric.number_of_criteria,
        "total_weight": rubric.total_weight,
        "version": rubric.version,
        "method": rubric.method,
        **{key: getattr(prompt, key) for key in PROVENANCE},
    }


def rubric_to_paper_row(rubric: Rubric) -> dict[str, Any]:
    """Return the four columns of `JunkaiZ/Rubrics`; what it has no column for is left out."""
    return {
        "prompt": rubric.prompt.text,
        "rubrics": [{"criterion": c.criterion, "weight": c.weight} for c in rubric.criteria],
        "number_of_criteria": rubric.number_of_criteria,
        "total_weight": rubric.total_weight,
    }


def _criterion_row(criterion: Criterion) -> dict[str, Any]:
    check, origin = criterion.check, criterion.origin
    return {
        "id": criterion.id,
        "criterion": criterion.criterion,
        "weight": criterion.weight,
        # One text column: the parameters differ from family to family, a parquet column does not.
        "check": check
        and {"name": check.name, "params": canonical_json(check.params).decode("utf-8")},
        "tags": list(criterion.tags),
        "origin": origin
        and {
            "method": origin.method,
            "round": origin.round,
            "pair": list(origin.pair),
            "generators": list(origin.generators),
        },
    }


def mapping(value: Any, field: str) -> None:
    """Raise SchemaError unless ``value`` is a mapping."""
    if not isinstance(value, Mapping):
        raise SchemaError(
            "wrong_type", f"expected an object, got {type(value).__name__}", field=field
        )


def known_keys(row: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """Raise SchemaError if the row has a key the data model does not have."""
    strangers = sorted(str(key) for key in row if key not in allowed)
    if strangers:
        raise SchemaError(
            "unknown_key",
            f"unknown key {strangers[0]!r:.60}",
            field=strangers[0][:60],
            hint="known keys: " + ", ".join(sorted(allowed)),
        )


def required(row: Mapping[str, Any], key: str) -> Any:
    """Return a value that must be there and not None."""
    if row.get(key) is None:
        raise SchemaError("missing_key", f"{key!r} is required", field=key)
    return row[key]


def typed(row: Mapping[str, Any], key: str, kind: Any) -> Any:
    """Return a required value of the given type."""
    value = required(row, key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SchemaError(
            "wrong_type",
            f"expected {getattr(kind, '__name__', kind)}, got {type(value).__name__}",
            field=key,
        )
    return value


def optional(row: Mapping[str, Any], key: str, kind: Any) -> Any:
    """Return a value of the given type, or None if it is absent or None."""
    return None if row.get(key) is None else typed(row, key, kind)


def parse_json(text: str, field: str) -> Any:
    """Parse JSON, refusing NaN, Infinity and duplicate keys.

    Raises:
        SchemaError: ``bad_json``.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key appears twice")
        return found

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise SchemaError("bad_json", f"not JSON: {error}", field=field) from None
