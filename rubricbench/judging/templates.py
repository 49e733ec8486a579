"""Prompt templates: texts beside this file, filled in one pass.

``{{name}}`` is a place. What is put there is never looked at again, so braces, percent signs and
``{{response}}`` in a response stay what they are.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import re
from collections.abc import Mapping

from rubricbench.judging.formats import get_format

_PLACE = re.compile(r"\{\{(\w+)\}\}")


@functools.cache
def template(name: str) -> str:
    """Return the text of a template, without the line end of its file."""
    file = importlib.resources.files("rubricbench.judging") / "prompts" / f"{name}.txt"
    return file.read_text(encoding="utf-8").rstrip("\n")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into the places of a template, in one pass."""
    return _PLACE.sub(lambda place: values[place[1]], text)


def split(text: str, place: str) -> tuple[str, str]:
    """Return what stands before and after a place of a template."""
    before, mark, after = text.partition("{{" + place + "}}")
    assert mark, f"the template has no place for {place}"
    return before, after


@functools.cache
def template_hash(format: str = "json") -> str:
    """Return the first 16 hex digits of the SHA-256 over the templates of an answer format.

    Raises:
        InputError: there is no such format.
    """
    texts = "\x00".join(template(name) for name in get_format(format).templates)
    return hashlib.sha256(texts.encode("utf-8")).hexdigest()[:16]
