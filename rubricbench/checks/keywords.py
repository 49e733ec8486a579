"""Families about which words, phrases, letters and commas occur."""

from __future__ import annotations

import re

from rubricbench.checks.bounds import amount, bad_bounds, bounds, counted, times
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import count_phrase, graphemes, searchable
from rubricbench.checks.wording import quote, quote_short, quoted_series, short_series

_KEYWORDS = {"keywords": Param("list[str]", "words or phrases", minimum=1, maximum=100)}
_KEYWORD = Param("str", "a word or phrase", minimum=1, maximum=200)
_LETTER = Param("str", "one letter", minimum=1, maximum=20)

# Latin, Chinese, Japanese, Arabic, Armenian-style, Mongolian, Ethiopic, N'Ko, Lisu, Vai, Bamum.
_COMMAS = ",，、﹐﹑､،⹁⸲⸴᠂᠈፣߸꓾꘍꛵"


# The combining diacritical marks; vowel signs of other scripts make no other letter.
_ACCENT = "[\u0300-\u036f]"


def _bad_keywords(params: Params) -> str | None:
    blank = any(not searchable(word) for word in params["keywords"])
    return "an empty keyword" if blank else None


def _bad_keyword(params: Params) -> str | None:
    return bad_bounds(params) if searchable(params["keyword"]) else "an empty keyword"


def _bad_letter(params: Params) -> str | None:
    letter = params["letter"]
    if len(graphemes(letter)) != 1 or not letter.strip():
        return f"not a single letter: {letter!r:.40}"
    return bad_bounds(params)


def _the_words(keywords: list[str], conjunction: str) -> str:
    noun = "phrase" if any(" " in word for word in keywords) else "word"
    plural = "s" if len(keywords) > 1 else ""
    return f"the {noun}{plural} {quoted_series(keywords, conjunction)}"


@family(
    "keywords_include",
    describe=lambda p: f"The response contains {_the_words(p['keywords'], 'and')}.",
    params=_KEYWORDS,
    validate=_bad_keywords,
    passes=[
        ({"keywords": ["river", "old bridge"]}, "The River runs under the *old\nbridge*."),
        ({"keywords": ["don't"]}, "Please don’t."),
        ({"keywords": ["猫"]}, "黒猫がいる。"),
    ],
    fails=[
        ({"keywords": ["river", "bridge"]}, "The river is wide."),
        ({"keywords": ["art"]}, "A party to start."),
    ],
)
def keywords_include(text: str, params: Params) -> Outcome:
    """Every keyword occurs, as whole words, in whatever case."""
    missing = [word for word in params["keywords"] if not count_phrase(text, word, limit=1)]
    return Outcome(not missing, f"missing {short_series(missing)}" if missing else "all found")


@family(
    "keywords_exclude",
    describe=lambda p: f"The response does not contain {_the_words(p['keywords'], 'or')}.",
    params=_KEYWORDS,
    validate=_bad_keywords,
    passes=[
        ({"keywords": ["art"]}, "A party to start."),
        ({"keywords": ["very", "in fact"]}, "Facts matter in every case."),
    ],
    fails=[
        ({"keywords": ["very", "really"]}, "It is _VERY_ cold."),
        ({"keywords": ["in fact"]}, "It is in\nfact cold."),
    ],
)
def keywords_exclude(text: str, params: Params) -> Outcome:
    """None of the keywords occurs as whole words, in whatever case."""
    found = [word for word in params["keywords"] if count_phrase(text, word, limit=1)]
    return Outcome(not found, f"found {short_series(found)}" if found else "none found")


@family(
    "keyword_frequency",
    describe=lambda p: (
        f"The response does not use {_the_words([p['keyword']], 'or')}."
        if p["maximum"] == 0
        else f"The response uses {_the_words([p['keyword']], 'and')} {times(p)}."
    ),
    **(bounds("occurrences", keyword=_KEYWORD) | {"validate": _bad_keyword}),
    passes=[
        ({"keyword": "tea", "minimum": 2}, "Tea, or more tea?"),
        ({"keyword": "tea", "maximum": 1}, "Tea for a team."),
    ],
    fails=[
        ({"keyword": "tea", "minimum": 2}, "Tea for a team."),
        ({"keyword": "tea", "minimum": 1, "maximum": 1}, "Tea, or more tea?"),
    ],
)
def keyword_frequency(text: str, params: Params) -> Outcome:
    """How often a word or phrase occurs, as whole words, in whatever case."""
    found = counted(count_phrase(text, params["keyword"]), params, "occurrence")
    return Outcome(found.met, f"{found.evidence} of {quote_short(params['keyword'])}")


@family(
    "letter_frequency",
    describe=lambda p: (
        f"The response contains {amount(p, 'occurrence')} of the letter {quote(p['letter'])}, "
        "upper or lower case."
    ),
    **(bounds("occurrences", letter=_LETTER) | {"validate": _bad_letter}),
    passes=[
        ({"letter": "e", "minimum": 3}, "Eleven"),
        ({"letter": "Q", "maximum": 0}, "No such letter."),
        ({"letter": "é", "minimum": 1}, "Cafe\u0301"),
        ({"letter": "q", "maximum": 1}, "q, not q\u0308"),
    ],
    fails=[
        ({"letter": "e", "minimum": 3}, "Ten eggs"),
        ({"letter": "Z", "maximum": 1}, "Zigzag"),
    ],
)
def letter_frequency(text: str, params: Params) -> Outcome:
    """How often a letter occurs, upper or lower case; with another accent it is another letter."""
    letter, lowered = params["letter"].lower(), text.lower()
    found = lowered.count(letter)
    if not lowered.isascii():  # NFC has no single character for some, such as q with a diaeresis
        found -= len(re.findall(re.escape(letter) + _ACCENT, lowered))
    return counted(found, params, "occurrence")


@family(
    "no_commas",
    describe=lambda p: "The response contains no commas.",
    passes=[({}, "One clause only; then another."), ({}, "It costs 1000 or 1.000.")],
    fails=[({}, "First, second."), ({}, "你好，世界。")],
)
def no_commas(text: str, params: Params) -> Outcome:
    """No comma of any script, in numbers neither."""
    found = sum(map(text.count, "," if text.isascii() else _COMMAS))
    return counted(found, {"minimum": None, "maximum": 0}, "comma")
