"""Responses from files: our `responses` table, or any file with a prompt, a model and an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.readers.rows import nested, read_rows
from rubricbench.rows import messages_from
from rubricbench.schema import Prompt, Response, valid_text

TEXT_COLUMNS = ("text", "response", "output", "completion")
PROMPT_COLUMNS = ("prompt_id", "prompt", "messages", "instruction")
GENERATOR_COLUMNS = ("generator", "model")


class ResponseRow(msgspec.Struct, frozen=True):
    """A response as read, before it is matched with a rubric.

    Args:
        line: where it stands in the file.
        prompt_id: id of its prompt, if the file gives one.
        prompt: text of its prompt, if the file gives one.
        text: the answer.
        fields: the other fields of `Response`.
    """

    line: int
    prompt_id: str
    prompt: str
    text: str
    fields: dict[str, Any]

    def response(self, prompt_id: str) -> Response:
        """Return the response to the prompt it was matched with."""
        return Response(prompt_id=prompt_id, text=self.text, **self.fields)


def read_responses(path: str | Path) -> Iterator[ResponseRow]:
    """Yield the responses of a parquet, JSONL or CSV file.

    The answer stands in one of `TEXT_COLUMNS`, what it answers in one of `PROMPT_COLUMNS`.

    Raises:
        InputError: the file cannot be read, or has no such column.
        SchemaError: a row is broken, or two rows have one response_id; file and line are named.
    """
    seen: dict[str, int] = {}
    columns: _Columns | None = None
    for line, row in read_rows(path):
        columns = columns or _Columns.of(row, Path(path))
        try:
            found = columns.read(line, row)
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
        given = found.fields.get("id")
        if given and seen.setdefault(given, line) != line:
            raise SchemaError(
                "duplicate_id",
                f"{given!r:.60} stands on line {seen[given]} already",
                field="response_id",
                file=str(path),
                line=line,
            )
        yield found


class _Columns(msgspec.Struct, frozen=True):
    text: str
    prompts: tuple[str, ...]
    generator: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any], path: Path) -> _Columns:
        text = next((name for name in TEXT_COLUMNS if name in row), None)
        prompts = tuple(name for name in PROMPT_COLUMNS if name in row)
        missing = [
            " or ".join(wanted)
            for wanted, found in ((TEXT_COLUMNS, text), (PROMPT_COLUMNS, prompts))
            if not found
        ]
        if text is None or missing:
            raise InputError(
                f"no column {' and none of '.join(missing)}",
                where=str(path),
                hint="found: " + (", ".join(map(str, row)) or "none"),
            )
        return cls(text, prompts, next((name for name in GENERATOR_COLUMNS if name in row), None))

    def read(self, line: int, row: Mapping[str, Any]) -> ResponseRow:
        text = row.get(self.text)
        if text is None:
            raise SchemaError(
                "missing_key", "no answer: an empty one is '', not null", field=self.text
            )
        fields: dict[str, Any] = {
            "generator": _optional_text(row, self.generator) if self.generator else "",
            "finish_reason": _optional_text(row, "finish_reason"),
            "sampling": _mapping(row, "sampling"),
            "usage": _mapping(row, "usage"),
        }
        if row.get("response_id"):
            fields["id"] = valid_text(row["response_id"], "response_id")
        prompt_id, prompt = self._prompt(row)
        return ResponseRow(
            line, prompt_id, prompt, valid_text(text, self.text, allow_empty=True), fields
        )

    def _prompt(self, row: Mapping[str, Any]) -> tuple[str, str]:
        prompt_id = _optional_text(row, "prompt_id")
        prompt = _optional_text(row, "prompt") or _optional_text(row, "instruction")
        if not prompt and row.get("messages"):
            turns = messages_from(nested(row["messages"], "messages"), "messages")
            prompt = Prompt(messages=turns).text
        if not prompt_id and not prompt:
            raise SchemaError("missing_key", "nothing says what it answers", field=self.prompts[0])
        return prompt_id, prompt


def _optional_text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if value is None else valid_text(value, key, allow_empty=True)


def _mapping(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    if value is None or value == "":
        return {}
    value = nested(value, key)
    if not isinstance(value, dict):
        raise SchemaError(
            "wrong_type", f"expected an object, got {type(value).__name__}", field=key
        )
    return value
