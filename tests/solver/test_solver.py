"""The constructive solver: full scores, readable text, clear failure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rubricbench.checks import check_response, describe, registered
from rubricbench.checks.text import sentences
from rubricbench.schema import Check, Criterion, Message, Prompt, Rubric
from rubricbench.scoring import score
from rubricbench.solver import SolverError, solve


def rubric_of(*checks: Check, penalties: tuple[Check, ...] = (), prompt: str = "") -> Rubric:
    text = prompt or "Write a short text about apple growing for beginners."
    return Rubric(
        prompt=Prompt.from_text(text),
        criteria=(
            *(Criterion(criterion=describe(c), weight=2, check=c) for c in checks),
            *(Criterion(criterion=describe(c), weight=-1, check=c) for c in penalties),
        ),
    )


def value(rubric: Rubric, text: str) -> float | None:
    return score(rubric, check_response(rubric, text)).value


# Settings of the families' own examples that ask for what no plain text is: a line of two
# characters, a paragraph of three words, no word twice, Chinese.
UNREASONABLE = {
    ("language", "zh"),
    ("starts_with", "# Report"),
    ("letter_frequency", "é"),
    ("reading_grade", 12),
    ("section_word_range", 3),
    ("paragraph_word_range", 2),
    ("paragraph_word_range", 4),
    ("max_line_length", 5),
    ("max_line_length", 2),
    ("character_count", 5),
    ("character_count", 3),
    ("distinct_words_ratio", 1.0),
}
INSTEAD = [
    Check("character_count", {"minimum": 200, "maximum": 220}),
    Check("distinct_words_ratio", {"minimum": 0.8}),
    Check("max_line_length", {"maximum": 40}),
    Check("paragraph_word_range", {"minimum": 20, "maximum": 30}),
    Check("reading_grade", {"maximum": 5}),
    Check("section_word_range", {"heading": "Summary", "minimum": 20, "maximum": 30}),
]


def _is_reasonable(name: str, params: dict[str, object]) -> bool:
    plain = [value for value in params.values() if not isinstance(value, list | dict)]
    return not any((name, value) in UNREASONABLE for value in plain)


SETTINGS = [
    Check(name, dict(params))
    for name, family in registered().items()
    for params, _ in family.passes
    if _is_reasonable(name, dict(params))
] + INSTEAD


@pytest.mark.parametrize("check", SETTINGS, ids=lambda check: check.name)
def test_every_family_can_be_met_alone(check):
    rubric = rubric_of(check)
    assert value(rubric, solve(rubric)) == 1.0


def test_every_family_is_tried():
    assert {check.name for check in SETTINGS} == set(registered())


def test_penalties_are_not_incurred():
    rubric = rubric_of(
        Check("keywords_include", {"keywords": ["rootstock"]}),
        penalties=(
            Check("keyword_frequency", {"keyword": "care", "minimum": 1}),
            Check("emoji_count", {"minimum": 1}),
            Check("lemma_include", {"lemmas": ["learn"]}),
            Check("word_count", {"minimum": 60}),
        ),
    )
    assert value(rubric, solve(rubric)) == 1.0


def test_notes_of_the_request_are_used():
    prompt = (
        "Write a paragraph on apple growing.\n\nNotes to work from:\n"
        "- The rootstock decides how tall the tree becomes.\n- Frost at dawn can kill the blossom."
    )
    rubric = rubric_of(Check("keywords_include", {"keywords": ["rootstock"]}), prompt=prompt)
    assert "The rootstock decides how tall the tree becomes." in solve(rubric)


def test_topic_is_found_without_a_tag():
    rubric = rubric_of(Check("sentence_count", {"minimum": 6, "maximum": 6}))
    assert "apple growing" in solve(rubric)


def test_last_turn_of_a_conversation_counts():
    check = Check("table_shape", {"headers": ["Tree", "Care"], "min_rows": 2, "max_rows": 2})
    rubric = Rubric(
        prompt=Prompt(
            messages=(
                Message("user", "What is there to know about apple growing?"),
                Message("assistant", "A lot. Frost at dawn can kill the blossom. That is all."),
                Message("user", "Make it a table."),
            )
        ),
        criteria=(Criterion(criterion=describe(check), weight=3, check=check),),
    )
    text = solve(rubric)
    assert text.splitlines()[0] == "| Tree | Care |"
    assert value(rubric, text) == 1.0


def test_contradiction_names_the_criterion():
    rubric = rubric_of(
        Check("keywords_include", {"keywords": ["rootstock"]}),
        Check("keywords_exclude", {"keywords": ["rootstock"]}),
    )
    with pytest.raises(SolverError, match="“rootstock”") as caught:
        solve(rubric)
    assert len(caught.value.unmet) == 1
    assert rubric.prompt_id in str(caught.value)


def test_criterion_that_needs_a_judge_is_not_solved():
    rubric = Rubric(
        prompt=Prompt.from_text("Comfort a friend."),
        criteria=(Criterion(criterion="The response is kind.", weight=1),),
    )
    with pytest.raises(SolverError, match="The response is kind"):
        solve(rubric)


def test_same_seed_same_text_another_seed_another():
    rubric = rubric_of(Check("word_count", {"minimum": 80, "maximum": 100}))
    assert solve(rubric) == solve(rubric)
    assert solve(rubric, seed=1) != solve(rubric)


def test_text_does_not_depend_on_the_hash_seed():
    code = (
        "from rubricbench.builders.verifiable.rows import build_row\n"
        "from rubricbench.solver import solve\n"
        "print([solve(build_row(3, 'test', i)) for i in range(12)])"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_prose_does_not_repeat_itself():
    rubric = rubric_of(Check("word_count", {"minimum": 200, "maximum": 220}))
    found = sentences(solve(rubric))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("words", [2, 3, 5, 8, 17, 40, 99, 300])
def test_exact_number_of_words(words):
    rubric = rubric_of(Check("word_count", {"minimum": words, "maximum": words}))
    assert value(rubric, solve(rubric)) == 1.0
