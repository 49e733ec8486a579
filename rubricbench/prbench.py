"""PRBench rows to `Rubric` (ScaleAI/PRBench: finance and legal, six classes of weights).

A row is one conversation, ``prompt_0, response_0, prompt_1, …`` with ``reference_texts_i`` to be
read before ``prompt_i``, and its ``rubric: [{id, title, annotations: {weight_class,
critically_important_weight, …, criteria_category}}, …]``. Of the six weight fields the one that
``weight_class`` names counts; the others may hold what is left of earlier annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rubricbench.errors import SchemaError
from rubricbench.rows import mapping, optional, required, typed
from rubricbench.schema import Criterion, Message, Prompt, Rubric

TURNS = 10
WEIGHT_CLASSES = tuple(
    f"{degree}{kind}"
    for kind in ("important", "detrimental")
    for degree in ("critically ", "", "slightly ")
)


def is_prbench(row: Mapping[str, Any]) -> bool:
    """Return whether a row has PRBench's columns."""
    return "rubric" in row and "prompt_0" in row


def rubric_from_prbench(
    row: Mapping[str, Any], *, file: str | None = None, line: int | None = None
) -> Rubric:
    """Read one PRBench row.

    Raises:
        SchemaError: with the name of the fault and the path of the field.
    """
    try:
        items = typed(row, "rubric", list | tuple)
        return Rubric(
            prompt=Prompt(
                messages=_messages(row),
                id=optional(row, "task", str) or "",
                domain=(optional(row, "field", str) or "").lower(),
                source="prbench",
            ),
            criteria=tuple(_criterion(item, f"rubric[{i}]") for i, item in enumerate(items)),
            method="prbench",
        )
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _messages(row: Mapping[str, Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for i in range(TURNS):
        asked = optional(row, f"prompt_{i}", str)
        if not (asked or "").strip():
            break
        if i:
            answer = typed(row, f"response_{i - 1}", str)
            messages.append(Message("assistant", answer))
        messages.append(Message("user", _with_references(row, i, str(asked))))
    return tuple(messages)


def _with_references(row: Mapping[str, Any], turn: int, asked: str) -> str:
    texts = optional(row, f"reference_texts_{turn}", list | tuple) or ()
    shown = [f"Reference text {i}:\n{text}" for i, text in enumerate(texts, start=1)]
    return "\n\n".join([*shown, asked])


def _criterion(item: Any, place: str) -> Criterion:
    mapping(item, place)
    try:
        notes = typed(item, "annotations", Mapping)
        weight_class = typed(notes, "weight_class", str)
        if weight_class not in WEIGHT_CLASSES:
            raise SchemaError(
                "wrong_type",
                f"unknown weight class {weight_class!r:.60}",
                field="annotations.weight_class",
                hint="one of: " + ", ".join(WEIGHT_CLASSES),
            )
        category = optional(notes, "criteria_category", str)
        return Criterion(
            criterion=typed(item, "title", str),
            weight=required(notes, weight_class.replace(" ", "_") + "_weight"),
            tags=(
                *((f"category:{category}",) if category else ()),
                f"weight_class:{weight_class}",
            ),
            id=optional(item, "id", str) or "",
        )
    except SchemaError as error:
        raise error.within(place) from None
