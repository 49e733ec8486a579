"""Families about the choice of words: by morphology, variety, repetition, first person."""

from __future__ import annotations

import re
from collections import Counter

from rubricbench.checks.morphology import base_forms, forms, word_set
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import fold, prose, sentences, split_words, words
from rubricbench.checks.text.inline import without_code
from rubricbench.checks.wording import quote_short, quoted_series, short_series

_LEMMAS = {
    "lemmas": Param("list[str]", "words in their base form", minimum=1, maximum=50),
    "language": Param("str", "language of the words", "en", choices=("en",)),
}


def _bad_lemmas(params: Params) -> str | None:
    for lemma in params["lemmas"]:
        if split_words(lemma) != (lemma,):
            return f"not a single word: {lemma!r:.60}"
        if bases := base_forms(lemma):
            return f"{lemma!r:.60} is a form of {' and '.join(bases)}: give the base form"
    return None


@family(
    "lemma_include",
    describe=lambda p: (
        f"The response uses {_each(p['lemmas'])} in some grammatical form (plural, past tense and "
        "the like count)."
    ),
    params=_LEMMAS,
    validate=_bad_lemmas,
    passes=[
        ({"lemmas": ["child", "run"]}, "The children ran home."),
        ({"lemmas": ["leaf"]}, "Autumn leaves fall."),
        ({"lemmas": ["blog"]}, "She Blogged about it."),
        ({"lemmas": ["dog"]}, "It is the dog’s."),
    ],
    fails=[
        ({"lemmas": ["child", "run"]}, "The children of the runner."),
        ({"lemmas": ["see"]}, "A seed is a thing."),
    ],
)
def lemma_include(text: str, params: Params) -> Outcome:
    """Each word occurs in at least one of its inflected forms (`morphology.forms`).

    Inflection only: "runner" is another word than "run", "analyze" than "analyse". Spelling
    decides, not meaning: "leaves" is a form of "leaf" and of "leave".
    """
    found = word_set(text)
    missing = [lemma for lemma in params["lemmas"] if found.isdisjoint(forms(lemma))]
    return Outcome(not missing, f"missing {short_series(missing)}" if missing else "all found")


@family(
    "lemma_exclude",
    describe=lambda p: (
        f"The response does not use the word{'' if len(p['lemmas']) == 1 else 's'} "
        f"{quoted_series(p['lemmas'], 'or')} in any grammatical form (plural, past tense and the "
        "like)."
    ),
    params=_LEMMAS,
    validate=_bad_lemmas,
    passes=[
        ({"lemmas": ["delve"]}, "We dig deeper."),
        ({"lemmas": ["run", "good"]}, "The runner felt well."),
    ],
    fails=[
        ({"lemmas": ["delve"]}, "Delving deeper, we find gold."),
        ({"lemmas": ["run", "good"]}, "That was the best of all."),
    ],
)
def lemma_exclude(text: str, params: Params) -> Outcome:
    """None of the words occurs in any inflected form (see `lemma_include`)."""
    present = word_set(text)
    found = [form for lemma in params["lemmas"] for form in sorted(present & forms(lemma))]
    return Outcome(not found, f"found {short_series(found)}" if found else "none found")


def _each(lemmas: list[str]) -> str:
    return f"{'the word' if len(lemmas) == 1 else 'each of the words'} {quoted_series(lemmas)}"


@family(
    "distinct_words_ratio",
    describe=lambda p: (
        "The number of different words in the response is at least "
        f"{100 * p['minimum']:.10g}% of its number of words."
    ),
    params={
        "minimum": Param("float", "different words per word, above 0 to 1", minimum=0, maximum=1)
    },
    validate=lambda p: None if p["minimum"] > 0 else "minimum 0: every response would meet it",
    passes=[
        ({"minimum": 1.0}, "All of these are different."),
        ({"minimum": 0.5}, "One One two two"),
    ],
    fails=[
        ({"minimum": 0.9}, "Again and again and again."),
        ({"minimum": 0.1}, "…"),
    ],
)
def distinct_words_ratio(text: str, params: Params) -> Outcome:
    """Different words, case aside, divided by words."""
    found = words(fold(text))
    if not found:
        return Outcome(False, "no words")
    ratio = len(set(found)) / len(found)
    return Outcome(ratio >= params["minimum"], f"{ratio:.3f} of {len(found):,} words")


@family(
    "first_word_variety",
    describe=lambda p: (
        "No two sentences of the response begin with the same word."
        if p["maximum_repeats"] == 1
        else f"No more than {p['maximum_repeats']} sentences of the response begin with the same "
        "word."
    ),
    params={
        "maximum_repeats": Param(
            "int", "most sentences that begin with one word", minimum=1, maximum=1000
        )
    },
    passes=[
        ({"maximum_repeats": 1}, "It rains. We stay. Why not?"),
        ({"maximum_repeats": 2}, "The cat sat. *The* dog ran. A bird sang."),
    ],
    fails=[
        ({"maximum_repeats": 1}, "The cat sat. the dog ran."),
        ({"maximum_repeats": 2}, "- It is.\n- It was.\n- It will be."),
    ],
)
def first_word_variety(text: str, params: Params) -> Outcome:
    """How many sentences (`text.sentences`) begin with the commonest first word, case aside."""
    openings = (split_words(one[:100]) for one in sentences(text))
    firsts = Counter(fold(opening[0]) for opening in openings if opening)
    if not firsts:
        return Outcome(False, "no sentence")
    word, times = firsts.most_common(1)[0]
    met = times <= params["maximum_repeats"]
    return Outcome(met, f"{times} begin with {quote_short(word)}" if times > 1 else "all differ")


@family(
    "no_repetition",
    describe=lambda p: f"No run of {p['words']} words occurs twice in the response.",
    params={"words": Param("int", "length of the run", 8, minimum=3, maximum=200)},
    passes=[
        ({"words": 3}, "We go home and we go there."),
        ({}, "Too short to repeat itself. Too short to repeat itself."),
    ],
    fails=[
        ({"words": 3}, "We go home. Then we go\nhome!"),
        ({"words": 4}, "ha ha ha ha ha"),
    ],
)
def no_repetition(text: str, params: Params) -> Outcome:
    """No sequence of so many words comes back, case and punctuation aside; code does not count."""
    found, size = words(fold(prose(text))), params["words"]
    seen: set[tuple[str, ...]] = set()
    for run in zip(*(found[i:] for i in range(size)), strict=False):
        if run in seen:
            return Outcome(False, f"twice: {quote_short(' '.join(run))}")
        seen.add(run)
    return Outcome(True, "nothing repeated")


_PERSON = re.compile(
    r"""(?<![^\W_])(?<![.'’/-])
    (?:I(?![/&.-][^\W_]) | [Mm]e | [Uu]s | [Mm][Yy] | [Mm]ine | [Mm]yself | MYSELF | [Ww][Ee]
    | [Oo]urs? | OURS? | [Oo]ursel(?:f|ves) | [Ll]et['’]s | i['’](?:m|ve|ll|d))
    (?![^\W_])""",
    re.VERBOSE,
)


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# After these "I" is a numeral.
_NUMERAL_NOUNS = _listed(
    "war type part phase chapter section class grade stage level volume article act book title "
    "schedule factor table figure group appendix annex division tier category region zone axis "
    "unit module step theorem lemma mark apollo saturn "
    "elizabeth charles james henry william george napoleon nicholas alexander peter wilhelm "
    "francis frederick edward otto leopold ramesses darius xerxes constantine theodosius catherine "
    "mary paul pius richard robert david philip louis pedro umberto ferdinand joseph"
)
_OWNED = _listed("of is are was were be as like than to with and")


@family(
    "no_first_person",
    describe=lambda p: (
        "The response is not written in the first person: no “I”, “me”, “my”, “mine”, “we”, “us”, "
        "“our” or the like."
    ),
    passes=[
        ({}, "World War I began; the US joined. A gold mine, I/O, A.I. and the I-95."),
        ({}, "I. First point\n\nCharles I was king. Call `me()`."),
    ],
    fails=[
        ({}, "It seems to me."),
        ({}, "I’m sure."),
        ({}, "Let’s go."),
        ({}, "That book is mine."),
        ({}, "War is what I hate."),
    ],
)
def no_first_person(text: str, params: Params) -> Outcome:
    """No English pronoun of the first person, singular or plural, outside code.

    I, me, my, mine, myself, we, us, our, ours, ourselves, let's. Not counted: "US"; "mine" unless
    something "is mine" or is "of mine"; "I" as a numeral ("World War I", "Type I", "Charles I",
    "I." before a list item) or in a compound (I/O, I-95, A.I.). Quoted speech counts.
    """
    text = without_code(text)
    for match in _PERSON.finditer(text):
        if _is_pronoun(text, match):
            return Outcome(False, quote_short(text[max(match.start() - 15, 0) : match.end() + 15]))
    return Outcome(True, "none")


def _is_pronoun(text: str, match: re.Match[str]) -> bool:
    if match[0] != "I" and match[0].lower() != "mine":
        return True
    before = text[max(match.start() - 24, 0) : match.start()]
    previous = before.split()[-1].lower() if before.split() else ""
    if match[0] != "I":
        return previous in _OWNED
    opens_line = not before.rpartition("\n")[2].strip(" \t#*(")
    is_list_marker = opens_line and text[match.end() : match.end() + 1] in (".", ")")
    return not is_list_marker and previous not in _NUMERAL_NOUNS
