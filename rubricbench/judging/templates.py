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
from rubricbench.judging.layouts import LAYOUTS, get_layout, layout_of

REPAIR = "repair"  # what is put to a judge whose answer could not be read
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
def template_hash(format: str = "json", layout: str = "auto", *, one_call: bool = True) -> str:
    """Return the first 16 hex digits of the SHA-256 over all texts of ours that a judge may read.

    Args:
        format: name of the answer format.
        layout: name of the layout.
        one_call: whether a rubric's criteria go into one call; decides what ``auto`` stands for.

    Raises:
        InputError: there is no such format or layout.
    """
    form = get_format(format)
    get_layout(layout)
    user = LAYOUTS[layout_of(layout, format, None if one_call else 1)]
    texts = "\x00".join(template(name) for name in (*form.templates, user, REPAIR))
    return hashlib.sha256(texts.encode("utf-8")).hexdigest()[:16]
