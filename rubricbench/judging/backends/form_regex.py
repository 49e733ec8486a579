"""The form of an answer as a regular expression, for engines that hold a model to one.

A JSON schema leaves blanks to the model, and small models fill an answer's whole length with them;
the skeleton of `rubricbench.judging.formats` leaves nothing open but what is the model's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rubricbench.judging.formats import Part, Slot

QUOTE_CHARS = 240  # fifteen words are asked for


def form_regex(parts: Sequence[Part]) -> str:
    """Return the pattern of an answer with these parts.

    A quote is up to `QUOTE_CHARS` characters without quotation marks, backslashes or line breaks.
    """
    return "".join(_pattern(part) for part in parts)


def _pattern(part: Part) -> str:
    if isinstance(part, str):
        return re.escape(part).replace("\\ ", " ")  # not every engine knows an escaped space
    if isinstance(part, Slot):
        return f"({re.escape(part.met)}|{re.escape(part.unmet)})".replace("\\ ", " ")
    return rf'[^"\\\n\r\t]{{0,{QUOTE_CHARS}}}'
