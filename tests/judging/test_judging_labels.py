"""Labels that a response cannot know, and a stored form that does not depend on them."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_samples import make_rubric

from rubricbench.judging import labels as labels_module
from rubricbench.judging.labels import LABEL_CHARS, Labels
from rubricbench.judging.parse import parse
from rubricbench.schema import Cause, Criterion, Prompt, Rubric, Status
from rubricbench.store import Completion

RUBRIC = make_rubric()
IDS = [c.id for c in RUBRIC.criteria]


def keyed(secret: bytes = b"one") -> Labels:
    return Labels.keyed(secret, RUBRIC, RUBRIC.criteria)


def read(text: str) -> list:
    return parse(Completion(key="", text=text), IDS, "json")


def test_labels_are_the_same_for_one_secret_and_others_for_another():
    assert keyed() == keyed()
    assert not set(keyed().shown) & set(keyed(b"two").shown)
    assert keyed().canonical == keyed(b"two").canonical


def test_labels_do_not_tell_the_criterion():
    for label in keyed().shown:
        assert len(label) == LABEL_CHARS
        assert all(label not in c.id for c in RUBRIC.criteria)


def test_the_same_criterion_has_another_label_under_another_prompt():
    other = Rubric(prompt=Prompt.from_text("another"), criteria=RUBRIC.criteria)
    assert Labels.keyed(b"one", other, other.criteria).shown != keyed().shown


def test_labels_of_a_long_rubric_are_distinct_even_where_hashes_meet(monkeypatch):
    monkeypatch.setattr(labels_module, "LABEL_CHARS", 2)  # 1,024 labels: 200 of them collide
    criteria = tuple(Criterion(criterion=f"c{i}", weight=1) for i in range(200))
    rubric = Rubric(prompt=Prompt.from_text("p"), criteria=criteria)
    assert len(set(Labels.keyed(b"s", rubric, criteria).shown)) == 200


@pytest.mark.parametrize("word", ["criter", "terion", "eviden"])
def test_no_label_is_part_of_what_stands_in_answers_anyway(monkeypatch, word):
    right = labels_module.hmac.digest
    drawn = base64.b32decode(word.upper() + "AA")

    def digest(secret, text, hash_name):
        return drawn if text.endswith(b"\x000") else right(secret, text, hash_name)

    monkeypatch.setattr(labels_module.hmac, "digest", digest)
    labels = keyed()
    assert word not in labels.shown
    answer = json.dumps({key: {"evidence": word, "met": True} for key in labels.shown})
    found = parse(Completion(key="", text=labels.canonicalise(answer)), IDS, "reasoned")
    assert {v.status for v in found} == {Status.MET}


def test_equal_texts_under_different_ids_have_different_labels():
    criteria = tuple(Criterion(criterion="Is kind", weight=1, id=f"k{i}") for i in range(3))
    labels = Labels.keyed(b"s", RUBRIC, criteria)
    assert len(set(labels.shown)) == 3


@given(st.dictionaries(st.text("abcdefghij234567", min_size=6, max_size=6), st.just(True)))
def test_guesses_count_for_nothing(guesses):
    # A guess is right once in a thousand million; the ones here are known not to be.
    labels = keyed()
    wrong = {guess: True for guess in guesses if guess not in labels.shown}
    found = {v.cause for v in read(labels.canonicalise(json.dumps(wrong)))}
    assert found == {Cause.UNEXPECTED_ID if wrong else Cause.MISSING_ID}


def test_a_guess_beside_the_right_labels_takes_nothing_away_and_adds_nothing():
    labels = keyed()
    answer = dict(zip(labels.shown, (True, False, True), strict=True)) | {"zzzzzz": True}
    found = read(labels.canonicalise(json.dumps(answer)))
    assert [v.status for v in found] == [Status.MET, Status.UNMET, Status.MET]


@pytest.mark.parametrize("change", [str.upper, str.title, lambda s: s + " ", lambda s: f"[{s}]"])
def test_a_label_that_is_only_like_the_one_shown_is_another(change):
    labels = keyed()
    answer = json.dumps({change(shown): True for shown in labels.shown})
    assert {v.cause for v in read(labels.canonicalise(answer))} == {Cause.UNEXPECTED_ID}


def test_answers_under_shown_labels_are_read_under_canonical_ones():
    labels = keyed()
    answer = json.dumps(dict(zip(labels.shown, (True, False, True), strict=True)))
    verdicts = read(labels.canonicalise(answer))
    assert [v.status for v in verdicts] == [Status.MET, Status.UNMET, Status.MET]
    assert [v.criterion_id for v in verdicts] == IDS


def test_two_runs_store_the_same_answer():
    one, two = keyed(b"one"), keyed(b"two")
    stored = {
        labels.canonicalise(json.dumps(dict.fromkeys(labels.shown, True))) for labels in (one, two)
    }
    assert len(stored) == 1


def test_a_canonical_label_the_judge_was_talked_into_counts_for_nothing():
    forged = json.dumps(dict.fromkeys(keyed().canonical, True))
    assert {v.cause for v in read(keyed().canonicalise(forged))} == {Cause.UNEXPECTED_ID}


def test_nor_does_one_written_with_escapes():
    forged = json.dumps(dict.fromkeys(keyed().canonical, True)).replace("<", "\\u003c")
    assert json.loads(forged) == dict.fromkeys(keyed().canonical, True)
    assert {v.cause for v in read(keyed().canonicalise(forged))} == {Cause.UNPARSABLE}


def test_escapes_outside_keys_are_fine():
    labels = keyed()
    value = {"evidence": 'He said: "no\\" \u00e9"', "met": True}
    answer = json.dumps(dict.fromkeys(labels.shown, value))
    found = parse(Completion(key="", text=labels.canonicalise(answer)), IDS, "reasoned")
    assert {v.status for v in found} == {Status.MET}


@given(st.text(max_size=40), st.integers(0, 2))
def test_whatever_the_judge_writes_only_shown_labels_are_translated(text, place):
    labels = keyed()
    canonical = labels.canonical[place]
    answer = labels.canonicalise(f"{text}{canonical}{text}")
    assert f'"{canonical}"' not in answer.replace(f'"<{canonical}"', "")


def test_published_labels_stay_as_they_are():
    plain = Labels.plain(2)
    assert plain.shown == ("c1", "c2")
    assert plain.canonicalise('{"c1": "yes"}') == '{"c1": "yes"}'
