"""HealthBench's meta-evaluation: consensus criteria labelled by physicians (JSONL).

A row is one criterion of one completion: ``prompt: [{role, content}, …], prompt_id, completion,
completion_id, rubric`` (the criterion's text), ``category, binary_labels: [bool, …],
anonymized_physician_ids``. Rows of one completion are put together, so that a judge may be asked
about all of its criteria at once. The file gives no points: every criterion weighs 1, and a score
is the share of a completion's criteria that are met. The category becomes a tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rubricbench.certify.labels import Labelled, Reference
from rubricbench.errors import SchemaError
from rubricbench.readers import read_rows
from rubricbench.readers.rows import nested
from rubricbench.rows import messages_from, optional, typed
from rubricbench.schema import Criterion, Prompt, Response, Rubric


class _Completion:
    """The rows of one completion so far."""

    def __init__(self, prompt: Prompt, text: str, generator: str) -> None:
        self.prompt, self.text, self.generator = prompt, text, generator
        self.criteria: list[Criterion] = []
        self.references: list[Reference] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a criterion with its reference; SchemaError where the completion has it already."""
        category = optional(row, "category", str)
        criterion = Criterion(
            criterion=typed(row, "rubric", str), weight=1, tags=(category,) if category else ()
        )
        if any(c.id == criterion.id for c in self.criteria):
            raise SchemaError(
                "duplicate_criterion", "this completion has the criterion already", field="rubric"
            )
        self.criteria.append(criterion)
        self.references.append(Reference.majority(_votes(row)))

    def labelled(self, completion_id: str) -> Labelled:
        rubric = Rubric(
            prompt=self.prompt, criteria=tuple(self.criteria), method="healthbench_consensus"
        )
        response = Response(
            prompt_id=self.prompt.id, text=self.text, generator=self.generator, id=completion_id
        )
        return Labelled(rubric, response, tuple(self.references))


def read(path: Path, rubrics: str) -> list[Labelled]:
    """Return the labelled completions of a file, in the order of their first rows.

    Args:
        path: the file.
        rubrics: not needed; the criteria stand in the rows.

    Raises:
        InputError: the file cannot be read.
        SchemaError: a row cannot be used; file, line and field are named.
    """
    prompts: dict[str, Prompt] = {}
    found: dict[tuple[str, str], _Completion] = {}
    for line, row in read_rows(path):
        try:
            _add(row, prompts, found)
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
    return [completion.labelled(key[1]) for key, completion in found.items()]


def _add(
    row: Mapping[str, Any],
    prompts: dict[str, Prompt],
    found: dict[tuple[str, str], _Completion],
) -> None:
    prompt_id, completion_id = (typed(row, key, str) for key in ("prompt_id", "completion_id"))
    prompt = prompts.get(prompt_id)
    if prompt is None:
        messages = messages_from(nested(typed(row, "prompt", list | str), "prompt"), "prompt")
        prompt = Prompt(messages=messages, id=prompt_id, domain="health", source="healthbench")
        prompts[prompt_id] = prompt
    text = typed(row, "completion", str)
    completion = found.get((prompt_id, completion_id))
    if completion is None:
        generator = optional(row, "generator", str) or ""
        completion = found[prompt_id, completion_id] = _Completion(prompt, text, generator)
    elif completion.text != text:
        raise SchemaError(
            "id_mismatch", f"completion {completion_id!r:.60} has two texts", field="completion"
        )
    completion.add(row)


def _votes(row: Mapping[str, Any]) -> list[bool]:
    votes = nested(typed(row, "binary_labels", list | str), "binary_labels")
    if not isinstance(votes, list) or any(not isinstance(vote, bool) for vote in votes):
        raise SchemaError("wrong_type", "expected a list of true and false", field="binary_labels")
    return votes
