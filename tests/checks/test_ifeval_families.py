"""The families that cover IFEval's instructions: their words, and verdicts beyond the examples."""

from __future__ import annotations

import pytest

from rubricbench import checks
from rubricbench.errors import SchemaError
from rubricbench.schema import Check


def run(name, text, **params):
    return checks.run(Check(name=name, params=params), text)


def describe(name, **params):
    return checks.describe(Check(name=name, params=params))


DESCRIPTIONS = [
    ("keywords_include", {"keywords": ["tea"]}, "The response contains the word “tea”."),
    (
        "keywords_include",
        {"keywords": ["tea", "hot milk", "jam"]},
        "The response contains the phrases “tea”, “hot milk” and “jam”.",
    ),
    (
        "keywords_exclude",
        {"keywords": ["tea", "milk"]},
        "The response does not contain the words “tea” or “milk”.",
    ),
    (
        "keyword_frequency",
        {"keyword": "tea", "minimum": 1, "maximum": 1},
        "The response uses the word “tea” exactly once.",
    ),
    (
        "keyword_frequency",
        {"keyword": "hot tea", "maximum": 0},
        "The response does not use the phrase “hot tea”.",
    ),
    (
        "letter_frequency",
        {"letter": "q", "minimum": 2, "maximum": 4},
        "The response contains between 2 and 4 occurrences of the letter “q”, upper or lower case.",
    ),
    ("language", {"code": "sw"}, "The whole response is in Swahili."),
    ("sentence_count", {"maximum": 1}, "The response has at most 1 sentence."),
    ("word_count", {"minimum": 1500}, "The response has at least 1,500 words."),
    ("paragraph_count", {"minimum": 1, "maximum": 1}, "The response has exactly 1 paragraph."),
    (
        "paragraph_count",
        {"minimum": 3, "separator": "***"},
        "The response has at least 3 paragraphs, separated by a line of three asterisks (***).",
    ),
    (
        "nth_paragraph_first_word",
        {"paragraphs": 4, "nth": 3, "first_word": "Yet"},
        "The response has exactly 4 paragraphs, separated by blank lines, and the 3rd paragraph "
        "starts with the word “Yet”.",
    ),
    (
        "placeholder_count",
        {"minimum": 1},
        "The response contains at least 1 placeholder in square brackets, such as [address].",
    ),
    (
        "postscript",
        {"marker": "P.S."},
        "After its main text, the response adds a postscript that starts with “P.S.”",
    ),
    ("bullet_count", {"maximum": 0}, "The response has no bullet points."),
    (
        "constrained_response",
        {"options": ["yes", "no"]},
        "The response gives exactly one of these answers: “yes” or “no”.",
    ),
    (
        "highlight_count",
        {"minimum": 1},
        "The response highlights at least 1 passage with asterisks, as in *highlighted* or "
        "**highlighted**.",
    ),
    (
        "section_count",
        {"splitter": "Part", "minimum": 2},
        "The response has at least 2 sections, each opened on its own line by “Part” and its "
        "number, as in “Part 1”.",
    ),
    (
        "repeat_prompt",
        {"prompt": "Name a tree."},
        "The response first repeats the following request word for word, with nothing before it, "
        "and then answers it: “Name a tree.”",
    ),
    (
        "end_phrase",
        {"phrase": "Good night."},
        "The response ends with the exact phrase “Good night.”, and nothing follows it.",
    ),
    (
        "all_uppercase",
        {"language": "en"},
        "The response is written entirely in capital letters, in English.",
    ),
    (
        "capital_word_frequency",
        {"maximum": 1},
        "The response contains at most 1 word written in all capitals, not counting single "
        "letters.",
    ),
]


@pytest.mark.parametrize(("name", "params", "sentence"), DESCRIPTIONS)
def test_descriptions_name_the_parameters_in_good_english(name, params, sentence):
    assert describe(name, **params) == sentence


@pytest.mark.parametrize(
    ("name", "params", "text", "evidence"),
    [
        ("keywords_include", {"keywords": ["a", "b", "c"]}, "b", "missing “a”, “c”"),
        ("keywords_exclude", {"keywords": ["a", "b"]}, "b", "found “b”"),
        ("keyword_frequency", {"keyword": "a", "minimum": 1}, "a A", "2 occurrences of “a”"),
        ("word_count", {"minimum": 1}, "one", "1 word"),
        ("language", {"code": "en"}, "42", "no language can be told"),
        ("all_lowercase", {}, "one Two", "upper case in “Two”"),
        ("all_lowercase", {}, "123", "no letters of that case"),
        ("constrained_response", {"options": ["yes", "no"]}, "no, yes", "given: “yes”, “no”"),
        ("json_format", {}, "[1]", "JSON array"),
        ("quotation", {}, "“x”", "starts '“', ends '”'"),
        ("end_phrase", {"phrase": "bye"}, "Good bye", "ends “Good bye”"),
    ],
)
def test_evidence_says_what_was_found(name, params, text, evidence):
    assert run(name, text, **params).evidence == evidence


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("keywords_include", {"keywords": []}),
        ("keywords_include", {"keywords": [" "]}),
        ("keywords_include", {"keywords": "tea"}),
        ("keyword_frequency", {"keyword": " ", "minimum": 1}),
        ("letter_frequency", {"letter": "ab", "minimum": 1}),
        ("letter_frequency", {"letter": " ", "minimum": 1}),
        ("language", {"code": "xx"}),
        ("all_uppercase", {"language": "English"}),
        ("paragraph_count", {"minimum": 2, "separator": "---"}),
        ("nth_paragraph_first_word", {"paragraphs": 2, "nth": 3, "first_word": "a"}),
        ("constrained_response", {"options": ["yes", " "]}),
        ("repeat_prompt", {"prompt": "\n"}),
        ("end_phrase", {"phrase": " "}),
        ("postscript", {"marker": " "}),
        ("word_count", {"minimum": 2.5}),
        ("word_count", {"minimum": True}),
    ],
)
def test_parameters_that_ask_nothing_sensible_are_refused(name, params):
    with pytest.raises(SchemaError, match="bad_check"):
        run(name, "text", **params)


def test_keywords_are_matched_across_spellings_of_the_same_characters():
    assert run("keywords_include", "un cafe\u0301 NOIR", keywords=["café noir"]).met
    assert run("keywords_include", "un café", keywords=["cafe\u0301"]).met
    assert not run("keywords_include", "un cafe", keywords=["café"]).met
    assert run(
        "keywords_include", "a non\u2011breaking\u00a0space", keywords=["non-breaking space"]
    ).met


def test_letters_of_either_case_are_counted_and_accents_tell_letters_apart():
    assert run("letter_frequency", "Ñandú, ñu", letter="ñ", minimum=2, maximum=2).met
    assert run("letter_frequency", "Été e", letter="e", minimum=1, maximum=1).met


def test_commas_of_any_script_are_commas():
    for text in ("一，二", "一、二", "واحد، اثنان"):
        assert not run("no_commas", text).met


def test_languages_are_told_apart_and_chinese_may_be_either_script():
    simplified = "这个问题的答案很简单，我们可以一起来看看。"
    assert run("language", simplified, code="zh").met
    assert run("language", simplified, code="zh-cn").met
    assert not run("language", simplified, code="zh-tw").met
    assert not run("language", "Das ist ein deutscher Satz, kein anderer.", code="nl").met


def test_capitals_do_not_mislead_the_language():
    # langdetect leaves runs of capitals out, so that little but the last letters would be left
    text = "WHICH ONE WOULD YOU LIKE TO KNOW MORE ABOUT? TELL ME SOON."
    assert run("all_uppercase", text, language="en").met
    assert not run("all_uppercase", text, language="de").met


def test_capital_words_as_a_reader_counts_them():
    text = "I, A. NASA's CO-OP 3D A4 U.S. H2O X-RAY/MRI *STOP* NEVER—EVER Iron"
    # NASA('s), CO-OP, U.S., H2O, X-RAY, MRI, STOP, NEVER, EVER: nine; 3D and A4 have one letter
    assert run("capital_word_frequency", text, minimum=9, maximum=9).met


def test_paragraphs_between_asterisks_and_between_blank_lines():
    assert run(
        "paragraph_count", "***\na\n\nb\n***\nc\n***", minimum=2, maximum=2, separator="***"
    ).met
    assert not run("paragraph_count", "a\n***\n\n***\nb", minimum=2, separator="***").met
    assert run("paragraph_count", "a\r\n\r\nb", minimum=2, maximum=2).met


def test_the_first_word_is_found_behind_marks_and_not_inside_a_longer_word():
    ask = {"paragraphs": 2, "nth": 2}
    for text in ("a\n\n## **Yet** again", "a\n\n- “Yet”", "a\n\n> _Yet_, no", "a\n \nYET"):
        assert run("nth_paragraph_first_word", text, first_word="yet", **ask).met, text
    for text in ("a\n\nYeti", "a\n\nYet's", "a\n\nnot yet", "Yet\n\na", "a\n\nYet\n\nb"):
        assert not run("nth_paragraph_first_word", text, first_word="yet", **ask).met, text


def test_placeholders_are_things_to_fill_in():
    assert run("placeholder_count", "[Your Name] [date/time] [[inner]]", minimum=3, maximum=3).met
    for text in ("[]", "[ ]", "[x]", "[12]", "[a](b)", "![a](b)", "row[i]", "[^note]", "[!NOTE]"):
        assert run("placeholder_count", f"text {text}", maximum=0).met, text


def test_highlights_follow_markdown():
    for text, count in (
        ("* a **b** c", 1),
        ("***b***", 1),
        ("*a* **b**", 2),
        ("2 * 3 * 4", 0),
        ("* a\n* b", 0),
        ("*a\nb*", 0),
        ("```\n*a*\n```", 0),
    ):
        assert run("highlight_count", text + " x", minimum=count, maximum=count).met, text


def test_sections_open_lines():
    text = "# Section 1\n**Section 2: X**\n- Section 3\nSee Section 4\nsection 5\nSection A"
    assert run("section_count", text, splitter="Section", minimum=3, maximum=3).met
    assert run("section_count", "a.b 1\naxb 2", splitter="a.b", minimum=1, maximum=1).met


def test_one_option_and_no_second_one():
    options = ["yes", "no", "no comment"]
    assert run("constrained_response", "No comment!", options=options).met
    assert not run("constrained_response", "No comment. No.", options=options).met
    assert run("constrained_response", "Yes, yes.", options=options).met
    assert not run("constrained_response", "I know.", options=options).met


def test_json_by_the_letter():
    for text in ("42", '"a"', "null", "```JSON\n{}\n```", "1" * 5000, '{"a": 1e999}'):
        assert run("json_format", text).met, text[:20]
    for text in ("NaN", "[1,]", "{} {}", "```json\n{}", "```python\n{}\n```", "[" * 100_000):
        assert not run("json_format", text).met, text[:20]


def test_two_answers_must_differ():
    assert run("two_responses", "a\n******\nb").met
    assert not run("two_responses", "a\n******\n a ").met
    assert not run("two_responses", "a\n******\n******\nb").met
    assert not run("two_responses", "a\n******\nb\n******\nc").met


def test_a_postscript_comes_after_something_and_says_something():
    assert run("postscript", "Hi.\np. s. more", marker="P.S.").met
    assert run("postscript", "Hi.\n\n> **P.S.**\nmore", marker="P.S.").met
    assert not run("postscript", "P.S. more", marker="P.S.").met
    assert not run("postscript", "Hi.\nPsychology", marker="PS").met
    assert run("postscript", "Hi.\nPS: more", marker="PS").met


def test_the_end_is_the_end():
    assert run("end_phrase", "x. “Good\nnight.”\n", phrase="Good night.").met
    assert not run("end_phrase", "Good night. x", phrase="Good night.").met
    assert not run("end_phrase", "Good night", phrase="Good night.").met


def test_quotation_marks_come_in_pairs():
    for text in ('"a"', "“a”", "„a“", "«a»", "「a」"):
        assert run("quotation", text).met, text
    for text in ('"a', "“a“", "'a'", '""', '"', "”a“"):
        assert not run("quotation", text).met, text
