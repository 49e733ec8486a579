"""Which rubric a row of a batch is graded by.

From the dataset's own columns, in any of these forms::

    rubric               a rubric's row (JSON text or object), or a list of criteria
    rubrics, prompt_id   the columns of the published tables, `JunkaiZ/Rubrics` or ours

or from rubrics that are given apart: a file, a dataset's name, a mapping or a list, found by the
``prompt_id`` column or by the prompt itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.reward.texts import Turns, prompt_turns
from rubricbench.rows import PROVENANCE, parse_json
from rubricbench.schema import Message, Prompt, Rubric

Rubrics = str | Path | Mapping[str, Rubric] | Iterable[Rubric]

MAX_KEPT = 4_096
_COLUMNS = ("number_of_criteria", "total_weight", "version", "method", *PROVENANCE)


class RubricFinder:
    """Finds rubrics. Equal rows get the same object, so that its questions are prepared once.

    Args:
        rubrics: rubrics given apart; None to read them from the rows.

    Raises:
        InputError: the file or dataset cannot be read.
        SchemaError: a row of it breaks the data model.
    """

    def __init__(self, rubrics: Rubrics | None = None) -> None:
        self._given = None if rubrics is None else _Given(rubrics)
        self._kept: OrderedDict[bytes, Rubric] = OrderedDict()

    def find(self, prompt: Turns, columns: Mapping[str, Any]) -> Rubric:
        """Return the rubric of a row.

        Args:
            prompt: what the policy was asked, as text or turns.
            columns: the row's other columns.

        Raises:
            InputError: there is none.
            SchemaError: it breaks the data model.
        """
        if self._given:
            return self._given.find(prompt, columns)
        columns = {name: _listed(value) for name, value in columns.items()}
        column = next((name for name in ("rubric", "rubrics") if columns.get(name)), "")
        if not column:
            raise InputError(
                "a row has no rubric",
                where=f"prompt {_shown(prompt)}",
                hint="give it a column 'rubric' (JSON) or 'rubrics' (a list of criteria), or pass "
                "rubrics apart",
            )
        value = columns[column]
        if isinstance(value, Rubric):
            return value
        key = _key([prompt, value, columns.get("messages"), columns.get("prompt_id")])
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = _read(prompt, columns, column)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


class _Given:
    """Rubrics that are given apart, by prompt id and by prompt."""

    def __init__(self, rubrics: Rubrics) -> None:
        self._by_id: dict[str, Rubric] = {}
        self._by_prompt: dict[str, Rubric | None] = {}
        for name, rubric in _pairs(rubrics):
            # Two rubrics for one text or one conversation: only an id can tell them apart.
            twice = rubric.prompt.text.rstrip() in self._by_prompt
            self._by_prompt[rubric.prompt.text.rstrip()] = None if twice else rubric
            self._by_id[rubric.prompt_id] = rubric
            if name:
                self._by_id[name] = rubric
        if not self._by_id:
            raise InputError("there are no rubrics", where=str(rubrics)[:80])

    def find(self, prompt: Turns, columns: Mapping[str, Any]) -> Rubric:
        """Return the rubric of a row, by its ``prompt_id``, a mapping's key, or its prompt."""
        name = columns.get("prompt_id")
        if isinstance(name, str) and name in self._by_id:
            return self._by_id[name]
        if isinstance(prompt, str) and prompt in self._by_id:  # a mapping's own key
            return self._by_id[prompt]
        text = _prompt(prompt).text.rstrip()
        found = self._by_prompt.get(text)
        if found is not None:
            return found
        several = text in self._by_prompt
        raise InputError(
            "several rubrics have this prompt" if several else "no rubric has this prompt",
            where=f"prompt {_shown(prompt)}",
            hint="tell them apart by a column prompt_id" if several else None,
        )


def _pairs(rubrics: Rubrics) -> Iterator[tuple[str, Rubric]]:
    if isinstance(rubrics, str | Path):
        from rubricbench.readers import read_rubrics

        yield from (("", rubric) for _, rubric in read_rubrics(rubrics))
    elif isinstance(rubrics, Mapping):
        yield from rubrics.items()
    else:
        yield from (("", rubric) for rubric in rubrics)


def _read(prompt: Turns, columns: Mapping[str, Any], column: str) -> Rubric:
    try:
        return Rubric.from_row(_row(prompt, columns, column))
    except SchemaError as error:
        raise error.at(file=f"column {column} of prompt {_shown(prompt)}") from None


def _row(prompt: Turns, columns: Mapping[str, Any], column: str) -> dict[str, Any]:
    """Return the row of a rubrics table that the columns make."""
    value = columns[column]
    if isinstance(value, str):
        value = parse_json(value, column)
    if isinstance(value, Mapping):  # a whole row
        own = value.get("prompt") or value.get("messages")
        return dict(value) if own else {**value, "messages": prompt_turns(prompt)}
    row = {"rubrics": value}
    if column == "rubrics":
        row |= {name: columns[name] for name in _COLUMNS if columns.get(name) is not None}
    # The turns the rubric was written for, which its id is a hash of, where they are there; the
    # policy may have been asked in other words (a system prompt of the trainer's).
    if columns.get("messages"):
        return {**row, "messages": columns["messages"], "prompt_id": columns.get("prompt_id")}
    row["messages"] = prompt_turns(prompt)
    name = columns.get("prompt_id")
    foreign = isinstance(name, str) and not name.startswith("p_")
    return {**row, "prompt_id": name} if foreign else row


def _prompt(prompt: Turns) -> Prompt:
    turns = prompt_turns(prompt)
    return Prompt(messages=tuple(Message(turn["role"], turn["content"]) for turn in turns))


def _key(parts: list[Any]) -> bytes:
    try:
        return msgspec.msgpack.encode(parts)
    except (TypeError, ValueError, OverflowError):  # no JSON: reading it will say what is wrong
        return repr(parts).encode("utf-8", "surrogatepass")


def _listed(value: Any) -> Any:
    """Return a value of a numpy column as Python has it."""
    return value.tolist() if hasattr(value, "tolist") else value


def _shown(prompt: Turns) -> str:
    text = prompt if isinstance(prompt, str) else str(prompt[-1].get("content")) if prompt else ""
    return repr(text[:60])
