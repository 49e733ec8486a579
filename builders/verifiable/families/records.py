"""Makers about structured answers: tables, JSON records, cards, code."""

from __future__ import annotations

from typing import Any

from rubricbench.builders.verifiable.constraint import Constraint, made
from rubricbench.builders.verifiable.families.registry import maker
from rubricbench.builders.verifiable.phrasing import phrase, quoted
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.draws import Draws


def _rows(scene: Scene, draws: Draws) -> tuple[int, int, str]:
    rows = scene.size.rows
    if draws.chance(60):
        return rows, rows, f"exactly {rows}"
    return rows, rows + 2, f"{rows} to {rows + 2}"


@maker("table_shape")
def table_shape(scene: Scene, draws: Draws) -> Constraint | None:
    """A Markdown table with the row's headers."""
    headers = scene.people["headers"].split("|")
    low, high, words = _rows(scene, draws)
    text = phrase(
        draws, "table_shape", "default", quoted=quoted(headers), rows=f"{words} rows",
        rows_number=words,
    )  # fmt: skip
    return made("table_shape", text, "form", "table", headers=headers, min_rows=low, max_rows=high)


@maker("csv_shape")
def csv_shape(scene: Scene, draws: Draws) -> Constraint | None:
    """Comma-separated values with the row's headers."""
    headers = scene.people["headers"].split("|")
    low, high, words = _rows(scene, draws)
    text = phrase(draws, "csv_shape", "default", quoted=quoted(headers), rows=f"{words} rows")
    return made("csv_shape", text, "form", "table", headers=headers, min_rows=low, max_rows=high)


@maker("key_value_lines")
def key_value_lines(scene: Scene, draws: Draws) -> Constraint | None:
    """A line for each key."""
    keys = scene.people["keys"].split("|")
    text = phrase(draws, "key_value_lines", "default", quoted=quoted(keys))
    return made("key_value_lines", text, "form", "keys", keys=keys)


@maker("code_block")
def code_block(scene: Scene, draws: Draws) -> Constraint | None:
    """A fenced block in one of the skeleton's languages; JSON in a fence."""
    if scene.skeleton.layout == "json":
        text = phrase(draws, "code_block", "json")
        return made("code_block", text, "form", "fence", language="json", maximum=1)
    language = scene.people["code"]
    text = phrase(draws, "code_block", "default", language=language)
    return made("code_block", text, "form", "fence", language=language)


@maker("json_format")
def json_format(scene: Scene, draws: Draws) -> Constraint | None:
    """Nothing but JSON."""
    return made("json_format", phrase(draws, "json_format", "default"), "form", "json")


@maker("json_schema")
def json_schema(scene: Scene, draws: Draws) -> Constraint | None:
    """One object with the row's keys."""
    keys = scene.people["record"].split("|")
    properties: dict[str, Any] = {}
    words = []
    for key in keys:
        properties[key], in_words = _property(key, scene, draws)
        words.append(f"{key}: {in_words}")
    schema = {
        "type": "object",
        "properties": properties,
        "required": keys,
        "additionalProperties": False,
    }
    text = phrase(draws, "json_schema", "default", schema="; ".join(words))
    return made("json_schema", text, "form", "schema", schema=schema)


_NAMES = ("title", "name", "subject", "heading", "event", "label")
_TEXTS = ("summary", "description", "abstract", "teaser", "explanation", "question", "prompt")
_LISTS = ("tags", "keywords", "terms", "labels", "topics", "programme", "options", "choices")
_LEVELS = {"level": "level", "difficulty": "level", "audience": "audience"}
_WHOLE = {"minutes": (5, 90), "seats": (10, 120), "capacity": (10, 200), "points": (1, 10)}
_AMOUNTS = {**_WHOLE, "rating": (1, 5), "price": (0, 60), "sessions": (2, 12)}
_PLACES = ("place", "city", "venue")


def _property(key: str, scene: Scene, draws: Draws) -> tuple[dict[str, Any], str]:
    """Return the schema of one key and its words."""
    if key in _LISTS:
        low = draws.between(2, 4)
        high = low + draws.between(0, 2)
        count = str(low) if low == high else f"{low} to {high}"
        items = {"type": "string", "minLength": 3}
        return (
            {"type": "array", "items": items, "minItems": low, "maxItems": high,
             "uniqueItems": True},
            f"a list of {count} different texts",
        )  # fmt: skip
    if key in _LEVELS:
        options = _options(_LEVELS[key], scene, draws)
        return {"enum": options}, f"one of {quoted(options, 'or')}"
    if key in _AMOUNTS:
        low, high = _AMOUNTS[key]
        return (
            {"type": "integer", "minimum": low, "maximum": high},
            f"a whole number from {low} to {high}",
        )
    if key in _PLACES:
        place = scene.people["place"]
        return {"const": place}, f'"{place}"'
    if key in (*_NAMES, *_TEXTS, "hint"):
        low, high = (5, 60) if key in _NAMES else (20, draws.pick([160, 200, 240]))
        return (
            {"type": "string", "minLength": low, "maxLength": high},
            f"a text of {low} to {high} characters",
        )
    return {"type": "boolean"}, "true or false"


def _options(pool: str, scene: Scene, draws: Draws) -> list[str]:
    if pool == "level":
        return list(scene.pool("level"))
    return sorted({scene.people["audience"], *draws.sample(scene.pool("audience"), 2)})
