"""Fences around untrusted text."""

from __future__ import annotations

import re

_LONG_RUN = re.compile("`{3,}")


def fenced(text: str) -> str:
    """Return text between two lines of backticks, more of them than any run inside.

    Linear in the text, whatever it holds.
    """
    ticks = "```"
    if ticks in text:  # the search by pattern costs more than all the rest of rendering
        ticks = "`" * (1 + max(len(run) for run in _LONG_RUN.findall(text)))
    return f"{ticks}\n{text}\n{ticks}"
