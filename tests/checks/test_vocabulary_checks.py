"""Words by morphology, first person, variety, readability."""

from __future__ import annotations

import pytest

from rubricbench import checks
from rubricbench.checks.morphology import base_forms, forms, regular_forms, word_set
from rubricbench.checks.readability import syllables
from rubricbench.errors import SchemaError
from rubricbench.schema import Check


def met(name: str, text: str, **params: object) -> bool:
    return checks.run(Check(name, params), text).met


@pytest.mark.parametrize(
    ("lemma", "expected"),
    [
        ("run", {"run", "runs", "ran", "running"}),
        ("child", {"child", "children"}),
        ("be", {"be", "am", "is", "are", "was", "were", "been", "being"}),
        ("good", {"good", "goods", "better", "best"}),
        ("very", {"very"}),
        ("Paris", {"paris", "parises", "parised", "parising", "parissed", "parissing"}),
    ],
)
def test_forms_come_from_the_dictionary_or_else_by_rule(lemma, expected):
    assert forms(lemma) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("blog", {"blogs", "blogged", "blogging", "bloged", "bloging"}),
        ("tidy", {"tidies", "tidied", "tidying"}),
        ("vibe", {"vibes", "vibed", "vibing"}),
        ("box", {"boxes", "boxed", "boxing"}),
        ("agree", {"agrees", "agreed", "agreeing"}),
        ("echo", {"echos", "echoes", "echoed", "echoing"}),
    ],
)
def test_regular_inflection(word, expected):
    assert regular_forms(word) == expected


def test_a_past_tense_is_not_made_for_a_word_that_has_one():
    # By rule "see" would give "seed", and "be" would give "bed".
    assert "seed" not in forms("see")
    assert "bed" not in forms("be")


@pytest.mark.parametrize(
    ("word", "bases"),
    [("ran", ("run",)), ("children", ("child",)), ("better", ()), ("leaf", ()), ("xyzzy", ())],
)
def test_base_forms(word, bases):
    assert base_forms(word) == bases


@pytest.mark.parametrize("lemma", ["ran", "two words", "semi-final", "", "…"])
def test_what_is_no_base_form_of_one_word_is_refused(lemma):
    with pytest.raises(SchemaError, match="bad_check"):
        checks.describe(Check("lemma_include", {"lemmas": [lemma]}))


def test_contractions_and_genitives_count_by_their_first_part():
    assert word_set("isn't can’t they're dogs'") >= {"is", "can", "they", "dogs"}
    assert met("lemma_exclude", "The organs are fine.", lemmas=["organize"])
    assert not met("lemma_exclude", "He Didn’t.", lemmas=["do"])


@pytest.mark.parametrize(
    "text",
    [
        "I think so.", "So do i’ll-wishers: i'll go.", "Give _me_ it.", "OUR house", "We’re here",
        "“I do,” she said.", "A\nI went", "Let's go", "It is ours.", "by myself", "Us too",
        "like mine", "Is it I?",
    ],
)  # fmt: skip
def test_first_person(text):
    assert not met("no_first_person", text)


@pytest.mark.parametrize(
    "text",
    [
        "World War I", "Type I error", "Charles I of England", "I. Overview\nText", "I/O and I-95",
        "A.I. and i.e. this", "the US and Maine (ME)", "a gold mine", "`my_list = me()`",
        "Weekly mystery museum", "# I) Part\nText", "c'est l'I.N.S.",
    ],
)  # fmt: skip
def test_not_first_person(text):
    assert met("no_first_person", text)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("make", 1), ("walked", 1), ("wanted", 2), ("times", 1), ("houses", 2), ("table", 2),
        ("people", 2), ("idea", 3), ("created", 3), ("being", 2), ("beautiful", 3), ("science", 2),
        ("area", 3), ("Mississippi", 4), ("radio", 3), ("million", 2), ("usual", 3),
        ("language", 2), ("serious", 3), ("quiet", 2), ("patient", 2), ("nation", 2), ("the", 1),
        ("rhythm", 1), ("nth", 1), ("é", 1),
    ],
)  # fmt: skip
def test_syllables(word, count):
    assert syllables(word) == count


def test_reading_grade_is_the_published_formula():
    # 12 words in 2 sentences, 13 syllables ("yellow" has two):
    # 0.39·12/2 + 11.8·13/12 − 15.59 = 2.34 + 12.783 − 15.59 = −0.467
    text = "The yellow cat sat on the mat. It was a hot day."
    outcome = checks.run(Check("reading_grade", {"maximum": -0.4}), text)
    assert outcome == (True, "grade -0.5")
    assert not met("reading_grade", text, maximum=-0.5)


def test_distinct_words_are_counted_without_case():
    # "The", "the", "cat", "CAT": 2 of 4
    assert met("distinct_words_ratio", "The the cat CAT", minimum=0.5)
    assert not met("distinct_words_ratio", "The the cat CAT", minimum=0.51)


def test_first_words_are_compared_without_marks():
    assert not met("first_word_variety", "**The** end. “The” start.", maximum_repeats=1)
    assert met("first_word_variety", "Therefore. The end.", maximum_repeats=1)


def test_repetition_spans_lines_and_ignores_code():
    assert not met("no_repetition", "one two three\nfour. One, two, three!", words=3)
    assert met("no_repetition", "```\na b c\na b c\n```\ntext", words=3)
    assert not met("no_repetition", "word " * 10, words=8)
