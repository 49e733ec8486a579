"""Soft verdicts: what log-probabilities say, from an endpoint's bytes to p_met."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.judging.formats import FORMATS
from rubricbench.judging.labels import Labels, canonical_labels
from rubricbench.judging.parse import parse
from rubricbench.judging.soft import kept
from rubricbench.judging.wire import ChatAnswer, TokenLogprob
from rubricbench.schema import Status, Verdict
from rubricbench.store import Completion

SHOWN = ("qa7tru", "no3yes", "zzfals")  # labels with pieces that look like verdicts

Spread = Mapping[str, float]
"""Tokens in one place and their probabilities, the first of them chosen."""


def token(spread: Spread | str) -> TokenLogprob:
    if isinstance(spread, str):
        return TokenLogprob(spread.encode(), 0.0)
    top = tuple((text, math.log(p)) for text, p in spread.items())
    return TokenLogprob(top[0][0].encode(), top[0][1], top)


def answer(
    parts: Sequence[Spread | str], *, text: str | None = None, finish: str = "stop"
) -> ChatAnswer:
    """An answer of the tokens given; a text alone is certain."""
    tokens = tuple(token(part) for part in parts)
    said = b"".join(t.data for t in tokens).decode() if text is None else text
    return ChatAnswer(said, "", finish, "m", {}, tokens)


def read(given: ChatAnswer, form: str, shown: Sequence[str] = SHOWN) -> list[Verdict]:
    """The verdicts of an answer, by way of what is stored of it."""
    count = len(shown)
    hidden = FORMATS[form].hidden_labels
    labels = Labels(tuple(shown), canonical_labels(count, hidden=hidden))
    completion = Completion(
        key="",
        text=labels.canonicalise(given.text),
        finish_reason=given.finish_reason,
        logprobs=kept(given, labels.shown, FORMATS[form]),
    )
    return parse(completion, [f"id{i}" for i in range(count)], form)


def in_json(*spreads: Spread) -> list[Spread | str]:
    parts: list[Spread | str] = []
    for i, spread in enumerate(spreads):
        label = SHOWN[i]
        parts += [', "' if i else '{"', label[:3], label[3:], '":', spread]
    return [*parts, "}"]


def soft(verdicts: Sequence[Verdict]) -> list[tuple[float | None, float | None]]:
    return [(v.p_met, v.captured) for v in verdicts]


def test_the_two_answers_are_renormalised_and_their_share_is_reported():
    given = answer(
        in_json(
            {" true": 0.6, " false": 0.3, " null": 0.1},
            {" false": 0.75, " true": 0.25},
            {" true": 0.5, " True": 0.2, "true": 0.1, " false": 0.1, "\n": 0.05},
        )
    )
    first, second, third = read(given, "json")
    assert [v.status for v in (first, second, third)] == [Status.MET, Status.UNMET, Status.MET]
    assert first.p_met == pytest.approx(0.6 / 0.9)
    assert first.captured == pytest.approx(0.9)
    assert second.p_met == pytest.approx(0.25)
    assert second.captured == pytest.approx(1.0)
    assert third.p_met == pytest.approx(0.8 / 0.9)  # case and space variants add up
    assert third.captured == pytest.approx(0.9)


def test_an_answer_that_is_not_listed_has_at_most_what_the_list_leaves_it():
    given = answer(
        in_json(
            {" true": 0.9, " null": 0.06, "\n": 0.02},  # least 0.02, left 0.02
            {" true": 0.9, " null": 0.06, "\n": 0.03},  # least 0.03, left 0.01
            {" false": 0.4, " null": 0.1},  # least 0.1, left 0.5
        )
    )
    first, second, third = read(given, "json")
    assert first.p_met == pytest.approx(0.9 / 0.92)
    assert second.p_met == pytest.approx(0.9 / 0.91)
    assert third.p_met == pytest.approx(0.1 / 0.5)
    assert [v.captured for v in (first, second, third)] == pytest.approx([0.9, 0.9, 0.4])


def test_with_the_chosen_token_alone_the_rest_is_the_other_answers():
    sure, unsure = TokenLogprob(b" Y", math.log(0.8)), TokenLogprob(b"N", math.log(0.3))
    verdicts = read(ChatAnswer("N Y", "", "stop", "m", {}, (unsure, sure)), "compact", "ab")
    # Left over 0.7, but no token can be likelier than the least listed, which is 0.3 itself.
    assert [v.p_met for v in verdicts] == pytest.approx([0.5, 0.8])
    assert [v.captured for v in verdicts] == pytest.approx([0.3, 0.8])


def test_the_status_is_what_the_judge_said_whatever_the_tokens_add_up_to():
    (verdict,) = read(
        answer(in_json({" true": 0.4, " false": 0.35, "false": 0.2})), "json", SHOWN[:1]
    )
    assert verdict.status is Status.MET
    assert verdict.p_met == pytest.approx(0.4 / 0.95)
    assert verdict.credit == verdict.p_met


def test_a_word_in_pieces_counts_by_the_piece_that_decides():
    given = answer(['{"', SHOWN[0], '": ', {"tr": 0.7, "f": 0.2, "x": 0.1}, "ue", "}"])
    (verdict,) = read(given, "json", SHOWN[:1])
    assert verdict.p_met == pytest.approx(0.7 / 0.9)
    assert verdict.captured == pytest.approx(0.9)


def test_a_piece_is_no_answer_where_the_judge_said_a_whole_word():
    given = answer(['{"c1": "', {"yes": 0.6, "n": 0.1, "no": 0.2, "y": 0.1}, '"}'])
    (verdict,) = read(given, "paper", ["c1"])
    assert verdict.p_met == pytest.approx(0.6 / 0.8)
    assert verdict.captured == pytest.approx(0.8)


class TestForms:
    def test_letters(self):
        parts = [{"Y": 0.9, "N": 0.1}, {" N": 0.8, " Y": 0.1, " y": 0.1}, {" Y": 0.5, " N": 0.5}]
        verdicts = read(answer([*parts, "\n"]), "compact")
        assert [v.p_met for v in verdicts] == pytest.approx([0.9, 0.2, 0.5])

    def test_words_with_the_quotation_mark_in_the_same_token(self):
        parts = [
            '{"c1":',
            {' "yes': 0.9, ' "no': 0.1},
            '", "c2": ',
            {'"no"': 0.7, '"yes"': 0.3},
            "}",
        ]
        verdicts = read(answer(parts), "paper", ["c1", "c2"])
        assert [v.p_met for v in verdicts] == pytest.approx([0.9, 0.3])

    @pytest.mark.parametrize("evidence", ["no", '\\"met\\": false', 'he says \\"yes\\" } {', ""])
    def test_verdicts_behind_evidence(self, evidence):
        parts: list[Spread | str] = ["{\n"]
        for i, p in enumerate([0.9, 0.6]):
            parts += [
                f'{"," if i else ""} "{SHOWN[i]}": {{"evidence": "',
                evidence,
                '", "met"',
                ":",
            ]
            parts += [{" true": p, " false": 1 - p}, "}"]
        verdicts = read(answer([*parts, "\n}"]), "reasoned", SHOWN[:2])
        assert [v.p_met for v in verdicts] == pytest.approx([0.9, 0.6])

    def test_the_verdict_before_its_evidence(self):
        parts = [f'{{"{SHOWN[0]}": {{"met":', {" false": 0.7, " true": 0.3}, ', "evidence": "x"}}']
        assert read(answer(parts), "reasoned", SHOWN[:1])[0].p_met == pytest.approx(0.3)


YES = {"Y": 0.75, "N": 0.25}


class TestAlignment:
    @pytest.mark.parametrize(
        ("parts", "text"),
        [
            ([YES, "<|im_end|>"], "Y"),
            ([YES, "", "<|END_OF_TURN|>"], "Y"),  # whose name ends with neither letter of ours
            (["<think>", "N", " or Y?", "</think>", "\n\n", YES], "Y"),  # reasoning sent apart
            (["<think>", "N", " or Y?", "</think>", "\n\n", YES], None),  # and not
            ([" ", YES, " ", "\n"], "Y"),
            (["```\n", YES, "\n```"], "```\nY\n```"),
        ],
    )
    def test_tokens_before_and_behind_the_text_are_passed_over(self, parts, text):
        (verdict,) = read(answer(parts, text=text), "compact", "a")
        expected = None if text and text.startswith("```") else 0.75  # fences are no letters
        assert verdict.status is Status.MET
        assert verdict.p_met == (expected and pytest.approx(expected))

    def test_a_character_in_several_tokens(self):
        quote = "“héllo 🎉”".encode()
        tokens = (
            TokenLogprob(b'{"qa7tru": {"evidence": "', 0.0),
            *(TokenLogprob(bytes([byte]), -1.0) for byte in quote),
            TokenLogprob(b'", "met":', 0.0),
            token({" true": 0.75, " false": 0.25}),
            TokenLogprob(b"}}", 0.0),
        )
        text = b"".join(t.data for t in tokens).decode()
        (verdict,) = read(ChatAnswer(text, "", "stop", "m", {}, tokens), "reasoned", SHOWN[:1])
        assert verdict.p_met == pytest.approx(0.75)

    @pytest.mark.parametrize("parts", [["token_id:29802"], ["Y", *"<e>"], ["N"], ["Y Y"], ["Ġ"]])
    def test_tokens_that_do_not_make_the_text_leave_a_hard_verdict(self, parts):
        assert soft(read(answer(parts, text="Y"), "compact", "a")) == [(None, None)]

    def test_no_logprobs_leave_hard_verdicts(self):
        given = answer(in_json({" true": 1.0}))
        plain = msgspec.structs.replace(given, logprobs=())
        assert kept(plain, SHOWN[:1], FORMATS["json"]) == b""
        (verdict,) = read(plain, "json", SHOWN[:1])
        assert (verdict.p_met, verdict.captured, verdict.credit) == (None, None, 1.0)

    def test_an_answer_that_cannot_be_read_stays_unknown(self):
        verdicts = read(
            answer(["Sure: ", *in_json({" true": 0.6, " false": 0.4})]), "json", SHOWN[:1]
        )
        assert [v.status for v in verdicts] == [Status.UNKNOWN]
        assert soft(verdicts) == [(None, None)]

    def test_a_label_that_stands_twice_leaves_a_hard_verdict(self):
        inner = f'{{"x": {{"{SHOWN[0]}": '
        parts = [inner, {"false": 0.9, "true": 0.1}, f'}}, "{SHOWN[0]}": ', {"true": 1.0}, "}"]
        (verdict,) = read(answer(parts), "json", SHOWN[:1])
        assert (verdict.status, verdict.p_met) == (Status.MET, None)


def test_what_is_stored_depends_on_no_label_and_holds_verdicts_alone():
    spread = {" true": 0.5, " qa7": 0.2, "secret": 0.2, " false": 0.1}
    same = []
    for label in ("qa7tru", "zzzzzz"):
        given = answer(['{"', label, '":', spread, "}"])
        same.append(kept(given, [label], FORMATS["json"]))
    assert same[0] == same[1]
    ((own, _, others, least, left),) = json.loads(same[0])
    assert own == " true"
    assert [text for text, _ in others] == [" false"]
    assert math.exp(least) == pytest.approx(0.1)
    assert left == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "stored", [b"[]", b"null", b"{", b"[1]", b"[null, null]", b'[["Y"]]', b"\xff"]
)
def test_stored_logprobs_of_another_form_are_passed_over(stored):
    completion = Completion(key="", text="Y", logprobs=stored)
    assert soft(parse(completion, ["a"], "compact")) == [(None, None)]


PLACE = st.tuples(
    st.sampled_from(["Y", "N", " Y", "x", "", "é"]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.tuples(st.sampled_from(["Y", "N", "y", "?"]), st.floats(-1e4, 1e4)), max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(st.none() | PLACE, min_size=2, max_size=2))
def test_whatever_is_stored_p_met_is_a_probability(places):
    completion = Completion(key="", text="Y N", logprobs=msgspec.json.encode(places))
    for verdict in parse(completion, ["a", "b"], "compact"):
        assert (verdict.p_met is None) == (verdict.captured is None)
        assert verdict.p_met is None or 0.0 <= verdict.p_met <= 1.0


@given(st.data())
def test_p_met_is_the_share_of_met_whatever_else_the_model_might_have_said(data):
    met, unmet, other = (data.draw(st.floats(0.001, 1.0)) for _ in range(3))
    total = met + unmet + other
    spread = {" true": met / total, " false": unmet / total, " maybe": other / total}
    (verdict,) = read(answer(in_json(spread)), "json", SHOWN[:1])
    assert verdict.p_met == pytest.approx(met / (met + unmet))
    assert verdict.captured == pytest.approx((met + unmet) / total)
