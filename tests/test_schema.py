"""Objects that exist are valid; ids are content; every fault has its name and field."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import SchemaError
from rubricbench.schema import (
    Cause,
    Check,
    Criterion,
    Message,
    Origin,
    Prompt,
    Response,
    Rubric,
    Status,
    Verdict,
    met,
    unknown,
)
from rubricbench.validity import FAULTS, MAX_CRITERIA, MAX_CRITERION_CHARS


def criterion(text: str = "is clear", weight: object = 1, **rest: object) -> Criterion:
    return Criterion(criterion=text, weight=weight, **rest)  # type: ignore[arg-type]


def rubric(*criteria: Criterion) -> Rubric:
    return Rubric(prompt=Prompt.from_text("p"), criteria=criteria)


@pytest.mark.parametrize(
    ("code", "build"),
    [
        ("empty_criterion", lambda: criterion("")),
        ("empty_criterion", lambda: criterion(" \n\t")),
        ("wrong_type", lambda: criterion(5)),
        ("weight_zero", lambda: criterion(weight=0)),
        ("weight_zero", lambda: criterion(weight=-0.0)),
        ("weight_not_finite", lambda: criterion(weight=math.nan)),
        ("weight_not_finite", lambda: criterion(weight=math.inf)),
        ("weight_not_finite", lambda: criterion(weight=1e7)),
        ("weight_not_finite", lambda: criterion(weight=10**400)),
        ("weight_not_a_number", lambda: criterion(weight="3")),
        ("weight_not_a_number", lambda: criterion(weight=True)),
        ("weight_not_a_number", lambda: criterion(weight=None)),
        ("text_too_long", lambda: criterion("x" * (MAX_CRITERION_CHARS + 1))),
        ("lone_surrogate", lambda: criterion("half \ud83d")),
        ("nul_character", lambda: criterion("nul \x00")),
        ("empty_text", lambda: criterion(tags=("",))),
        ("no_criteria", lambda: rubric()),
        ("no_positive_weight", lambda: rubric(criterion(weight=-1))),
        ("duplicate_criterion", lambda: rubric(criterion("a b"), criterion("A  b", weight=2))),
        ("duplicate_criterion", lambda: rubric(criterion("a", id="x"), criterion("b", id="x"))),
        (
            "too_many_criteria",
            lambda: rubric(*(criterion(f"c{i}") for i in range(MAX_CRITERIA + 1))),
        ),
        ("empty_messages", lambda: Prompt(messages=())),
        ("unknown_role", lambda: Message("robot", "hi")),
        ("empty_text", lambda: Message("user", " ")),
        ("empty_text", lambda: Prompt.from_text("")),
        ("empty_text", lambda: Response(prompt_id="", text="x")),
        ("lone_surrogate", lambda: Response(prompt_id="p", text="\udc00")),
        ("wrong_type", lambda: criterion(tags="critical")),
        ("wrong_type", lambda: criterion(check="title")),
        ("lone_surrogate", lambda: criterion(id="\ud800")),
        ("bad_json", lambda: Check("keywords_include", {"keywords": ["\ud800"]})),
        ("bad_json", lambda: Check("states_number", {"value": math.inf})),
        ("bad_json", lambda: Check("states_number", {"value": {1, 2}})),
        ("wrong_type", lambda: Check("title", None)),  # type: ignore[arg-type]
        ("wrong_type", lambda: Origin(method="split", pair=(1, 2))),  # type: ignore[arg-type]
        ("wrong_type", lambda: Prompt(messages="hello")),  # type: ignore[arg-type]
        ("nul_character", lambda: Prompt.from_text("p", id="a\x00b")),
        ("text_too_long", lambda: Prompt.from_text("p", id="a" * 100_000)),
        ("lone_surrogate", lambda: Prompt.from_text("p", source="\ud800")),
        ("bad_json", lambda: Response(prompt_id="p", text="x", sampling={"top_p": math.nan})),
        ("wrong_type", lambda: Verdict(criterion_id="c", status="unknown")),  # type: ignore[arg-type]
        ("wrong_type", lambda: Verdict(criterion_id="c", status="passed")),  # type: ignore[arg-type]
        ("wrong_type", lambda: Verdict(criterion_id="c", status=Status.MET, p_met="1")),  # type: ignore[arg-type]
        ("bad_verdict", lambda: Verdict(criterion_id="c", status=Status.UNKNOWN)),
        ("bad_verdict", lambda: Verdict(criterion_id="c", status=Status.MET, cause=Cause.EMPTY)),
        ("bad_verdict", lambda: Verdict(criterion_id="c", status=Status.MET, p_met=1.5)),
        ("bad_verdict", lambda: Verdict(criterion_id="c", status=Status.MET, p_met=math.nan)),
        ("bad_verdict", lambda: Verdict(criterion_id="c", status=Status.MET, captured=0.5)),
        ("bad_verdict", lambda: Verdict(criterion_id="c", status=Status.MET, p_met=1, captured=2)),
    ],
)
def test_fault_is_named(code, build):
    with pytest.raises(SchemaError) as caught:
        build()
    assert caught.value.code == code
    assert code in FAULTS
    assert "\n" not in str(caught.value)


def test_same_content_has_the_same_id_and_other_content_another():
    assert criterion("a").id == criterion("a").id
    assert criterion("a").id != criterion("b").id
    assert criterion("a").id != criterion("a", check=Check("no_commas")).id


def test_reweighting_keeps_the_criterion_but_makes_another_rubric():
    light, heavy = criterion("a", 1), criterion("a", 3)
    assert light.id == heavy.id
    assert rubric(light).id != rubric(heavy).id


def test_ids_are_stable_across_versions():
    # sha256 of ["a",null] and [["user","p"]] in canonical JSON; a change here orphans every store.
    assert criterion("a").id == "c_" + _hex('["a",null]')
    assert Prompt.from_text("p").id == "p_" + _hex('[["user","p"]]')


def _hex(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_foreign_ids_are_kept():
    assert Prompt.from_text("p", id="hb-1").id == "hb-1"


def test_whole_floats_become_integers_and_others_stay():
    assert criterion(weight=2.0).weight == 2
    assert isinstance(criterion(weight=2.0).weight, int)
    assert criterion(weight=0.5).weight == 0.5


def test_total_weight_is_the_sum_of_the_positive_weights():
    assert rubric(criterion("a", 3), criterion("b", -2), criterion("c", 1)).total_weight == 4


def test_the_same_words_with_another_check_are_another_criterion():
    one = criterion("short", check=Check("word_count", {"maximum": 10}))
    two = criterion("short", check=Check("word_count", {"maximum": 20}))
    assert rubric(one, two).number_of_criteria == 2


def test_prompt_text_is_the_message_or_a_transcript():
    assert Prompt.from_text("hello").text == "hello"
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    assert Prompt(messages=turns).text == "User: a\n\nAssistant: b\n\nUser: c"


def test_empty_response_is_a_response():
    assert Response(prompt_id="p", text="").text == ""


def test_credit_of_a_verdict():
    assert met("c").credit == 1.0
    assert Verdict(criterion_id="c", status=Status.UNMET, p_met=0.25).credit == 0.25
    assert unknown("c", Cause.TIMEOUT).credit is None


def test_causes_split_into_infrastructure_and_the_responses_own_doing():
    own = {c for c in Cause if not c.is_infrastructure}
    assert {Cause.REFUSAL, Cause.OVERFLOW, Cause.UNPARSABLE, Cause.TRUNCATED} <= own
    assert {Cause.TIMEOUT, Cause.RATE_LIMITED, Cause.SERVER_ERROR}.isdisjoint(own)


@given(st.text(min_size=1))
def test_any_text_becomes_a_criterion_or_a_named_fault(text):
    fault = None
    try:
        made = criterion(text)
    except SchemaError as error:
        fault = error.code
    assert fault in FAULTS if fault else made.criterion == text
