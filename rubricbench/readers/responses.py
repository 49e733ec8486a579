"""Responses from files: our `responses` table, or any file with a prompt, a model and an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.readers.rows import Row, nested, read_rows
from rubricbench.readers.seen import SeenIds
from rubricbench.rows import messages_from
from rubricbench.schema import Prompt, Response
from rubricbench.validity import valid_object, valid_text

# Field of a response -> the columns it is looked for in, in order of preference.
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("text", "response", "output", "completion"),
    "prompt_id": ("prompt_id",),
    "prompt": ("prompt", "instruction"),
    "messages": ("messages",),
    "generator": ("generator", "model"),
    "response_id": ("response_id",),
    "sampling": ("sampling",),
    "finish_reason": ("finish_reason",),
    "usage": ("usage",),
}
_ASKED = ("prompt_id", "prompt", "messages")  # one of these says what was answered


class ResponseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A response as read, before it is matched with a rubric.

    Args:
        file: the file it comes from.
        line: where it stands there.
        prompt_id: id of its prompt, empty if the file gives none.
        prompt: text of its prompt, empty if the file gives none.
        text: the answer; may be empty.
        generator: name of the model.
        response_id: its own id, empty if the file gives none.
        sampling: temperature, top_p, seed and the like.
        finish_reason: ``stop``, ``length`` or what the backend said.
        usage: token counts.
    """

    file: str
    line: int
    prompt_id: str
    prompt: str
    text: str
    generator: str = ""
    response_id: str = ""
    sampling: dict[str, Any] = {}
    finish_reason: str = ""
    usage: dict[str, int] = {}

    def response(self, prompt_id: str) -> Response:
        """Return it as the response to the prompt it was matched with."""
        return Response(
            prompt_id=prompt_id,
            text=self.text,
            generator=self.generator,
            sampling=self.sampling,
            finish_reason=self.finish_reason,
            usage=self.usage,
            id=self.response_id,
        )


def read_responses(
    path: str | Path, *, columns: Mapping[str, str] | None = None
) -> Iterator[ResponseRow]:
    """Return the responses of a parquet, JSONL or CSV file, streamed.

    Memory is constant but for eight bytes a row that carries a ``response_id``.

    Args:
        path: the file.
        columns: field -> column, where the file's names are not those of `COLUMNS`.

    Raises:
        InputError: the file cannot be read, or lacks a column; those it has are named.
        SchemaError: a row is broken, or two rows have one response_id; file and line are named.
    """
    unknown = sorted(set(columns or {}) - set(COLUMNS))
    if unknown:
        raise InputError(
            f"a response has no field {unknown[0]!r:.60}", hint="fields: " + ", ".join(COLUMNS)
        )
    return _responses(Path(path), read_rows(path), columns or {})


def _responses(
    path: Path, rows: Iterator[Row], columns: Mapping[str, str]
) -> Iterator[ResponseRow]:
    seen = SeenIds()
    names: tuple[str, ...] | None = None
    found: dict[str, str] = {}
    for line, row in rows:
        if tuple(row) != names:  # once in parquet and CSV; JSONL rows may differ
            if names is None:
                _require_given(columns, row, path)
            names = tuple(row)
            found = _columns_of(names, f"{path}:{line}", columns)
        try:
            response = _read(row, found, file=str(path), line=line)
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
        if response.response_id and seen.add(response.response_id):
            _reject_repeated(path, response, found["response_id"])
        yield response


def _require_given(columns: Mapping[str, str], row: Mapping[str, Any], path: Path) -> None:
    for field, column in columns.items():
        if column not in row:
            raise InputError(
                f"no column {column!r:.60} (for {field})",
                where=str(path),
                hint=_found(tuple(row)),
            )


def _columns_of(names: tuple[str, ...], where: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return field -> column of a row; its answer and what was asked must be there."""
    wanted = {**COLUMNS, **{field: (column,) for field, column in given.items()}}
    found = {
        field: next(name for name in columns if name in names)
        for field, columns in wanted.items()
        if not set(columns).isdisjoint(names)
    }
    missing = []
    if "text" not in found:
        missing.append("the answer (" + " or ".join(wanted["text"]) + ")")
    if not any(field in found for field in _ASKED):
        asked = [name for field in _ASKED for name in wanted[field]]
        missing.append("what was asked (" + " or ".join(asked) + ")")
    if missing:
        raise InputError(
            f"no column with {' or with '.join(missing)}", where=where, hint=_found(names)
        )
    return found


def _found(names: tuple[str, ...]) -> str:
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        return f"found one column, {names[0]!r:.80}: separate columns by commas"
    return "found: " + (", ".join(f"{name:.60}" for name in names[:20]) or "none")


def _read(
    row: Mapping[str, Any], columns: Mapping[str, str], *, file: str, line: int
) -> ResponseRow:
    def text(field: str) -> str:
        column = columns.get(field, "")
        value = row.get(column)
        return "" if value is None else valid_text(value, column, allow_empty=True)

    answer = columns["text"]
    if row.get(answer) is None:
        raise SchemaError("missing_key", "no answer: an empty one is '', not null", field=answer)
    prompt_id, prompt = text("prompt_id"), text("prompt")
    if not prompt.strip():
        prompt = _from_messages(row, columns.get("messages", ""))
    if not prompt_id and not prompt:
        asked = next(columns[field] for field in _ASKED if field in columns)
        raise SchemaError("missing_key", "nothing says what it answers", field=asked)
    return ResponseRow(
        file=file,
        line=line,
        prompt_id=prompt_id,
        prompt=prompt,
        text=valid_text(row[answer], answer, allow_empty=True),
        generator=text("generator"),
        response_id=text("response_id"),
        sampling=_mapping(row, columns.get("sampling", "")),
        finish_reason=text("finish_reason"),
        usage=_counts(row, columns.get("usage", "")),
    )


def _from_messages(row: Mapping[str, Any], column: str) -> str:
    turns = nested(row.get(column) or (), column)
    if not turns:
        return ""
    if not isinstance(turns, list):
        raise SchemaError("wrong_type", "expected a list of messages", field=column)
    return Prompt(messages=messages_from(turns, column)).text


def _mapping(row: Mapping[str, Any], column: str) -> dict[str, Any]:
    value = nested(row.get(column) or {}, column)
    if not isinstance(value, dict):
        raise SchemaError(
            "wrong_type", f"expected an object, got {type(value).__name__}", field=column
        )
    # Parquet gives every row of a nested column all its keys, null where a row has none.
    given = {key: item for key, item in value.items() if item is not None}
    valid_object(given, column)
    return given


def _counts(row: Mapping[str, Any], column: str) -> dict[str, int]:
    counts = _mapping(row, column)
    for key, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SchemaError(
                "wrong_type", f"expected a token count, got {value!r:.40}", field=f"{column}.{key}"
            )
    return counts


def _reject_repeated(path: Path, response: ResponseRow, column: str) -> None:
    """Find the row that has the same id (`SeenIds` only suspects one) and raise SchemaError."""
    for line, row in read_rows(path):
        if line >= response.line:
            return
        if row.get(column) == response.response_id:
            raise SchemaError(
                "duplicate_id",
                f"{response.response_id!r:.60} stands on line {line} already",
                field=column,
                file=str(path),
                line=response.line,
            )
