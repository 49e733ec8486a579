"""Openings, order of mention, named lines, patterns, lengths, marks."""

from __future__ import annotations

import pytest

from rubricbench import checks
from rubricbench.checks.style import prose_paragraphs
from rubricbench.checks.text import count_graphemes, graphemes
from rubricbench.checks.text.emoji import emoji
from rubricbench.errors import SchemaError
from rubricbench.schema import Check


def met(name: str, text: str, **params: object) -> bool:
    return checks.run(Check(name, params), text).met


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("> **In short**, yes", "in short", True),
        ("In\nshort: yes", "In short", True),
        ("In shorthand", "In short", False),
        ("- Yes", "yes", True),
        ("“Yes”", '"Yes"', True),
        ("Sure! Yes", "Yes", False),
        ("Don’t", "Don't", True),
        ("Well-known", "Well", False),
    ],
)
def test_a_response_starts_with_whole_words(text, phrase, expected):
    assert met("starts_with", text, phrase=phrase) is expected


def test_mentions_are_ordered_by_their_first_whole_word_occurrence():
    assert met("ordered_mentions", "Starting with art, then craft and art.", terms=["art", "craft"])
    assert not met("ordered_mentions", "Party, craft, art.", terms=["art", "craft"])
    assert not met("ordered_mentions", "tea", terms=["tea", "tea"])


def test_sentences_are_counted_from_both_ends():
    text = "# Title\n\nFirst one. Second one! Third one?"
    assert met("keyword_in_sentence", text, keyword="first")
    assert met("keyword_in_sentence", text, keyword="third", nth=-1)
    assert met("keyword_in_sentence", text, keyword="second", nth=-2)
    assert not met("keyword_in_sentence", text, keyword="third", nth=4)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Name: Ada", True),
        ("- **Name:** Ada", True),
        ("* `name` : Ada", True),
        ("1. NAME：Ada", True),
        ("Name:", False),
        ("Name: …", False),
        ("Surname: Ada", False),
        ("| Name: Ada |", False),
        ("Name = Ada", False),
    ],
)
def test_a_key_opens_its_line(row, expected):
    assert met("key_value_lines", f"Text.\n{row}\n", keys=["Name"]) is expected


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{2000}", "[z-a]"])
def test_a_pattern_that_re2_refuses_is_a_bad_check(pattern):
    with pytest.raises(SchemaError, match="bad_check"):
        checks.describe(Check("regex_match", {"pattern": pattern}))


def test_patterns_are_linear_and_see_unicode():
    assert not met("regex_match", "a" * 200_000 + "b", pattern="(a+)+$")
    assert met("regex_match", "naïve café", pattern=r"\bcaf\pL$")
    assert met("regex_match", "a\nb", pattern="(?s)a.b", full=True)
    assert not met("regex_match", "a\nb", pattern="a.b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("👨‍👩‍👧‍👦", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩", 0),
        ("1️⃣ #️⃣", 2),
        ("👍🏿☝🏽", 2),
        ("❤️ ❤ ✔ ™ © ↔ → ✓", 1),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("👩🏽‍💻🏳️‍🌈❤️‍🔥", 3),
        ("123 * #", 0),
    ],
)
def test_emoji_are_counted_as_they_are_seen(text, expected):
    assert len(emoji(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "é",
        "e\u0301",
        "👨‍👩‍👧",
        "🇩🇪",
        "\u1100\u1161\u11a8",
        "“a”",
        "ไก่",
        "हिन्दी",
        "a\u200db",
        "\u0600x",
        "क्ष",
    ],
)
def test_counting_characters_agrees_with_listing_them(text):
    assert count_graphemes(text) == len(graphemes(text))


def test_lengths_are_in_characters_that_a_reader_counts():
    family = "👨‍👩‍👧‍👦"  # 7 code points
    assert met("character_count", f" {family}e\u0301! \n", minimum=3, maximum=3)
    assert met("max_line_length", f"{family}{family}  \nab", maximum=2)


def test_paragraphs_are_the_prose_between_the_structure():
    text = (
        "# Title\nDirectly below.\n\n- item\n  more of it\n\n  still it\n\nPlain\ntext.\n\n"
        "| a |\n|---|\n| b |\n\n---\n\n```\ncode\n```\nAfter code.\n\nSetext\n------\nEnd."
    )
    assert prose_paragraphs(text) == ["Directly below.", "Plain text.", "After code.", "End."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Why?", 1),
        ("What?! No??", 2),
        ("¿Qué? 何？ ماذا؟", 3),
        ("See https://e.org/?q=1&r=? and `x ? y : z`", 0),
        ("“Why?” he asked.", 1),
        ("No!!", 0),
    ],
)
def test_questions_are_runs_of_question_marks(text, expected):
    assert met("question_count", text + " x", minimum=expected, maximum=expected)


def test_an_acrostic_is_the_whole_response_and_nothing_else():
    assert met("acrostic", "* Über\n* Nah", letters="un")
    assert met("acrostic", "Hot\nOwl\n\nMice\nEat", letters="HO ME")
    assert not met("acrostic", "Un\nNah\nExtra", letters="un")
    with pytest.raises(SchemaError, match="letters only"):
        checks.describe(Check("acrostic", {"letters": "a1"}))


@pytest.mark.parametrize("symbols", [["ab"], ["a"], [" "], [""]])
def test_symbols_are_single_marks(symbols):
    with pytest.raises(SchemaError, match="bad_check"):
        checks.describe(Check("symbol_count", {"symbols": symbols, "maximum": 1}))


def test_a_symbol_given_twice_counts_once():
    assert met("symbol_count", "a! b!", symbols=["!", "!"], minimum=2, maximum=2)


@pytest.mark.parametrize(
    ("name", "params", "sentence"),
    [
        ("symbol_count", {"symbols": ["—"], "maximum": 0}, "The response contains no “—”."),
        (
            "symbol_count",
            {"symbols": ["!", "?"], "maximum": 1},
            "The response contains at most 1 occurrence of “!” and “?” in all.",
        ),
        (
            "first_word_variety",
            {"maximum_repeats": 1},
            "No two sentences of the response begin with the same word.",
        ),
        ("ordered_mentions", {"terms": ["tea"]}, "The response mentions “tea”."),
        ("question_count", {"maximum": 0}, "The response asks no questions."),
        (
            "states_number",
            {"value": 1500000, "unit": "$"},
            "The response states the number $1,500,000.",
        ),
        ("states_number", {"value": 12, "unit": "%"}, "The response states the number 12%."),
        (
            "citation_count",
            {"style": "numeric", "minimum": 2, "distinct": True},
            "The response contains citations of at least 2 different sources in the form [1].",
        ),
        (
            "keyword_in_sentence",
            {"keyword": "tea", "nth": -2},
            "The second sentence from the end of the response mentions “tea”.",
        ),
    ],
)
def test_descriptions_read_as_sentences(name, params, sentence):
    assert checks.describe(Check(name, params)) == sentence
