"""A sentence frame: its slots, its length, and how it is filled."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rubricbench.checks.text import words

_SLOT = re.compile(r"\{(\w+)\}")


class Shape(NamedTuple):
    """What a frame has: words outside its slots, slots for terms, whether it names the topic."""

    words: int
    terms: int
    topics: int
    others: tuple[str, ...]


@lru_cache(maxsize=4096)
def shape(frame: str) -> Shape:
    """Return the shape of a frame."""
    slots = _SLOT.findall(frame)
    topics = sum(1 for slot in slots if slot.startswith("topic"))
    terms = sum(1 for slot in slots if slot.startswith("term"))
    others = tuple(slot for slot in slots if not slot.startswith(("topic", "term")))
    return Shape(len(words(_SLOT.sub(" ", frame))), terms, topics, others)


def fill(frame: str, topic: str, terms: tuple[str, ...], **others: str) -> str:
    """Return the sentence: terms go into ``{term}``, ``{term2}``, ``{term3}`` in this order."""
    names = ("term", "term2", "term3")
    slots = dict(zip(names, terms, strict=False))
    return frame.format(topic=topic, topic_cap=capitalized(topic), **slots, **others)


def capitalized(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
