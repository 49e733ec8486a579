"""An authored prompt with its rubric, as it stands in a YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.hub import CANARY
from rubricbench.schema import Check, Criterion, Message, Origin, Prompt, Rubric
from rubricbench.yaml_file import read_yaml, typed

DOMAINS = ("health", "generalist", "finance")
SOURCE = "rubricbench, authored by a language model"
LICENSE = "CC-BY-4.0"
VERSION = "1"

Axis = Literal[
    "accuracy",
    "completeness",
    "reasoning",
    "communication",
    "safety",
    "instruction_following",
]
Situation = Literal["emergency", "uncertainty", "push_back", "incomplete", "distractor"]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One criterion.

    Args:
        text: the criterion.
        weight: 1 to 3, or −3 to −1 for a penalty.
        axis: what it is about.
        tail: whether it tells excellent responses from great ones.
        check: the program that decides it, if one can: name and parameters.
    """

    text: str
    weight: Literal[-3, -2, -1, 1, 2, 3]
    axis: Axis
    tail: bool = False
    check: Check | None = None


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What kind of prompt it is.

    Args:
        task: what is asked for, in a few words.
        user: who asks.
        register: how.
        difficulty: for a strong model.
        situation: what makes it special.
    """

    task: str
    user: str
    register: str
    difficulty: Literal["easy", "medium", "hard"]
    situation: tuple[Situation, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prompt with its rubric.

    Args:
        key: author's key, ``domain-part-number``.
        split: ``train`` or ``test``.
        messages: the conversation; the last turn is the user's.
        rubric: the criteria.
        about: what kind of prompt it is.
    """

    key: str
    split: Literal["train", "test"]
    messages: tuple[dict[str, str], ...]
    rubric: tuple[Line, ...]
    about: About

    @property
    def domain(self) -> str:
        """The domain, which its key begins with."""
        return self.key.partition("-")[0]

    def to_rubric(self) -> Rubric:
        """Return the rubric as it is published.

        Raises:
            SchemaError: it breaks the data model.
        """
        turns = tuple(Message(m["role"], m["content"]) for m in self.messages)
        prompt = Prompt(
            messages=turns,
            domain=self.domain,
            source=SOURCE,
            license=LICENSE,
            split=self.split,
            canary=CANARY,
        )
        criteria = tuple(_criterion(line) for line in self.rubric)
        return Rubric(prompt=prompt, criteria=criteria, version=VERSION, method="authored")


def _criterion(line: Line) -> Criterion:
    tags = (f"axis:{line.axis}", *(("tail",) if line.tail else ()))
    return Criterion(
        criterion=line.text,
        weight=line.weight,
        check=line.check,
        tags=tags,
        origin=Origin(method="authored"),
    )


def read_entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of a file.

    Raises:
        InputError: it is no YAML list, or an entry has another form; the entry is named.
        SchemaError: an entry breaks the data model.
    """
    document: Any = read_yaml(path)
    if not isinstance(document, list):
        raise InputError("not a list of entries", where=str(path))
    for number, found in enumerate(document, start=1):
        key = found.get("key") if isinstance(found, dict) else None
        entry = typed(found, Entry, f"{path}: entry {number} ({key})")
        try:
            entry.to_rubric()
        except SchemaError as error:
            raise error.within(str(key)).at(file=str(path)) from None
        yield entry


def all_entries(folder: Path | None = None) -> list[Entry]:
    """Return the entries of all files of a folder, sorted by key.

    Args:
        folder: with a folder for each domain; by default that of this package.

    Raises:
        InputError: a file cannot be read, or a key is there twice.
        SchemaError: an entry breaks the data model.
    """
    folder = folder or Path(__file__).parent
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        for entry in read_entries(path):
            if entry.key in found:
                raise InputError(f"key {entry.key} is there twice", where=str(path))
            if entry.domain != path.parent.name:
                raise InputError(f"key {entry.key} in {path.parent.name}", where=str(path))
            found[entry.key] = entry
    return [found[key] for key in sorted(found)]
