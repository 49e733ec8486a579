"""No check hangs: texts made to be slow for a pattern that looks ahead or goes back."""

from __future__ import annotations

import pytest

from rubricbench import checks
from rubricbench.checks.registry import MAX_CHECKED_CHARS
from rubricbench.checks.text import graphemes
from rubricbench.checks.text.words import split_words
from rubricbench.schema import Check

CHARS = 20_000
# Openings without an end, runs of marks, and pieces that almost are what a family looks for.
UNITS = (
    *"_*`#[(|>-.,1 \n~<{\"'\\",
    *("**a", "[1,", "[a](", "](", "- a\n", "|a|\n", "|-|\n", "```\n", "***\n", "<<", "1.", "e.g."),
    *(
        "twenty ",
        "1,000,",
        "(Smith, 2020; ",
        "http://",
        "P.S. ",
        "don't ",
        "e\u0301",
        "猫",
        "👩‍",
        "🇩",
        "🇩🇪\u0301",
        "क्",
    ),
)


@pytest.mark.parametrize("unit", UNITS)
def test_every_family_is_through_with_a_text_made_to_be_slow(unit):
    text = (unit * CHARS)[:CHARS]
    for name, family in checks.registered().items():
        params, _ = [*family.passes, *family.fails][0]
        checks.run(Check(name, params), text)


@pytest.mark.parametrize("end", ["", "é"])
def test_words_are_linear_in_a_run_of_underscores(end):
    # Tried from every underscore anew, this takes more than an hour.
    assert split_words("_" * (MAX_CHECKED_CHARS - 1) + end) == (
        (("_" * (MAX_CHECKED_CHARS - 1) + end),) if end else ()
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__init__ and _x", ("__init__", "and", "_x")),
        ("_ __ a", ("a",)),
        ("漢_a _漢", ("漢", "_a", "_漢")),
    ],
)
def test_underscores_belong_to_the_word_they_touch(text, words):
    assert split_words(text) == words


def test_characters_are_linear_in_a_run_of_flags():
    assert graphemes("🇩🇪" * 250_000) == ("🇩🇪",) * 250_000


def test_numbers_too_large_to_be_held_are_stated_by_nobody():
    text = "one " + "million " * 2_000
    assert not checks.run(Check("states_number", {"value": 1e300, "tolerance": 1e200}), text).met
