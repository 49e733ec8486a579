"""Words, close to the word boundaries of Unicode (UAX #29), the same for every script.

A word is a run of letters, digits and their marks that holds at least one letter or digit.
Apostrophes and full stops join letters ("don't", "e.g"), points and commas join digits ("1,000.5"),
hyphens and slashes separate. Each Han or Hiragana character is a word, as word processors count
them; a run of Thai, Lao, Khmer or Burmese, which write no spaces, is one (a dictionary would be
needed to do better).
"""

from __future__ import annotations

import re
from functools import lru_cache

import regex

from rubricbench.checks.text.characters import CACHED_TEXTS

# Underscores are tried from the first of a run only: a line of 200,000 takes milliseconds.
_ASCII_WORD = re.compile(
    r"(?<!_)_*+[A-Za-z0-9]\w*(?:(?:(?<=[A-Za-z])['.](?=[A-Za-z])|(?<=[0-9])[.,;'](?=[0-9]))\w+)*",
    re.ASCII,
)

# For texts of Latin, Greek and Cyrillic letters, punctuation and simple emoji, which need neither
# marks nor invisible joiners nor scripts without spaces: `re` has the same words in half the time.
_NOT_SIMPLE = re.compile(
    "[^\x00-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e"
    "\u2070-\u208e\u20a0-\u20bf\u2100-\u2bff\U0001f300-\U0001faff]"
)
_SIMPLE_WORD = re.compile(
    r"(?<!_)_*+[^\W_]\w*(?:(?:(?<=[^\W\d_])['’.·](?=[^\W\d_])|(?<=\d)[.,;'’](?=\d))\w+)*"
)

# Marks (accents, vowel signs) and the invisible joiners belong to the character before them.
_INSIDE = r"[\p{L}\p{N}\p{M}_\u00ad\u200c-\u200f\u2060--[\p{Han}\p{Hiragana}]]*+"
_LETTER = r"\p{L}\p{Nl}\p{No}"
_WORD = regex.compile(
    rf"""(?V1)[\p{{Han}}\p{{Hiragana}}]\p{{M}}*+
    | (?<!_)_*+[\p{{L}}\p{{N}}]{_INSIDE}
      (?:(?:(?<=[{_LETTER}\p{{M}}])['’.·](?=[{_LETTER}])
            |(?<=\p{{Nd}})[.,;'’](?=\p{{Nd}})){_INSIDE})*+
    """,
    regex.VERBOSE,
)


@lru_cache(maxsize=CACHED_TEXTS)
def words(text: str) -> tuple[str, ...]:
    """Return the words in order, as they are written."""
    return split_words(text)


def split_words(text: str) -> tuple[str, ...]:
    """Return the words without keeping them: for pieces, which would crowd out whole texts."""
    if text.isascii():
        return tuple(_ASCII_WORD.findall(text))
    pattern = _WORD if _NOT_SIMPLE.search(text) else _SIMPLE_WORD
    return tuple(pattern.findall(text))
