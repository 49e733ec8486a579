"""Headings, sections, tables, code blocks, bold and lists."""

from __future__ import annotations

import pytest

from rubricbench import checks
from rubricbench.checks.lists import item_texts, sort_key
from rubricbench.checks.structure import title_key
from rubricbench.checks.text.inline import bold_runs
from rubricbench.checks.text.tables import tables
from rubricbench.errors import SchemaError
from rubricbench.schema import Check


def met(name: str, text: str, **params: object) -> bool:
    return checks.run(Check(name, params), text).met


@pytest.mark.parametrize(
    ("heading", "title", "same"),
    [
        ("## 2. **Risks:**", "risks", True),
        ("# 🚀 Getting Started", "Getting started", True),
        ("# What’s new?", "What's new?", True),
        ("# Risks and Costs", "Risks", False),
        ("# C++", "C#", False),
    ],
)
def test_titles_are_compared_whole_without_what_adorns_them(heading, title, same):
    assert met("ordered_headings", heading, headings=[title]) is same


def test_title_keys_drop_numbering_and_final_colon():
    assert title_key("(3) Next Steps:") == "3) next steps"
    assert title_key("🎯 Goal — ") == "goal"


def test_headings_must_come_in_order_but_others_may_stand_between():
    text = "# A\n\n## X\n\n# B\n\n# A\n"
    assert met("ordered_headings", text, headings=["A", "B"])
    assert met("ordered_headings", text, headings=["A", "B", "A"])
    assert not met("ordered_headings", text, headings=["B", "X"])


def test_code_comments_and_list_markers_in_a_fence_are_no_structure():
    text = "Text.\n\n```sh\n# Title\n- item\n1. item\n| a |\n|---|\n**bold**\n```\n"
    assert met("heading_count", text, maximum=0)
    assert not met("list_nesting", text, minimum_depth=1)
    assert met("numbered_list", text, maximum=0)
    assert not met("table_shape", text)
    assert not met("bold_terms", text, terms=["bold"])


def test_a_section_ends_at_the_next_heading_of_its_level():
    text = "# A\none\n## B\ntwo\n# C\nthree four\n"
    assert met("keyword_in_section", text, heading="A", keyword="two")
    assert not met("keyword_in_section", text, heading="B", keyword="three")
    assert met("section_word_range", text, heading="C", minimum=2, maximum=2)
    # "one", "B", "two": the subheading belongs to the section of A.
    assert met("section_word_range", text, heading="A", minimum=3, maximum=3)


def test_tables_follow_github_markdown():
    (table,) = tables("x\n| A | **B** |\n|:--|--:|\n| 1 |\n| 2 | a\\|b | extra |\nend")
    assert table.headers == ("A", "B")
    assert table.rows == (("1", ""), ("2", "a|b"))


@pytest.mark.parametrize(
    "text",
    [
        "| A | B |\n|---|\n| 1 | 2 |",  # delimiter row of another width
        "| A | B |\n\n|---|---|",  # not on the next line
        "A B\n---",  # a heading
        "| A | B |\n| 1 | 2 |",
        "|---|---|",
    ],
)
def test_rows_with_bars_alone_are_no_table(text):
    assert tables(text) == ()


def test_one_table_of_several_is_enough_but_it_has_all_that_is_asked():
    text = "|A|B|\n|-|-|\n|1|2|\n\n|C|\n|-|\n|1|\n|2|\n"
    assert met("table_shape", text, columns=1, min_rows=2)
    assert met("table_shape", text, columns=2, max_rows=1)
    assert not met("table_shape", text, columns=2, min_rows=2)


@pytest.mark.parametrize(
    ("language", "asked", "same"),
    [("py", "Python", True), ("sh", "bash", True), ("C#", "csharp", True), ("java", "js", False)],
)
def test_common_names_of_one_language_are_the_same(language, asked, same):
    assert met("code_block", f"```{language} title=x\ncode\n```", language=asked) is same


def test_a_code_block_is_closed_and_not_empty():
    assert not met("code_block", "```\ncode")
    assert not met("code_block", "```\n \n```")
    assert met("code_block", "1. Do:\n   ```\n   code\n   ```", maximum=1)


def test_bold_marks_touch_what_they_enclose():
    row = "2**3 is 8, **bold**, ** not **, __two__, snake__case__x, ***three***"
    assert bold_runs(row) == ("bold", "two", "three")


def test_a_phrase_is_not_found_across_two_bold_runs():
    assert not met("bold_terms", "**side** **effects**", terms=["side effects"])


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1. a\n2. b\n3. c", "3"),
        ("1. a\n\ntext at the margin\n\n2. b", "2"),
        ("1. a\n2. b\n1. c", "2, 1"),
        ("1. a\n1. b\n1. c", "3"),  # Markdown numbers these itself
        ("1. a\n   1. x\n   2. y\n2. b\n   1. z", "2, 2, 1"),  # in the order in which they end
        ("3. c\n4. d", ""),
        ("0. a\n1. b", "2"),
    ],
)
def test_numbered_lists_are_told_apart_by_their_numbers(text, sizes):
    outcome = checks.run(Check("numbered_list", {"minimum": 1}), text)
    assert outcome.evidence == (f"items: {sizes}" if sizes else "none")


def test_list_items_keep_their_indented_lines():
    assert item_texts("- one\n  two\n\n  three\n- four\nfive") == ["one two  three", "four"]


def test_sorting_ignores_marks_case_and_accents():
    keys = [sort_key(item) for item in ("**apple**: z", "Élan", "`eland` - a", "Zoë", "zoo")]
    assert keys == ["apple", "elan", "eland", "zoe", "zoo"]
    assert keys == sorted(keys)


def test_a_list_that_is_interrupted_is_two_lists():
    sorted_twice = "- a\n- b\n- c\n\nText.\n\n- a\n- b\n- c"
    assert met("alphabetical_list", sorted_twice)
    assert not met("alphabetical_list", sorted_twice.replace("Text.\n", ""))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("table_shape", {"min_rows": 3, "max_rows": 2}),
        ("table_shape", {"columns": 2, "headers": ["a"]}),
        ("code_block", {"minimum": 2, "maximum": 1}),
        ("ordered_headings", {"headings": ["…"]}),
        ("keyword_in_section", {"heading": "A", "keyword": " "}),
        ("bold_terms", {"terms": [""]}),
        ("heading_count", {"level": 7, "minimum": 1}),
    ],
)
def test_senseless_parameters_are_refused(name, params):
    with pytest.raises(SchemaError, match="bad_check"):
        checks.run(Check(name, params), "text")


def test_bounds_are_put_into_words():
    def describe(name: str, **params: object) -> str:
        return checks.describe(Check(name, params))

    assert describe("table_shape", min_rows=0, max_rows=0).endswith(
        "with no rows below the header."
    )
    assert describe("numbered_list", minimum=1, maximum=1).startswith(
        "The response contains a numbered list of exactly 1 item "
    )
    assert describe("code_block", language="sql", minimum=2) == (
        "The response contains at least 2 code blocks fenced by ```sql and ```."
    )
