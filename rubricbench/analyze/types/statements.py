"""Statements about rubrics: what a model says of them, or the bare edits where none is asked."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rubricbench.asking import Answer, Question
from rubricbench.judging.fence import fenced
from rubricbench.judging.templates import fill
from rubricbench.schema import Criterion, Rubric

MOST_CHARS = 400  # of one statement: what is longer is no atomic difference
_TEXT = {"type": "string", "minLength": 1}
DIFFERENCES = {
    "type": "object",
    "properties": {"differences": {"type": "array", "items": _TEXT}},
    "required": ["differences"],
    "additionalProperties": False,
}
_NAMED = {
    "type": "object",
    "properties": {"criterion": {"type": "integer", "minimum": 1}, "capability": _TEXT},
    "required": ["criterion", "capability"],
    "additionalProperties": False,
}
CAPABILITIES = {
    "type": "object",
    "properties": {"capabilities": {"type": "array", "items": _NAMED}},
    "required": ["capabilities"],
    "additionalProperties": False,
}


class Statement(msgspec.Struct, frozen=True):
    """One atomic difference, or the capability of one criterion.

    Args:
        arm: the set of rubrics it is of.
        prompt_id: its prompt.
        text: what is said.
    """

    arm: str
    prompt_id: str
    text: str


class Pair(msgspec.Struct, frozen=True):
    """Two versions of a prompt's rubric.

    Args:
        arm: name of the refined set.
        first: initial rubric.
        second: refined rubric.
    """

    arm: str
    first: Rubric
    second: Rubric


@functools.cache
def template(name: str) -> str:
    """Return the text of a template of this package."""
    file = importlib.resources.files("rubricbench.analyze.types") / "prompts" / f"{name}.txt"
    return file.read_text(encoding="utf-8").rstrip("\n")


def pairs(initial: Iterable[Rubric], refined: Mapping[str, Iterable[Rubric]]) -> list[Pair]:
    """Return the pairs of the prompts that are in the initial set and in every refined one.

    So each arm is compared on the same prompts.
    """
    first = {rubric.prompt_id: rubric for rubric in initial}
    arms = {
        arm: {rubric.prompt_id: rubric for rubric in rubrics} for arm, rubrics in refined.items()
    }
    shared = [p for p in first if all(p in rubrics for rubrics in arms.values())]
    return [Pair(arm, first[p], rubrics[p]) for arm, rubrics in arms.items() for p in shared]


def difference_question(pair: Pair) -> Question:
    """Return the question what differs between two versions of a rubric."""
    values = {
        "prompt": fenced(pair.first.prompt.text),
        "first": fenced(_listed(pair.first.criteria)),
        "second": fenced(_listed(pair.second.criteria)),
    }
    text = fill(template("differences"), values)
    return Question.of(text, schema=DIFFERENCES, name="differences", tag=pair)


def capability_question(arm: str, rubric: Rubric) -> Question:
    """Return the question which capability each criterion tests."""
    numbered = "\n".join(f"{i}. {c.criterion}" for i, c in enumerate(rubric.criteria, start=1))
    values = {"prompt": fenced(rubric.prompt.text), "criteria": fenced(numbered)}
    text = fill(template("capabilities"), values)
    return Question.of(text, schema=CAPABILITIES, name="capabilities", tag=(arm, rubric))


def differences(answer: Answer) -> Iterator[Statement]:
    """Return the differences that an answer names; none where it could not be read."""
    pair: Pair = answer.question.tag
    for text in _texts((answer.value or {}).get("differences", ())):
        yield Statement(pair.arm, pair.first.prompt_id, text)


def capabilities(answer: Answer) -> Iterator[Statement]:
    """Return the capability of each criterion that an answer names one for.

    A number that no criterion has, and a second capability for one criterion, do not count.
    """
    arm, rubric = answer.question.tag
    found: dict[int, str] = {}
    for entry in (answer.value or {}).get("capabilities", ()):
        if entry["criterion"] <= len(rubric.criteria):
            found.setdefault(entry["criterion"], entry["capability"])
    for text in _texts(found.values()):
        yield Statement(arm, rubric.prompt_id, text)


def edits(pair: Pair) -> Iterator[Statement]:
    """Return the bare edits between two versions: criteria added, dropped and reweighted.

    What differs is exact, what it means is not said: types found from these describe the wording of
    criteria, not the kind of change.
    """
    before = {c.criterion: c.weight for c in pair.first.criteria}
    after = {c.criterion: c.weight for c in pair.second.criteria}
    for text, weight in after.items():
        if text not in before:
            sign = "penalty" if weight < 0 else "criterion"
            yield Statement(pair.arm, pair.first.prompt_id, f"Adds a {sign}: {text}"[:MOST_CHARS])
        elif weight != before[text]:
            change = "Raises" if weight > before[text] else "Lowers"
            words = f"{change} the weight of: {text}"
            yield Statement(pair.arm, pair.first.prompt_id, words[:MOST_CHARS])
    for text in before.keys() - after.keys():
        yield Statement(pair.arm, pair.first.prompt_id, f"Drops: {text}"[:MOST_CHARS])


def criteria(arm: str, rubric: Rubric) -> Iterator[Statement]:
    """Return the criteria themselves, where no model names capabilities."""
    for criterion in rubric.criteria:
        yield Statement(arm, rubric.prompt_id, criterion.criterion[:MOST_CHARS])


def _texts(texts: Iterable[Any]) -> Iterator[str]:
    for text in texts:
        short = " ".join(str(text).split())[:MOST_CHARS]
        if short:
            yield short


def _listed(found: Sequence[Criterion]) -> str:
    return "\n".join(f"- [{c.weight:+g}] {c.criterion}" for c in found)
