"""Characters: the normal form of a text, the form for comparison, what a reader counts as one."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import Any

# Responses are checked one after another, each by several checks: a few entries are enough, and a
# small cache cannot hold much memory even for the longest texts.
CACHED_TEXTS = 4

_LINE_ENDS = ("\r", "\x85", "\u2028", "\u2029")

_FOLDED = {
    **dict.fromkeys("‘’‚‛ʼ′＇`´", "'"),
    **dict.fromkeys("“”„‟″＂«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000", " "),
    **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),
    "…": "...",
    # Invisible: soft hyphen, zero-width space, word joiner, byte order mark.
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
}
_FOLDABLE = re.compile(f"[{''.join(_FOLDED)}]")  # eight times as fast as str.translate

_SAYS_NOTHING = f"{string.whitespace}{string.punctuation}‘’“”«»…–—。、！？"


@lru_cache(maxsize=CACHED_TEXTS)
def normalize(text: str) -> str:
    """Return the text in NFC, every line end as ``\\n``, lone surrogates as U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if text.isascii():
        return text.replace("\r", "\n")
    for end in _LINE_ENDS:
        if end in text:
            text = text.replace(end, "\n")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=CACHED_TEXTS)
def fold(text: str) -> str:
    """Return the form for comparison: caseless, straight quotes, plain hyphens and spaces.

    A text and its curly-quoted, non-breaking or upper-case twin fold to the same string. Positions
    in it are not positions in the text ("ß" folds to "ss").
    """
    if text.isascii():
        return text.lower().replace("`", "'")
    plain = _FOLDABLE.sub(lambda match: _FOLDED[match[0]], text)
    return unicodedata.normalize("NFC", plain.casefold())


def graphemes(text: str) -> tuple[str, ...]:
    """Return the user-perceived characters (UAX #29 extended grapheme clusters)."""
    if text.isascii():
        return tuple(text)
    return tuple(_grapheme().findall(text))


@lru_cache(maxsize=1)
def _grapheme() -> Any:
    """Return a pattern of one character; flags by themselves, which ``\\X`` reads quadratically."""
    import regex

    return regex.compile(
        r"\p{Regional_Indicator}{1,2}+[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*+|\X"
    )


def says_something(text: str) -> bool:
    """Tell whether there is more than white space and punctuation: a letter, a number, an emoji."""
    return bool(text.strip(_SAYS_NOTHING))


def count_graphemes(text: str) -> int:
    """Return how many user-perceived characters there are."""
    if text.isascii() or not _joining().search(text):
        return len(text)
    return len(graphemes(text))


@lru_cache(maxsize=1)
def _joining() -> Any:
    """Return a pattern of the characters that may be one with a neighbour; line ends are not."""
    import regex

    return regex.compile(r"(?V1)[\P{GCB=Other}--\p{GCB=Control}--[\r\n]]")


def clip(text: str, limit: int = 60) -> str:
    """Return the text on one line, cut to ``limit`` characters with an ellipsis."""
    head = " ".join(text[: 4 * limit].split())
    return head if len(head) <= limit and len(text) <= 4 * limit else head[: limit - 1] + "…"
