"""What a text looks like: length and Markdown, counted from the text alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BULLET = re.compile(r"^[ \t]*[-*+•][ \t]+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+\S", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]{1,300}\*\*|__[^_\n]{1,300}__")
_FENCE = re.compile(r"^[ \t]{0,3}(?:```|~~~)", re.MULTILINE)
_ROW = re.compile(r"^[ \t]*\|[^\n]*\|[ \t]*$", re.MULTILINE)


def _count(pattern: re.Pattern[str]) -> Callable[[str], float]:
    return lambda text: float(len(pattern.findall(text)))


# name -> (what it counts, the count)
FEATURES: dict[str, tuple[str, Callable[[str], float]]] = {
    "words": ("words, by white space", lambda text: float(len(text.split()))),
    "paragraphs": (
        "blocks between blank lines",
        lambda text: float(sum(bool(part.strip()) for part in re.split(r"\n\s*\n", text))),
    ),
    "list items": (
        "lines that begin with a bullet or a number",
        lambda text: float(len(_BULLET.findall(text)) + len(_NUMBERED.findall(text))),
    ),
    "bullets": ("lines that begin with a bullet", _count(_BULLET)),
    "headings": ("Markdown headings", _count(_HEADING)),
    "bold": ("spans in bold", _count(_BOLD)),
    "code blocks": ("fenced blocks", lambda text: float(len(_FENCE.findall(text)) // 2)),
    "table rows": ("lines between bars", _count(_ROW)),
    "exclamations": ("exclamation marks", lambda text: float(text.count("!"))),
}


def features(texts: Sequence[str]) -> dict[str, Floats]:
    """Return every feature of `FEATURES`, each of shape ``(N,)``."""
    return {
        name: np.array([count(text) for text in texts], dtype=np.float64)
        for name, (_, count) in FEATURES.items()
    }
