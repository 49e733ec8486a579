"""The shared reading of texts: characters, words, phrases, sentences, blocks, Markdown."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.checks import text as t
from rubricbench.checks.text.words import _ASCII_WORD, _NOT_SIMPLE, _SIMPLE_WORD, _WORD


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u2028b\u2029c\x85d", "a\nb\nc\nd"),
        ("e\u0301", "é"),
        ("\r\n\u00e9", "\n\u00e9"),
        ("half \ud83d here", "half \ufffd here"),
        ("\ud83d\ude00", "😀"),  # two halves that were kept apart make the emoji
    ],
)
def test_normal_form(raw, normal):
    assert t.normalize(raw) == normal


@given(st.text())
def test_the_normal_form_is_stable(text):
    assert t.normalize(t.normalize(text)) == t.normalize(text)


def test_folding_levels_case_quotes_dashes_and_spaces():
    assert t.fold("Don’t\u00a0STOP — “Straße”") == t.fold('don\'t stop - "strasse"')
    assert t.fold("zero\u200bwidth") == "zerowidth"


def test_graphemes_are_what_a_reader_counts():
    # flag, family, accented letter, Devanagari syllable with its vowel sign: four characters
    assert len(t.graphemes("🇫🇷👩‍👩‍👧e\u0301हि")) == 4
    assert t.graphemes("ab") == ("a", "b")


def test_clip_keeps_evidence_short():
    assert t.clip("a\n b") == "a b"
    assert t.clip("x" * 1000) == "x" * 59 + "…"
    assert len(t.clip(" " * 500 + "x" * 100)) <= 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't, can’t.", ["I", "don't", "can’t"]),
        ("3.14 and 1,000,000.5", ["3.14", "and", "1,000,000.5"]),
        ("state-of-the-art and/or", ["state", "of", "the", "art", "and", "or"]),
        ("the U.S. economy, e.g. now", ["the", "U.S", "economy", "e.g", "now"]),
        ("_emphasis_ ____ snake_case", ["_emphasis_", "snake_case"]),
        ("rock 'n' roll's", ["rock", "n", "roll's"]),
        ("日本です", ["日", "本", "で", "す"]),
        ("コーヒー", ["コーヒー"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("naïve e\u0301te", ["naïve", "e\u0301te"]),
        ("👩‍👩‍👧 … — !", []),
        ("1️⃣ one", ["1️⃣", "one"]),
    ],
)
def test_words(text, expected):
    assert list(t.words(text)) == expected


@given(st.text(alphabet=string.printable))
def test_the_fast_pattern_for_ascii_finds_the_same_words(text):
    assert _ASCII_WORD.findall(text) == _WORD.findall(text)


SIMPLE = [char for char in map(chr, range(0x20000)) if not _NOT_SIMPLE.search(char)]


@given(st.text(alphabet=st.sampled_from([*SIMPLE, *"a1_'.,’" * 400])))
def test_the_fast_pattern_for_simple_scripts_finds_the_same_words(text):
    assert _SIMPLE_WORD.findall(text) == _WORD.findall(text)


def test_both_patterns_take_every_simple_character_for_the_same():
    frames = ("a{}b", "1{}2", "{}.5", "5,{}", "a'{}", "{}’a", "_{}")
    differ = [
        frame.format(char)
        for char in SIMPLE
        for frame in frames
        if _SIMPLE_WORD.findall(frame.format(char)) != _WORD.findall(frame.format(char))
    ]
    assert differ == []


@pytest.mark.parametrize(
    ("text", "phrase", "count"),
    [
        ("Art's party; art.", "art", 2),
        ("_art_ but snake_art", "art", 1),
        ("machine\n  learning, Machine Learning", "machine learning", 2),
        ("can’t", "can't", 1),
        ("C++ and C", "C++", 1),
        ("e\u0301te\u0301 ete", "ete", 1),
        ("黒猫が", "猫", 1),
        ("xab猫ab", "ab", 1),
        ("xab ab", "ab", 1),
        ("xab_ab ab_ _ab", "ab", 2),
        ("aaa", "aa", 0),
        ("anything", "", 0),
        ("anything", " ", 0),
        ("STRASSE", "straße", 1),
    ],
)
def test_phrases_are_found_as_whole_words(text, phrase, count):
    assert t.count_phrase(t.normalize(text), phrase) == count


def test_one_long_word_is_not_searched_letter_by_letter():
    start = time.process_time()
    for length in range(1, 51):
        assert t.count_phrase("a" * 500_000, "a" * length) == 0
    assert time.process_time() - start < 2


def test_phrases_inside_words_on_request_and_up_to_a_limit():
    assert t.count_phrase("party art", "art", whole_words=False) == 2
    assert t.count_phrase("art art art", "art", limit=2) == 2


def test_openings_and_endings_are_whole_words():
    assert t.starts_with_phrase("Well, yes", "well")
    assert not t.starts_with_phrase("Well-known", "well")
    assert not t.starts_with_phrase("I'm", "I")
    assert t.starts_with_phrase("Don’t", "don't")
    assert t.ends_with_phrase("**That is “all.”**", "That is “all.”")
    assert t.ends_with_phrase('so "be it"', "be it")
    assert not t.ends_with_phrase("something", "thing")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. J. R. Lee of Lee Inc. came at 5 p.m. to the U.S. embassy.", 1),
        ("It is in the U.S. He left.", ["It is in the U.S.", "He left."]),
        ("Cats, dogs, etc. are pets. So are e.g. fish.", 2),
        ("Pay $3.50 or 1.000 now. See no. 5. The answer is no. Bye.", 4),
        ('He said "Stop!" and left. "Why?" She knew.', 3),
        ("Wait... what? Well… Yes.", ["Wait... what?", "Well…", "Yes."]),
        ("**Bold.** Next (aside.) End.", 3),
        ("all lower case. no capitals here. none.", 3),
        ("你好。我是李明！对吗？", 3),
        ("यह है। वह था।", 2),
        ("a soft\nline break. Next", ["a soft line break.", "Next"]),
        ("para one\n\npara two", 2),
        ("- item one\n- item two. More.\n1. three", 4),
        ("# Heading\n\nSetext\n---\nOnly this.", ["Only this."]),
        ("```\na. b. c.\n```\nOnly this.", ["Only this."]),
        ("| a. b. | c. |\n|---|---|\n\nOnly this.", ["Only this."]),
        ("🎉 !!! …", []),
        ("a. First point", 1),
        ("> quoted one. quoted two.", 2),
    ],
)
def test_sentences(text, expected):
    found = list(t.sentences(text))
    assert found == expected or len(found) == expected


def test_paragraphs_part_at_blank_lines_outside_code():
    text = "one\nstill one\n \n\ntwo\n\n---\n\n```\na\n\nb\n```"
    assert t.paragraphs(text) == ("one\nstill one", "two", "```\na\n\nb\n```")
    assert t.paragraphs("") == ()


def test_fences_of_both_kinds_nested_in_lists_and_left_open():
    text = "~~~ Python x\nprint()\n```\n~~~\n- item\n  ````\n  ```\n  ````\n``` \nopen"
    found = t.fences(text)
    assert [(f.language, f.closed) for f in found] == [("python", True), ("", True), ("", False)]
    assert found[0].body == "print()\n```"
    assert (found[1].first, found[1].last, found[2].last) == (5, 7, 9)
    assert t.fences("```inline``` code") == ()
    assert [i for i, _ in t.outside_fences(text)] == [4]
    assert t.prose("a\n```\nb\n```\nc") == "a\n\n\n\nc"


def test_headings_and_their_sections():
    text = "# A #\nx\n## **B** ##\ny\nC\n===\nz\n#no\n- - -\n|a|\n---\n```\n# code\n```"
    assert [(h.level, h.title, h.line) for h in t.headings(text)] == [
        (1, "A", 0),
        (2, "B", 2),
        (1, "C", 4),
    ]
    bodies = [section.body for section in t.sections(text)]
    assert bodies[:2] == ["x\n## **B** ##\ny", "y"]
    assert bodies[2].startswith("z\n#no")


def test_list_items_with_depth_and_number():
    text = "- a\n  - b\n    1. c\n- d\n\ntext\n  * e\n*no*\n-5\n---\n* * *\n•f\n10) g"
    assert [(i.marker, i.number, i.text, i.depth) for i in t.list_items(text)] == [
        ("-", None, "a", 1),
        ("-", None, "b", 2),
        ("1.", 1, "c", 3),
        ("-", None, "d", 1),
        ("*", None, "e", 1),
        ("•", None, "f", 1),
        ("10)", 10, "g", 1),
    ]


def test_plain_takes_the_markdown_off_a_line():
    assert t.plain("## **A** [link](http://x.y/z_1) `code`") == "A link code"
    assert t.plain("> 1. *x* snake_case 2*3") == "x snake_case 23"
    assert t.plain("_em_ ~~old~~ ![pic](p.png)") == "em old pic"


def test_rules_are_lines_of_one_mark():
    assert t.is_rule("- - -")
    assert t.is_rule("***")
    assert not t.is_rule("--")
    assert not t.is_rule("-*-")
