"""Untrusted text made fit to be seen: every character visible, nothing endless.

Escaping HTML is the template engine's work. What is left are characters that HTML cannot carry
(NUL, lone surrogates), that no one would see (control characters), and that reorder the text
around them (bidirectional overrides), so that a response could look like something it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CONTROL_PICTURES = 0x2400  # U+2400 + c pictures the control character c
_DELETE = 0x7F
_DELETE_PICTURE = "\u2421"
_REPLACEMENT = "\ufffd"

# C0 (without tab and newline), DEL and C1; bidirectional embeddings, overrides and isolates; lone
# surrogates; noncharacters. The left-to-right and right-to-left marks stay: honest right-to-left
# text needs them and they reorder nothing but neutral neighbours.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Return the text with line ends as newlines and every unfit character replaced by a sign."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNFIT.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return _DELETE_PICTURE
    if code < 0xA0 or 0x2000 <= code < 0x2070:
        return f"⟨U+{code:04X}⟩"
    return _REPLACEMENT


@dataclass(frozen=True)
class Clipped:
    """A text of bounded length.

    Args:
        head: its beginning; all of it where nothing was left out.
        omitted: how many characters are not shown between head and tail.
        tail: its end.
    """

    head: str
    omitted: int = 0
    tail: str = ""


def clip(text: str, limit: int, *, tail_share: float = 0.25) -> Clipped:
    """Return at most ``limit`` characters of the text: its beginning and its end.

    Args:
        text: any text.
        limit: most characters to keep.
        tail_share: share of them that is taken from the end (where an answer stops is evidence).
    """
    if len(text) <= limit:
        return Clipped(text)
    tail = int(limit * tail_share)
    head = limit - tail
    return Clipped(text[:head], len(text) - limit, text[len(text) - tail :] if tail else "")
