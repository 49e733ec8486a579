"""The word lists of the gates (words.yaml)."""

from __future__ import annotations

import functools
import re
from importlib import resources
from pathlib import Path

from rubricbench.yaml_file import read_yaml


@functools.cache
def word_list(name: str) -> frozenset[str]:
    """Return a list of words by its name."""
    with resources.as_file(resources.files("rubricbench.lint") / "words.yaml") as path:
        found: dict[str, str] = read_yaml(Path(path))
    return frozenset(found[name].split())


@functools.cache
def any_of(name: str) -> str:
    """Return a pattern that matches any word of a list, longest first."""
    ordered = sorted(word_list(name), key=lambda word: (-len(word), word))
    return "|".join(re.escape(word) for word in ordered)
