"""Families about upper and lower case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rubricbench.checks.bounds import amount, bounds, counted
from rubricbench.checks.language import LANGUAGE_CHOICES, in_language, language_name
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import words
from rubricbench.checks.wording import quote_short

_LANGUAGE = {
    "language": Param("str", "language it must be in as well", None, choices=LANGUAGE_CHOICES)
}
_WORD_GAP = re.compile(r"[\s|/–—…]+")
_POSSESSIVES = ("'s", "’s")


def _in(params: Params) -> str:
    code = params["language"]
    return f", in {language_name(code)}" if code else ""


@family(
    "all_uppercase",
    describe=lambda p: f"The response is written entirely in capital letters{_in(p)}.",
    params=_LANGUAGE,
    passes=[
        ({}, "HELLO, 3 TIMES!"),
        ({"language": "en"}, "THE CAT SAT ON THE MAT AND LOOKED AT THE MOON."),
    ],
    fails=[
        ({}, "HELLO, iPHONE"),
        ({}, "123"),
        ({"language": "en"}, "DIE KATZE SITZT AUF DER MATTE UND SCHAUT ZUM MOND."),
    ],
)
def all_uppercase(text: str, params: Params) -> Outcome:
    """At least one letter and none in lower case; optionally in a language."""
    if not text.isupper():
        return _wrong_case(text, "lower case", str.isupper)
    return _cased_in_language(text, params["language"], "all upper case")


@family(
    "all_lowercase",
    describe=lambda p: f"The response is written entirely in lower-case letters{_in(p)}.",
    params=_LANGUAGE,
    passes=[
        ({}, "hello, 3 times!"),
        ({"language": "en"}, "the cat sat on the mat and looked at the moon."),
    ],
    fails=[
        ({}, "hello World"),
        ({}, "123"),
        ({"language": "fr"}, "the cat sat on the mat and looked at the moon."),
    ],
)
def all_lowercase(text: str, params: Params) -> Outcome:
    """At least one letter and none in upper case; optionally in a language."""
    if not text.islower():
        return _wrong_case(text, "upper case", str.islower)
    return _cased_in_language(text, params["language"], "all lower case")


def _wrong_case(text: str, case: str, is_right: object) -> Outcome:
    same = str.upper if is_right is str.isupper else str.lower
    wrong = next((word for word in words(text) if same(word) != word), None)
    return Outcome(False, f"{case} in {quote_short(wrong)}" if wrong else "no letters of that case")


def _cased_in_language(text: str, code: str | None, found: str) -> Outcome:
    """Judge the language of a text by its lower-case form: profiles know little of capitals."""
    if code is None:
        return Outcome(True, found)
    language = in_language(text.lower(), code)
    return Outcome(language.met, f"{found}, {language.evidence}")


@family(
    "capital_word_frequency",
    describe=lambda p: (
        f"The response contains {amount(p, 'word')} written in all capitals, not counting "
        "single letters."
    ),
    **bounds("words in capitals"),
    passes=[
        ({"minimum": 2}, "NEVER do that at NASA's gate."),
        ({"maximum": 0}, "I said: A cat."),
        ({"minimum": 1, "maximum": 1}, "A STATE-OF-THE-ART device"),
    ],
    fails=[
        ({"minimum": 2}, "I know. I do. NEVER."),
        ({"maximum": 1}, "STOP right NOW."),
    ],
)
def capital_word_frequency(text: str, params: Params) -> Outcome:
    """How many words of two letters or more are all capitals; hyphens join, "I" does not count."""
    return counted(
        sum(1 for _ in _capital_words(text)), params, "word in capitals", "words in capitals"
    )


def _capital_words(text: str) -> Iterator[str]:
    for piece in _WORD_GAP.split(text):
        if piece.islower():
            continue
        word = piece.strip("\"'“”‘’«»()[]{}<>*_`~#.,;:!?-|")
        if word.endswith(_POSSESSIVES):
            word = word[:-2]
        if word.isupper() and sum(map(str.isalpha, word)) > 1:
            yield word
