"""The data files of this builder: topics, skeletons, pools, phrases, layouts."""

from __future__ import annotations

import importlib.resources
from functools import lru_cache
from typing import Any

import msgspec
import yaml

_FOLDER = importlib.resources.files("rubricbench.builders.verifiable")


class Figure(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A number worth stating: "<what> is <value> <unit>"."""

    value: float
    unit: str
    what: str


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subject to write about.

    Args:
        name: noun phrase in the singular, as it stands within a sentence.
        terms: six common nouns that belong to it; each reads well after "the".
        facts: four statements, each with one of the terms, without commas or digits.
        figure: one number.
        area: subject area, the file's.
    """

    name: str
    terms: tuple[str, ...]
    facts: tuple[str, ...]
    figure: Figure
    area: str = ""


class Skeleton(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of answer, and the ways to ask for it.

    Args:
        id: name, also the rows' ``form:`` tag.
        layout: key of ``layouts.yaml``.
        tasks: ways to ask; ``{slots}`` are filled from ``slots``, the pools and the topic.
        follow: ways to ask for it in the last turn of a conversation that began otherwise.
        slots: values of the skeleton's own slots.
        notes: how often facts come with the request: never, sometimes, often, always.
        text: ``passage`` or ``draft`` where the request brings a text to work on.
        words: size in words the constraints are drawn around.
        items: number of list items they are drawn around.
        rows: number of table rows they are drawn around.
        headings: sets of headings to choose from.
        headers: sets of column headers.
        record: sets of JSON keys.
        keys: sets of keys of a card.
        splitter: word that opens each numbered section.
        languages: languages of the code block.
        sum: whether a table adds something up.
        mode: register of the answer, where it is not plain explanation.
    """

    id: str
    layout: str
    tasks: tuple[str, ...]
    follow: tuple[str, ...] = ()
    slots: dict[str, tuple[str, ...]] = {}
    notes: str = "never"
    text: str = ""
    words: tuple[int, int] = (60, 100)
    items: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    headings: tuple[tuple[str, ...], ...] = ()
    headers: tuple[tuple[str, ...], ...] = ()
    record: tuple[tuple[str, ...], ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    splitter: str = ""
    languages: tuple[str, ...] = ()
    sum: bool = False
    mode: str = ""


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which check families suit an answer of this kind (``layouts.yaml``)."""

    core: tuple[str, ...]
    anchors: tuple[str, ...]
    optional: tuple[str, ...]
    penalties: tuple[str, ...]


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))


def _files(folder: str) -> list[str]:
    names = (file.name for file in (_FOLDER / folder).iterdir())
    return [f"{folder}/{name}" for name in sorted(names) if name.endswith(".yaml")]


@lru_cache(maxsize=1)
def topics() -> tuple[Topic, ...]:
    """Return all topics, by file and position."""
    found: list[Topic] = []
    for name in _files("topics"):
        data = _read(name)
        found += [
            msgspec.convert({**one, "area": data["area"]}, Topic, strict=False)
            for one in data["topics"]
        ]
    return tuple(found)


@lru_cache(maxsize=1)
def skeletons() -> tuple[Skeleton, ...]:
    """Return all skeletons, by file and position."""
    return tuple(
        msgspec.convert(one, Skeleton) for name in _files("skeletons") for one in _read(name)
    )


@lru_cache(maxsize=1)
def layouts() -> dict[str, Layout]:
    """Return the layouts by name."""
    return {name: msgspec.convert(one, Layout) for name, one in _read("layouts.yaml").items()}


@lru_cache(maxsize=1)
def pools() -> dict[str, Any]:
    """Return the pools that task sentences and constraints are filled from."""
    data: dict[str, Any] = _read("pools.yaml")
    return data


@lru_cache(maxsize=1)
def phrases() -> dict[str, dict[str, list[str]]]:
    """Return the wordings of constraints by family and variant."""
    data: dict[str, dict[str, list[str]]] = _read("phrases.yaml")
    return data


@lru_cache(maxsize=1)
def translations() -> dict[str, dict[str, list[str]]]:
    """Return for some topics, by language code, their name and three terms in that language."""
    data: dict[str, dict[str, list[str]]] = _read("translations.yaml")
    return data
