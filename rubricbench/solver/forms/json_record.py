"""A JSON value that is valid under a schema, with the topic's words in it."""

from __future__ import annotations

import json
from typing import Any

from rubricbench.solver.forms.grids import cell
from rubricbench.solver.frames import capitalized
from rubricbench.solver.mentions import Mention
from rubricbench.solver.pattern import sample
from rubricbench.solver.pools import pool
from rubricbench.solver.writer import Writer

_TITLES = ("title", "name", "subject", "heading", "event", "topic")
_QUESTIONS = ("question", "prompt")
_FORMATS = {
    "date": "2031-05-17",
    "time": "18:30:00Z",
    "date-time": "2031-05-17T18:30:00Z",
    "email": "info@example.org",
    "uri": "https://example.org/guide",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def json_text(writer: Writer) -> str:
    """Return the record as JSON, in a code fence where one is asked for."""
    wishes = writer.wishes
    value = _Maker(writer).root()
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return f"```json\n{text}\n```" if wishes.code else text


class _Maker:
    """Builds a value from the outside in; each text takes its share of what must be mentioned."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.schema = writer.wishes.schema or {
            "type": "object",
            "properties": {"title": {"type": "string"}, "notes": {"type": "array", "minItems": 3}},
            "required": ["title", "notes"],
        }
        self.phrases = writer.shuffled(pool("cell"))
        self.mentions = writer.take(len(writer.queue))
        self.places = _texts(self.schema, self.schema)
        self.titled = False  # whether the topic has been named

    def root(self) -> Any:
        """Return the value."""
        return self.value(self.schema, "")

    def value(self, schema: Any, name: str) -> Any:
        """Return a value for one subschema."""
        if schema is True or schema == {}:
            return self.text({}, name)
        if "$ref" in schema:
            _, kind, key = schema["$ref"].split("/")
            return self.value(self.schema[kind][key], name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for branch in ("oneOf", "anyOf"):
            if branch in schema:
                return self.value({**schema, **schema[branch][0], branch: None}, name)
        if schema.get("allOf"):
            merged = dict(schema)
            for part in merged.pop("allOf"):
                merged |= part
            return self.value(merged, name)
        kind = schema.get("type", _kind(schema))
        return self.typed(kind[0] if isinstance(kind, list) else kind, schema, name)

    def typed(self, kind: str, schema: dict[str, Any], name: str) -> Any:
        """Return a value of one JSON type."""
        if kind == "object":
            return self.object(schema)
        if kind == "array":
            return self.array(schema, name)
        if kind in ("integer", "number"):
            return _number(schema, whole=kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else self.text(schema, name)

    def object(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return an object with the required properties, or all that are described."""
        properties = schema.get("properties", {})
        names = dict.fromkeys([*schema.get("required", properties), *properties])
        extra = schema.get("additionalProperties", True)
        return {
            name: self.value(properties.get(name, extra if isinstance(extra, dict) else {}), name)
            for name in names
        }

    def array(self, schema: dict[str, Any], name: str) -> list[Any]:
        """Return an array of as many items as are asked for."""
        low = schema.get("minItems", min(3, schema.get("maxItems", 3)))
        first = [self.value(part, name) for part in schema.get("prefixItems", [])]
        items = schema.get("items", {})
        found = [*first]
        while len(found) < low:
            found.append(self.value(items, name))
        return found

    def text(self, schema: dict[str, Any], name: str) -> str:
        """Return a text: a format, a pattern, a phrase, or sentences where it must be long."""
        if "format" in schema:
            return _FORMATS[str(schema["format"])]
        if "pattern" in schema:
            return sample(schema["pattern"]) or ""
        low, high = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
        if self.writer.wishes.line_limit:  # a string cannot be broken; quotes, key and indent
            high = max(low, min(high, self.writer.wishes.line_limit - len(name) - 12))
        self.places -= 1
        if self._can_be_title(name, low, high):
            return self._title()
        due = -(-len(self.mentions) // max(1, self.places + 1))
        taken, self.mentions = self.mentions[:due], self.mentions[due:]
        is_short = high <= 60 or (low < 15 and (high > 1000 or high < 100))
        text = self._short(taken, high) if is_short else self._long(taken, name, low, high)
        return text + "." * (low - len(text))

    def _can_be_title(self, name: str, low: int, high: int) -> bool:
        """Tell whether the topic may stand here, because the rest has room for what is due."""
        fits = low <= len(self.writer.material.topic) <= high and not self.titled
        return name in _TITLES and fits and (self.places > 0 or not self.mentions)

    def _title(self) -> str:
        self.titled = True
        title = capitalized(self.writer.material.topic)
        self.writer.live.append(title)
        return title

    def _short(self, taken: list[Mention], high: int) -> str:
        if taken:
            return cell(self.writer, taken)
        for phrase in [p for p in self.phrases if self.writer.accepts(p, frozenset())]:
            self.phrases.remove(phrase)
            return phrase[:high]
        return self.phrases[0][:high] if self.phrases else self._title()[:high]

    def _long(self, taken: list[Mention], name: str, low: int, high: int) -> str:
        """Return sentences: those that mention what is due, then others up to the least length."""
        asks = name in _QUESTIONS and len(taken) < 2
        text = ""
        if asks and (asked := self._question(taken)):
            text, taken = asked, []
        for size in (2, 3):
            if taken and not text:
                text = self._mentioning(taken, size)
                text = text if len(text) <= high else ""
        if taken and not text:
            text = cell(self.writer, taken)
        while len(text) < max(low, 1):
            room = high - len(text) - bool(text)
            more = self.writer.sentence(("notes", "body"), room // 9, most_chars=room)
            if not more:
                break
            text = f"{text} {more.base}".strip()
        return text

    def _mentioning(self, taken: list[Mention], size: int) -> str:
        """Return sentences that mention so many words each, "" where one cannot be written."""
        groups = [taken[start : start + size] for start in range(0, len(taken), size)]
        made = [self.writer.mention(group, 4 * size) for group in groups]
        return " ".join(one.base for one in made if one) if all(made) else ""

    def _question(self, taken: list[Mention]) -> str:
        pools, features = ("question",), {"questions"}
        if taken:
            found = self.writer.mention(taken, 9, pools, features)
        else:
            found = self.writer.sentence(pools, 9, features=features)
        return found.base if found else ""


def _texts(schema: Any, root: dict[str, Any]) -> int:
    """Count the texts of the value that will be built."""
    if not isinstance(schema, dict) or not schema:
        return 1
    if "$ref" in schema:
        _, kind, key = schema["$ref"].split("/")
        return _texts(root[kind][key], root)
    if {"const", "enum", "format", "pattern"} & schema.keys():
        return 0
    kind = schema.get("type", _kind(schema))
    if kind == "object":
        return sum(_texts(part, root) for part in schema.get("properties", {}).values())
    if kind == "array":
        return int(schema.get("minItems", 3)) * _texts(schema.get("items", {}), root)
    return int(kind == "string")


def _kind(schema: dict[str, Any]) -> str:
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "minItems" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _number(schema: dict[str, Any], *, whole: bool) -> int | float:
    """Return a number within the bounds, near their lower end."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf", 1 if whole else 0.5)
    start = low if low is not None else (high - step if high is not None else step)
    if "exclusiveMinimum" in schema or (low is not None and high is not None and high > low + step):
        start = start + step
    value = round(start / step) * step if step else start
    return int(value) if whole or float(value).is_integer() else float(value)
