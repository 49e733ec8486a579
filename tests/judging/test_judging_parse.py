"""The strict parser: every answer is read exactly or unknown, with the true cause."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.judging.formats import FORMATS, MAX_EVIDENCE_CHARS, Quote, Slot
from rubricbench.judging.labels import canonical_labels
from rubricbench.judging.parse import REPAIRABLE, parse
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.schema import Cause, Status
from rubricbench.store import Completion

IDS = ("a", "b", "c")
K1, K2, K3 = canonical_labels(3, hidden=True)
GOOD = {K1: True, K2: False, K3: True}
GOOD_TEXT = json.dumps(GOOD)
MET_UNMET_MET = ["met", "unmet", "met"]


def read(text: str, *, finish: str = "stop", form: str = "json", reasoning: str = "") -> list[str]:
    """Statuses, or causes where unknown."""
    completion = Completion(key="", text=text, finish_reason=finish, reasoning=reasoning)
    return [str(v.cause or v.status) for v in parse(completion, IDS, form)]


@pytest.mark.parametrize(
    "text",
    [
        GOOD_TEXT,
        f"\n  {GOOD_TEXT}\n",
        json.dumps(dict(reversed(GOOD.items())), indent=4),
        f"```json\n{GOOD_TEXT}\n```",
        f"```\n{GOOD_TEXT}\n```\n",
        f"<think>\nMaybe {{}} or ```json\n{{}}\n```?\n</think>\n\n{GOOD_TEXT}",
        f"Not opened here.</think>{GOOD_TEXT}",
        f"<think>He writes </think> himself.</think>{GOOD_TEXT}",
    ],
)
def test_one_object_in_any_usual_dress_is_read(text):
    assert read(text) == MET_UNMET_MET


@pytest.mark.parametrize(
    ("text", "finish", "cause"),
    [
        ("", "stop", Cause.EMPTY),
        (" \n", "", Cause.EMPTY),
        ("", "length", Cause.TRUNCATED),
        (GOOD_TEXT[:-1], "length", Cause.TRUNCATED),
        (GOOD_TEXT[:-1], "stop", Cause.UNPARSABLE),
        (f"```json\n{GOOD_TEXT}", "length", Cause.TRUNCATED),
        ("<think>Let me see", "stop", Cause.TRUNCATED),
        (f"<think>{GOOD_TEXT}", "stop", Cause.TRUNCATED),
        ("<think>All good.</think>", "stop", Cause.EMPTY),
        (GOOD_TEXT, "content_filter", Cause.FILTERED),
        ("No.", "refusal", Cause.REFUSAL),
        ("I'm sorry, but I cannot grade this.", "stop", Cause.REFUSAL),
        ("I can’t help with that.", "stop", Cause.REFUSAL),
        ("Sorting these criteria is fun", "stop", Cause.UNPARSABLE),
        (f"Here it is: {GOOD_TEXT}", "stop", Cause.UNPARSABLE),
        (f"{GOOD_TEXT}\nI hope this helps.", "stop", Cause.UNPARSABLE),
        (f"{GOOD_TEXT}{GOOD_TEXT}", "stop", Cause.UNPARSABLE),
        (f"```json\n{GOOD_TEXT}\n```\n```json\n{GOOD_TEXT}\n```", "stop", Cause.UNPARSABLE),
        (f"[{GOOD_TEXT}]", "stop", Cause.UNPARSABLE),
        ("true", "stop", Cause.UNPARSABLE),
        ("null", "stop", Cause.UNPARSABLE),
        (GOOD_TEXT.replace('"', "'"), "stop", Cause.UNPARSABLE),
        (GOOD_TEXT.replace("true", "True"), "stop", Cause.UNPARSABLE),
        (GOOD_TEXT[:-1] + ",}", "stop", Cause.UNPARSABLE),
        ("[" * 100_000, "stop", Cause.UNPARSABLE),
        ("1" * 10_000, "stop", Cause.UNPARSABLE),
        ("{}", "stop", Cause.MISSING_ID),
        (json.dumps({"verdicts": GOOD}), "stop", Cause.UNEXPECTED_ID),
        (json.dumps({"c1": True, "c2": True, "c3": True}), "stop", Cause.UNEXPECTED_ID),
    ],
)
def test_anything_else_is_unknown_with_the_true_cause(text, finish, cause):
    assert read(text, finish=finish) == [str(cause)] * 3


@pytest.mark.parametrize("value", [None, 1, 0, "true", "yes", [], {"met": True}, 1.0, [True]])
def test_a_value_that_is_no_verdict_concerns_one_criterion(value):
    assert read(json.dumps({**GOOD, K2: value})) == ["met", "unparsable", "met"]


def test_a_label_given_twice_is_unknown_even_if_both_say_the_same():
    text = f'{{"{K1}": true, "{K2}": false, "{K1}": true, "{K3}": true}}'
    assert json.loads(text) == GOOD  # which no JSON decoder would show
    assert read(text) == ["duplicate_id", "unmet", "met"]


def test_one_missing_label_makes_one_unknown():
    assert read(json.dumps({K1: True, K3: False})) == ["met", "missing_id", "unmet"]


def test_a_label_of_the_judges_own_making_takes_nothing_from_the_others():
    assert read(json.dumps({**GOOD, "bonus": True})) == MET_UNMET_MET
    found = read(json.dumps({K1: True, K2: False, "<criterion 4>": True}))
    assert found == ["met", "unmet", "unexpected_id"]


def test_an_object_that_is_whole_counts_even_at_the_token_limit():
    assert read(GOOD_TEXT, finish="length") == MET_UNMET_MET


def test_reasoning_sent_apart_does_not_matter():
    assert read(GOOD_TEXT, reasoning='{"<criterion 1>": false') == MET_UNMET_MET


REASONED = {k: {"evidence": "as he says", "met": v} for k, v in GOOD.items()}


class TestReasoned:
    def read(self, value: object) -> list[str]:
        return read(json.dumps({**REASONED, K1: value}), form="reasoned")

    def test_evidence_is_kept(self):
        completion = Completion(key="", text=json.dumps(REASONED))
        found = parse(completion, IDS, "reasoned")
        assert [v.status for v in found] == [Status.MET, Status.UNMET, Status.MET]
        assert {v.evidence for v in found} == {"as he says"}

    @pytest.mark.parametrize(
        "value",
        [
            True,
            {"met": True},
            {"evidence": "x"},
            {"evidence": None, "met": True},
            {"evidence": "x", "met": "true"},
            {"evidence": "x", "met": True, "score": 1},
        ],
    )
    def test_a_value_of_another_shape_is_unparsable(self, value):
        assert self.read(value) == ["unparsable", "unmet", "met"]

    def test_a_verdict_given_twice_in_one_value_is_unparsable(self):
        text = json.dumps(REASONED).replace('"met": false', '"met": true, "met": false')
        assert read(text, form="reasoned") == ["met", "unparsable", "met"]

    def test_evidence_fits_into_a_table(self):
        text = json.dumps({K1: {"evidence": "\ud83d a\0b" + "x" * 5_000, "met": True}})
        (verdict,) = parse(Completion(key="", text=text), ["a"], "reasoned")
        assert verdict.status is Status.MET
        assert verdict.evidence.startswith("? ab")
        assert len(verdict.evidence) == MAX_EVIDENCE_CHARS
        verdict.evidence.encode("utf-8")


class TestPaper:
    def test_published_form_is_read(self):
        assert read('{"c1":"yes","c2":"no","c3":" Yes "}', form="paper") == MET_UNMET_MET

    @pytest.mark.parametrize("value", ["maybe", "", "y", True, None, "yes, mostly"])
    def test_other_words_are_no_verdict(self, value):
        text = json.dumps({"c1": "yes", "c2": value, "c3": "no"})
        assert read(text, form="paper") == ["met", "unparsable", "unmet"]


class TestCompact:
    @pytest.mark.parametrize(
        "text", ["Y N Y", " Y N Y\n", "```\nY N Y\n```", "<think>N N N</think>\nY N Y"]
    )
    def test_letters_in_the_order_of_the_criteria_are_read(self, text):
        assert read(text, form="compact") == MET_UNMET_MET
        assert read(text, form="compact", finish="length") == MET_UNMET_MET

    @pytest.mark.parametrize(
        ("text", "finish", "cause"),
        [
            ("Y N", "stop", Cause.MISSING_ID),
            ("Y", "stop", Cause.MISSING_ID),
            ("Y N", "length", Cause.TRUNCATED),
            ("Y N Y N", "stop", Cause.UNEXPECTED_ID),
            ("Y N Y N", "length", Cause.UNEXPECTED_ID),
            ("YNY", "stop", Cause.UNPARSABLE),
            ("Y  N Y", "stop", Cause.UNPARSABLE),
            ("Y\nN\nY", "stop", Cause.UNPARSABLE),
            ("Y,N,Y", "stop", Cause.UNPARSABLE),
            ("y n y", "stop", Cause.UNPARSABLE),
            ("Yes No Yes", "stop", Cause.UNPARSABLE),
            ("Y N Y.", "stop", Cause.UNPARSABLE),
            ("Y N ?", "stop", Cause.UNPARSABLE),
            ("The answer is: Y N Y", "stop", Cause.UNPARSABLE),
            ("c1: Y c2: N c3: Y", "stop", Cause.UNPARSABLE),
            ("Y N Y\nN N N", "stop", Cause.UNPARSABLE),
            ("I cannot grade this", "stop", Cause.REFUSAL),
            (GOOD_TEXT, "stop", Cause.UNPARSABLE),
            ("", "stop", Cause.EMPTY),
            ("Y N Y", "content_filter", Cause.FILTERED),
        ],
    )
    def test_anything_else_is_unknown_for_all(self, text, finish, cause):
        assert read(text, form="compact", finish=finish) == [str(cause)] * 3


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_filled_skeleton_is_an_answer_that_is_read(form, count):
    labels = canonical_labels(count, hidden=form.hidden_labels)
    parts = form.skeleton(labels)
    assert sum(isinstance(part, Slot) for part in parts) == count
    for met in (True, False):
        chosen = [
            (part.met if met else part.unmet)
            if isinstance(part, Slot)
            else 'he \\"says\\"'
            if isinstance(part, Quote)
            else part
            for part in parts
        ]
        found = parse(Completion(key="", text="".join(chosen)), IDS[:count], form.name)
        assert [v.status for v in found] == [Status.MET if met else Status.UNMET] * count
        assert all(v.evidence in ("", 'he "says"') for v in found)


def test_texts_of_a_skeleton_are_whole():
    parts = FORMATS["reasoned"].skeleton(["p", "q"])
    before, between, after = '{"p": {"evidence": "', '}, "q": {"evidence": "', "}}"
    slot, met = Slot(" true", " false"), '", "met":'
    assert parts == [before, Quote(), met, slot, between, Quote(), met, slot, after]
    assert FORMATS["compact"].skeleton(["c1", "c2"]) == [Slot("Y", "N"), Slot(" Y", " N")]


@pytest.mark.parametrize(("count", "fits"), [(1, "Y"), (2, "N Y"), (4, "Y N Y N")])
def test_letters_can_be_enforced_by_a_regular_expression(count, fits):
    pattern = FORMATS["compact"].regex(count)
    assert pattern is not None
    assert re.fullmatch(pattern, fits)
    assert not re.fullmatch(pattern, fits + " Y")
    assert not re.fullmatch(pattern, fits.lower())


def test_each_form_is_enforced_by_a_schema_or_a_regular_expression():
    for form in FORMATS.values():
        assert (form.schema(["a"]) is None) == (form.regex(1) is not None)


def test_what_is_asked_once_more_is_never_the_services_or_the_length_of_the_responses_doing():
    assert not any(cause.is_infrastructure for cause in REPAIRABLE)
    assert not REPAIRABLE & {Cause.FILTERED, Cause.OVERFLOW, Cause.CHECK_FAILED}


@given(st.text(max_size=200), st.sampled_from(["json", "reasoned", "compact", "paper"]))
def test_no_text_breaks_the_parser_or_makes_a_verdict_of_nothing(text, form):
    found = parse(Completion(key="", text=text), IDS, form)
    assert [v.criterion_id for v in found] == list(IDS)
    assert all(v.status is Status.UNKNOWN for v in found)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([K1, K2, K3, "evidence", "met", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_only_a_plain_boolean_under_the_right_label_is_a_verdict(value):
    found = parse(Completion(key="", text=json.dumps(value)), IDS, "json")
    for label, verdict in zip((K1, K2, K3), found, strict=True):
        given_value = value.get(label) if isinstance(value, dict) else None
        known = given_value is True or given_value is False
        assert (verdict.status is not Status.UNKNOWN) == known
        if known:
            assert (verdict.status is Status.MET) == given_value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ("", "plain", True)),
        ("<think>a</think>b", ("a", "b", True)),
        ("  <think>a</think>b", ("a", "b", True)),
        ("a</think>b", ("a", "b", True)),
        ("<think>a", ("a", "", False)),
        ('{"x": "</think>"}', ("", '{"x": "</think>"}', True)),
    ],
)
def test_reasoning_is_split_off(text, expected):
    assert tuple(split_reasoning(text)) == expected
