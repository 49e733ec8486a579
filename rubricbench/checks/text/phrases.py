"""Finding words and phrases: caseless, whole words, blind to the kind of quote, dash and space."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rubricbench.checks.text.characters import CACHED_TEXTS, fold

# Scripts written without spaces between words: a word may begin or end anywhere in them.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

_EDGE = re.compile(rf"[\W_{''.join(f'{chr(low)}-{chr(high)}' for low, high in _UNSPACED)}]")
_CLOSING_MARKS = "\"'*_ "


@lru_cache(maxsize=CACHED_TEXTS)
def searchable(text: str) -> str:
    """Return the folded text with every run of white space as one space."""
    return " ".join(fold(text).split())


def count_phrase(text: str, phrase: str, *, whole_words: bool = True, limit: int = 0) -> int:
    """Count the occurrences of a word or phrase that do not overlap; stop at ``limit`` if given.

    Case, curly quotes, dashes and line breaks make no difference. With ``whole_words`` "art" is not
    found in "party", but it is in "art's" and "_art_". An empty phrase is never found.
    """
    haystack, needle = searchable(text), _needle(phrase)
    if not needle:
        return 0
    if not whole_words and not limit:
        return haystack.count(needle)
    found, at = 0, _find(haystack, needle, 0, whole_words)
    while at >= 0:
        found += 1
        if found == limit:
            break
        at = _find(haystack, needle, at + len(needle), whole_words)
    return found


def find_phrase(text: str, phrase: str) -> int:
    """Return where in `searchable` text a word or phrase first occurs as whole words, or -1."""
    needle = _needle(phrase)
    return _find(searchable(text), needle, 0, True) if needle else -1


def _find(haystack: str, needle: str, start: int, whole_words: bool) -> int:
    at = haystack.find(needle, start)
    while whole_words and at >= 0:
        if not _free_before(haystack, at):
            at = haystack.find(needle, _next_edge(haystack, at))
        elif not _free_after(haystack, at + len(needle)):
            at = haystack.find(needle, at + 1)
        else:
            break
    return at


def starts_with_phrase(text: str, phrase: str) -> bool:
    """Tell whether the text opens with the phrase and the phrase's last word ends there.

    "well" does not open "well-known"; an apostrophe is part of the word as well.
    """
    haystack, needle = searchable(text), _needle(phrase)
    if not needle or not haystack.startswith(needle):
        return False
    end = len(needle)
    inside_compound = (
        haystack[end : end + 1] in ("-", "'") and haystack[end + 1 : end + 2].isalnum()
    )
    return _free_after(haystack, end) and not (inside_compound and needle[-1].isalnum())


def ends_with_phrase(text: str, phrase: str) -> bool:
    """Tell whether the text ends with the phrase, closing quotes and emphasis marks aside."""
    needle = _needle(phrase)
    bare = needle.rstrip(_CLOSING_MARKS) or needle
    haystack = searchable(text)
    if not haystack.endswith(needle):
        haystack, needle = haystack.rstrip(_CLOSING_MARKS), bare
    start = len(haystack) - len(needle)
    return bool(needle) and haystack.endswith(needle) and _free_before(haystack, start)


@lru_cache(maxsize=1024)
def _needle(phrase: str) -> str:
    return " ".join(fold(phrase).split())


def _free_before(text: str, at: int) -> bool:
    """True where a word may begin at ``at``: no letter runs across the edge."""
    if at == 0 or not _in_word(text[at]):
        return True
    before = text[at - 1]
    if before == "_":
        return at == 1 or not _in_word(text[at - 2])
    return not _in_word(before) or _is_unspaced(before) or _is_unspaced(text[at])


def _free_after(text: str, end: int) -> bool:
    if end >= len(text) or not _in_word(text[end - 1]):
        return True
    after = text[end]
    if after == "_":
        return end + 1 >= len(text) or not _in_word(text[end + 1])
    return not _in_word(after) or _is_unspaced(after) or _is_unspaced(text[end - 1])


def _next_edge(text: str, at: int) -> int:
    """Return where a word may next begin: one long word must not be searched letter by letter."""
    edge = _EDGE.search(text, at + 1)
    return edge.start() if edge else len(text)


def _in_word(char: str) -> bool:
    return char.isalnum() or (char > "\u02ff" and unicodedata.category(char)[0] == "M")


def _is_unspaced(char: str) -> bool:
    code = ord(char)
    return code >= 0x0E00 and any(low <= code <= high for low, high in _UNSPACED)
