"""HealthBench rows to `Rubric` and back (openai/healthbench: points, tags, penalties).

A row is ``{prompt: [{role, content}, …], prompt_id, rubrics: [{criterion, points, tags}], …}``;
what else it carries (``example_tags``, ``canary``, ideal completions) is kept in `Rubric.extra`,
so that `rubric_to_healthbench` writes the row back unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rubricbench.errors import SchemaError
from rubricbench.rows import known_keys, mapping, messages_from, optional, required, typed
from rubricbench.schema import Criterion, Prompt, Rubric

_OWN = frozenset({"prompt", "prompt_id", "rubrics"})
_CRITERION_KEYS = frozenset({"criterion", "points", "tags"})


def rubric_from_healthbench(
    row: Mapping[str, Any], *, file: str | None = None, line: int | None = None
) -> Rubric:
    """Read one HealthBench row.

    Raises:
        SchemaError: with the name of the fault and the path of the field.
    """
    try:
        prompt = Prompt(
            messages=messages_from(typed(row, "prompt", list | tuple), "prompt"),
            id=optional(row, "prompt_id", str) or "",
            domain="health",
            source="healthbench",
        )
        items = typed(row, "rubrics", list | tuple)
        return Rubric(
            prompt=prompt,
            criteria=tuple(_criterion(item, f"rubrics[{i}]") for i, item in enumerate(items)),
            method="healthbench",
            extra={key: value for key, value in row.items() if key not in _OWN},
        )
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _criterion(item: Any, place: str) -> Criterion:
    mapping(item, place)
    try:
        known_keys(item, _CRITERION_KEYS)
        return Criterion(
            criterion=typed(item, "criterion", str),
            weight=required(item, "points"),
            tags=tuple(optional(item, "tags", list | tuple) or ()),
        )
    except SchemaError as error:
        raise error.within(place) from None


def rubric_to_healthbench(rubric: Rubric) -> dict[str, Any]:
    """Return the HealthBench row of a rubric."""
    return {
        "prompt": [{"role": m.role, "content": m.content} for m in rubric.prompt.messages],
        "prompt_id": rubric.prompt.id,
        "rubrics": [
            {"criterion": c.criterion, "points": c.weight, "tags": list(c.tags)}
            for c in rubric.criteria
        ],
        **rubric.extra,
    }
