"""Readability by formula."""

from __future__ import annotations

import re
from functools import lru_cache

from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import prose, sentences, words

_VOWEL_RUN = re.compile(r"[aeiouy]+")
_SILENT_ENDING = re.compile(r"(?:[^laeiouy]e|[^aeioutdy]ed|[^aeioucgszxy]es)$")
_HIATUS = re.compile(
    r"(?<![ctsgxln])i[ao]|(?<![gq])ua|(?<=[aeiou][^aeiou])ea$|[aeiouy]ing$|(?<=sc)ien|iet"
    r"|creat(?!ure)"
)


def _bad_grades(params: Params) -> str | None:
    low, high = params["minimum"], params["maximum"]
    if low is None and high is None:
        return "needs minimum or maximum"
    if low is not None and high is not None and low > high:
        return f"minimum {low} is above maximum {high}"
    return None


@family(
    "reading_grade",
    describe=lambda p: (
        f"The response has a Flesch-Kincaid reading grade {_grades(p['minimum'], p['maximum'])}."
    ),
    params={
        "minimum": Param("float", "lowest grade allowed", None, minimum=-5, maximum=50),
        "maximum": Param("float", "highest grade allowed", None, minimum=-5, maximum=50),
    },
    validate=_bad_grades,
    passes=[
        ({"maximum": 3}, "The cat sat on the mat. It was a hot day. The dog ran home."),
        (
            {"minimum": 12},
            "Epidemiological investigations occasionally demonstrate statistically significant "
            "associations notwithstanding considerable methodological heterogeneity.",
        ),
    ],
    fails=[
        ({"maximum": 8}, "Institutional accountability necessitates comprehensive documentation."),
        ({"maximum": 8}, "12, 34; 56."),
    ],
)
def reading_grade(text: str, params: Params) -> Outcome:
    """The Flesch-Kincaid grade of the English prose (Kincaid et al., 1975), code aside.

    0.39·words/sentences + 11.8·syllables/words − 15.59. Words are those that start with a letter,
    sentences as in `text.sentences`. Syllables are counted by rule (`syllables`), which is right
    for nearly all common words and off by one for a few.
    """
    found = [word for word in words(prose(text)) if word[0].isalpha()]
    count = len(sentences(text))
    if not found or not count:
        return Outcome(False, "no sentence")
    spoken = sum(map(syllables, found))
    grade = 0.39 * len(found) / count + 11.8 * spoken / len(found) - 15.59
    low, high = params["minimum"], params["maximum"]
    met = (low is None or grade >= low) and (high is None or grade <= high)
    return Outcome(met, f"grade {grade:.1f}")


@lru_cache(maxsize=32768)
def syllables(word: str) -> int:
    """Count the syllables of an English word by its spelling; at least one.

    Each run of a, e, i, o, u, y is one; a final e, ed or es that is not spoken ("make", "walked",
    "times") is none; two vowels that are spoken apart ("radio", "being", "idea") are two.
    """
    word = word.lower()[:100]
    runs = len(_VOWEL_RUN.findall(word)) + len(_HIATUS.findall(word))
    return max(runs - (1 if runs > 1 and _SILENT_ENDING.search(word) else 0), 1)


def _grades(low: float | None, high: float | None) -> str:
    if low is None:
        return f"of at most {high:g}"
    if high is None:
        return f"of at least {low:g}"
    return f"between {low:g} and {high:g}"
