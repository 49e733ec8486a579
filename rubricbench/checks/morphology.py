"""The forms of an English word: plural, past, comparative and the like, from its base form.

Forms come from LemmInflect's dictionary (the NIH SPECIALIST lexicon, regular and irregular forms by
part of speech). A word that it does not know, or knows without any form, is inflected by the
regular rules of noun and verb; what these make too much ("datas") is no word and does no harm.
Nothing is downloaded and nothing is guessed by a model.
"""

from __future__ import annotations

from functools import lru_cache

from rubricbench.checks.text import fold, words
from rubricbench.checks.text.characters import CACHED_TEXTS

_VOWELS = frozenset("aeiou")
_SHORT = {"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"}


@lru_cache(maxsize=1024)
def forms(lemma: str) -> frozenset[str]:
    """Return the forms of a word given in its base form, folded for comparison."""
    found, tags = _listed(lemma)
    is_adverb = bool(tags) and not any(tag.startswith(("NN", "VB")) for tag in tags)
    if found <= {lemma, lemma.lower()} and not is_adverb:
        found |= regular_forms(lemma.lower())
    return frozenset(fold(form) for form in found | {lemma})


@lru_cache(maxsize=1024)
def base_forms(word: str) -> tuple[str, ...]:
    """Return what a word is a form of, () where the dictionary has it as a base form too."""
    from lemminflect import getAllLemmas

    if _listed(word)[1]:
        return ()
    bases = {base for options in getAllLemmas(word.lower()).values() for base in options}
    return () if word.lower() in bases else tuple(sorted(bases))


def _listed(lemma: str) -> tuple[set[str], set[str]]:
    """Return the dictionary's forms of a word and their part-of-speech tags."""
    from lemminflect import getAllInflections

    entry = getAllInflections(lemma.lower()) or getAllInflections(lemma)
    return {form for options in entry.values() for form in options}, set(entry)


def regular_forms(word: str) -> set[str]:
    """Return the forms that a regular English noun or verb has."""
    after_consonant = word[-2:-1] not in _VOWELS
    if word.endswith("y") and after_consonant:
        return {word[:-1] + "ies", word[:-1] + "ied", word + "ing"}
    if word.endswith("e"):
        stem = word if word.endswith(("ee", "oe", "ye")) else word[:-1]
        return {word + "s", word + "d", stem + "ing"}
    plural = {word + "es"} if word.endswith(("s", "x", "z", "ch", "sh")) else {word + "s"}
    if word.endswith("o"):
        plural.add(word + "es")
    stems = {word}
    if word[-1:] not in "aeiouwxy" and word[-2:-1] in _VOWELS and word[-3:-2] not in _VOWELS:
        stems.add(word + word[-1])  # blog, blogged; also "refactorred", which is no word
    return plural | {stem + ending for stem in stems for ending in ("ed", "ing")}


@lru_cache(maxsize=CACHED_TEXTS)
def word_set(text: str) -> frozenset[str]:
    """Return the folded words of a text; "dog's", "dogs'" and "they're" count by their first part.

    "isn't" counts as "is", "can't" as "can", "won't" as "will".
    """
    found = set(words(fold(text)))
    for word in [word for word in found if "'" in word]:
        found.add(_SHORT.get(word) or word.split("'")[0].removesuffix("n" * word.endswith("n't")))
    return frozenset(found)
