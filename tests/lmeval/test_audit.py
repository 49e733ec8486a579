"""Audits: what is scored, that all is graded at once, and that nothing is lost on the way."""

from __future__ import annotations

import pickle

import pytest

from rubricbench.errors import SchemaError
from rubricbench.lmeval.audit import Audit, audit_all, check_all
from rubricbench.lmeval.generation import Generation, finish_reason
from rubricbench.schema import Cause, Check, Criterion, Prompt, Rubric, Status, met, unknown

RUBRIC = Rubric(
    prompt=Prompt.from_text("Write two words."),
    criteria=(
        Criterion(criterion="two words", weight=2, check=Check("word_count", {"maximum": 2})),
        Criterion(criterion="no comma", weight=1, check=Check("no_commas")),
    ),
)


def audit(text: str) -> Audit:
    (found,) = audit_all([(RUBRIC, text)], check_all)
    return found


def test_audit_says_what_was_scored_and_why():
    found = audit("one, two three")
    assert found.answer == "one, two three"
    assert found.words == 3
    assert [v.status for v in found.verdicts] == [Status.UNMET, Status.UNMET]
    assert found.verdicts[0].evidence == "3 words"
    assert found.value == 0.0
    assert found.rubric_id == RUBRIC.id


@pytest.mark.parametrize(
    ("response", "answer", "unfinished"),
    [
        ("plain", "plain", False),
        ("<think>long, very long thought</think>two words", "two words", False),
        ("opened in the prompt</think>\ntwo words", "two words", False),
        ("  <think>never closed, never", "", True),
    ],
)
def test_reasoning_is_not_scored(response, answer, unfinished):
    found = audit(response)
    assert (found.answer, found.unfinished_reasoning) == (answer, unfinished)


def test_unfinished_reasoning_scores_as_the_empty_answer_it_is():
    assert audit("<think>two words").value == audit("").value == 0.0


def test_half_a_surrogate_pair_does_not_stop_the_log():
    found = audit("two \ud83d")
    assert found.answer == "two ?"
    assert Audit.from_json(found.to_json()) == found


def test_all_responses_are_graded_by_one_call():
    calls = []

    def grade(pairs):
        calls.append([answer for _, answer in pairs])
        return check_all(pairs)

    found = audit_all([(RUBRIC, "one"), (RUBRIC, "<think>x</think>two")], grade)
    assert calls == [["one", "two"]]
    assert [a.answer for a in found] == ["one", "two"]


def test_criterion_without_a_verdict_is_unknown():
    first = RUBRIC.criteria[0]
    (found,) = audit_all([(RUBRIC, "x")], lambda pairs: [[met(first.id, "seen")]])
    assert found.value is None
    assert found.all_met is None
    assert (found.verdicts[1].status, found.verdicts[1].cause) == (
        Status.UNKNOWN,
        Cause.NOT_JUDGED,
    )
    # 2 of 3 is met, the rest may be.
    assert (found.low, found.high) == (pytest.approx(2 / 3), 1.0)


def test_audit_survives_json_with_its_verdicts():
    first, second = RUBRIC.criteria
    verdicts = [met(first.id, "„ä“"), unknown(second.id, Cause.TIMEOUT)]
    (found,) = audit_all([(RUBRIC, Generation("x", "stop"))], lambda pairs: [verdicts])
    read = Audit.from_json(found.to_json())
    assert read == found
    assert [judged.verdict for judged in read.verdicts] == verdicts
    assert read.finish_reason == "stop"


def test_text_that_is_no_audit_is_refused():
    with pytest.raises(SchemaError, match="bad_json"):
        Audit.from_json("{}")


def test_generation_is_a_string_that_knows_how_it_ended():
    made = Generation("text", "length")
    assert made == "text"
    assert finish_reason(made) == "length"
    assert finish_reason("text") == ""
    again = pickle.loads(pickle.dumps(made))  # lm-eval's response cache pickles
    assert (again, again.finish_reason) == (made, "length")
