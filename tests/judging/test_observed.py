"""What an endpoint ignores in silence is found out from its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rubricbench.judging import JudgeConfig
from rubricbench.judging.labels import canonical_labels
from rubricbench.judging.observed import MAX_LOOKED_AT, Observer
from rubricbench.store import Completion

IDS = ("a", "b")
GOOD = json.dumps(dict.fromkeys(canonical_labels(2, hidden=True), True))
PLACE = b'[[" true",-0.1,[[" false",-2.5]],-2.5,0.01],null]'


def observer(**changes: Any) -> Observer:
    return Observer(JudgeConfig(model="m", base_url="http://127.0.0.1:1/v1", **changes))


def remarks(texts: list[str], *, finish: str = "stop", **changes: Any) -> str:
    seen = observer(**changes)
    for text in texts:
        seen.saw(Completion(key="", text=text, finish_reason=finish), IDS)
    return "\n".join(seen.remarks())


SCHEMA = "does not enforce the JSON schema it is asked for"
LOGPROBS = "does not send the log-probabilities it is asked for"


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",  # read, and yet no schema lets it through
        f"Here: {GOOD}",
        "{}",
        '{"c1": true}',
        "I cannot do that",
        GOOD.replace("true", '"yes"'),
    ],
)
def test_an_answer_that_breaks_the_schema_shows_that_none_was_enforced(text):
    assert SCHEMA in remarks([text])
    assert "1 of 1 answers" in remarks([text])
    assert remarks([text], response_format=False) == ""


def test_a_few_such_answers_among_others_are_enough_and_fewer_are_not():
    assert remarks([GOOD] * 9 + ["nonsense"] * 2) == ""
    assert "3 of 12 answers" in remarks([GOOD] * 9 + ["nonsense"] * 3)


@pytest.mark.parametrize("text", [GOOD, f"<think>Hm {{</think>\n{GOOD}", "", " \n"])
def test_an_answer_that_keeps_to_the_schema_or_is_empty_shows_nothing(text):
    assert remarks([text] * 5) == ""


@pytest.mark.parametrize("finish", ["length", "content_filter", "refusal"])
def test_an_answer_that_was_cut_off_or_withheld_shows_nothing(finish):
    assert remarks(['{"half'] * 5, finish=finish) == ""


def test_letters_are_asked_for_without_a_schema():
    assert remarks(["nonsense"] * 5, format="compact") == ""


def test_verdicts_without_probabilities_show_that_no_logprobs_came():
    for asked, found in ((5, True), (0, False)):
        seen = observer(logprobs=asked)
        seen.saw(Completion(key="", text=GOOD), IDS)
        assert (LOGPROBS in "".join(seen.remarks())) == found


def test_one_verdict_with_a_probability_shows_that_they_came():
    seen = observer(logprobs=5)
    for text in (GOOD, "nonsense"):  # no verdict, no probability
        seen.saw(Completion(key="", text=text, finish_reason="length", logprobs=PLACE), IDS)
    assert seen.remarks() == []


def test_only_the_first_answers_are_looked_at():
    seen = observer()
    for i in range(MAX_LOOKED_AT + 10):
        seen.saw(Completion(key="", text=GOOD if i < MAX_LOOKED_AT else "nonsense"), IDS)
    assert seen.remarks() == []
