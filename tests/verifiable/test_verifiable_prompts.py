"""What a prompt says: every condition of its rubric, and no condition of another row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import rubricbench as rb
from rubricbench.builders.verifiable.dataset import SIZES
from rubricbench.builders.verifiable.phrasing import number, quoted, times
from rubricbench.builders.verifiable.texts import phrases, pools
from rubricbench.builders.verifiable.trivial import trivial_answers
from rubricbench.checks import check_response
from rubricbench.checks.language import language_name
from rubricbench.schema import Criterion, Rubric
from rubricbench.scoring import score


@pytest.fixture(scope="module")
def rows() -> list[Rubric]:
    return [Rubric.from_row(row) for name in SIZES for row in rb.load("verifiable", split=name)]


WORDS = {
    1: r"one|once|a (?:semicolon|colon|question)|No two|no text around",
    2: "twice",
    3: "three",
    4: "four",
}
# Families whose parameters are worded rather than quoted, or not worded at all.
UNQUOTED = {"citation_count", "regex_match", "symbol_count", "acrostic", "all_lowercase"}
UNQUOTED |= {"all_uppercase", "code_block", "paragraph_count"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _numbers(criterion: Criterion) -> Iterator[float]:
    assert criterion.check is not None
    for key, value in criterion.check.params.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or key == "nth":
            continue
        if not criterion.is_penalty and value:  # "no dashes" is a maximum of 0
            yield 100 * value if criterion.check.name == "distinct_words_ratio" else value


def _says_number(text: str, value: float) -> bool:
    shown = number(value)
    if re.search(rf"(?<![\d.]){re.escape(shown)}(?!\d)", text):
        return True
    return bool(value in WORDS and re.search(WORDS[int(value)], text))


def test_every_text_that_is_asked_for_is_in_the_prompt(rows):
    for rubric in rows:
        prompt = rubric.prompt.text.lower()
        for criterion in rubric.criteria:
            check = criterion.check
            assert check is not None
            if check.name in UNQUOTED or check.name == "json_schema":
                continue
            if check.name == "language":
                assert language_name(check.params["code"]).lower() in prompt
                continue
            for text in (t for value in check.params.values() for t in _texts(value)):
                assert text.lower() in prompt, (rubric.prompt_id, check, text)


def test_every_number_that_is_asked_for_is_in_the_prompt(rows):
    for rubric in rows:
        text = rubric.prompt.text
        for criterion in rubric.criteria:
            if criterion.check and "total" in text and criterion.check.name == "states_number":
                continue  # a sum is worked out, not told
            for value in _numbers(criterion):
                assert _says_number(text, value), (rubric.prompt_id, criterion.check, value)


def test_keys_and_bounds_of_a_record_are_in_the_prompt(rows):
    records = [(r, c.check) for r in rows for c in r.criteria if c.check.name == "json_schema"]
    assert records
    for rubric, check in records:
        for key, schema in check.params["schema"]["properties"].items():
            wording = re.search(rf"\b{key}: ([^;]+)", rubric.prompt.text)
            assert wording, (rubric.prompt_id, key)
            for bound in ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"):
                if bound in schema:
                    assert str(schema[bound]) in wording[1]
            for option in schema.get("enum", []):
                assert json.dumps(option) in wording[1]


def test_patterns_are_put_into_words_with_an_example_that_matches(rows):
    from rubricbench.checks import run

    worded = {one["pattern"]: one["words"] for one in pools()["patterns"]}
    used = [(r, c.check) for r in rows for c in r.criteria if c.check.name == "regex_match"]
    assert used
    for rubric, check in used:
        words = worded[check.params["pattern"]]
        assert words in rubric.prompt.text
        assert run(check, words).met, "the example in the words does not match the pattern"


def test_what_is_penalised_is_forbidden_in_the_prompt(rows):
    for rubric in rows:
        for criterion in (c for c in rubric.criteria if c.is_penalty):
            assert criterion.check is not None
            wordings = phrases()[criterion.check.name]["forbidden"]
            patterns = [re.sub(r"\\\{\w+\\\}", ".+", re.escape(w)) for w in wordings]
            assert any(re.search(p, rubric.prompt.text) for p in patterns), criterion.criterion


def test_no_slot_is_left_unfilled(rows):
    for rubric in rows:
        without_code = rubric.prompt.text
        assert not re.search(r"\{[a-z_]+\}", without_code), rubric.prompt_id


def test_last_turn_of_a_conversation_asks_for_something_new(rows):
    talks = [r for r in rows if len(r.prompt.messages) > 1]
    assert len(talks) >= 0.15 * len(rows)
    for rubric in talks:
        roles = [message.role for message in rubric.prompt.messages]
        assert roles[0] == roles[-1] == "user"
        assert roles[1::2] == ["assistant"] * (len(roles) // 2)
        for message in rubric.prompt.messages[1::2]:
            assert score(rubric, check_response(rubric, message.content)).value < 1.0


def test_no_trivial_answer_meets_a_row(rows):
    for rubric in rows[-500:]:
        for name, text in trivial_answers(rubric):
            value = score(rubric, check_response(rubric, text)).value
            assert value < 1.0, (rubric.prompt_id, name)


def test_every_row_is_tied_to_its_topic(rows):
    for rubric in rows:
        assert any("axis:completeness" in c.tags and c.weight > 0 for c in rubric.criteria)


def test_series_are_quoted_as_prompts_have_them():
    assert quoted(["a"]) == '"a"'
    assert quoted(["a", "b", "c"], "or") == '"a", "b" or "c"'
    assert (times(2), times(7)) == ("twice", "7 times")
    assert (number(75.0), number(0.2), number(100000)) == ("75", "0.2", "100000")
