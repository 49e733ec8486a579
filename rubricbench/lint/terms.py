"""The words that carry what a criterion says."""

from __future__ import annotations

import re
from functools import lru_cache

from rubricbench.checks.text.words import split_words
from rubricbench.lint.words import word_list

_ENDINGS = re.compile(r"(?<=\w{3})(?:ies|es|s|ing|ed|ly)$")


@lru_cache(maxsize=4096)
def terms(text: str) -> frozenset[str]:
    """Return the content words of a text, lower case, common endings cut off."""
    found = {word.lower() for word in split_words(text)}
    return frozenset(map(stem, found - word_list("function_words") - word_list("negations")))


def stem(word: str) -> str:
    """Return a word without a common ending: enough to tell inflections of one word."""
    return word if any(c.isdigit() for c in word) else _ENDINGS.sub("", word)


def negated(text: str) -> bool:
    """Whether a text says that something is not so."""
    found = {word.lower() for word in split_words(text)}
    turned = any(word.endswith(("n't", "n’t")) for word in found)
    return turned or bool(found & word_list("negations"))


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Return the share of words two texts have in common (Jaccard)."""
    return len(a & b) / len(a | b) if a | b else 0.0
