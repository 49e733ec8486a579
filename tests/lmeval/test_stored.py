"""Stored models: what was generated once is not generated again, wherever a run was cut off."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from rubricbench.lmeval.generation import finish_reason
from rubricbench.lmeval.stored import StoredModel
from rubricbench.progress import progress
from rubricbench.store import Store

SETTINGS = {"until": [], "do_sample": False, "max_gen_toks": 8}


class KilledError(Exception):
    pass


class Answering:
    """Answers with what it was shown and in which batch; stops the run after some batches."""

    def __init__(self, batches: int = 1000) -> None:
        self.left = batches
        self.batches: list[list[str]] = []

    def apply_chat_template(self, chat_history):
        return "|".join(f"{turn['role']}:{turn['content']}" for turn in chat_history)

    def answer(self, prompts, settings, advance):
        if not self.left:
            raise KilledError
        self.left -= 1
        self.batches.append(list(prompts))
        advance(len(prompts))
        # A real model's answer depends a little on its batch: padding rounds differently.
        beside = len(self.batches[-1])
        return [
            SimpleNamespace(text=f"{p} of {beside}", finish_reason="length", tokens=3)
            for p in prompts
        ]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.sqlite") as opened:
        yield opened


def model(store, answering, *, batch_size=2, identity=None):
    made = []

    def make():
        made.append(answering)
        return answering

    stored = StoredModel(
        store,
        identity=identity or {"model": "m_1", "dtype": "float32"},
        name="tiny",
        make=make,
        batch_size=batch_size,
        progress=lambda tokens: progress(tokens, "generating", quiet=True),
    )
    return stored, made


def requests(stored, texts, settings=SETTINGS):
    return [
        SimpleNamespace(
            args=(stored.apply_chat_template([{"role": "user", "content": text}]), settings)
        )
        for text in texts
    ]


TEXTS = ["a", "bbb", "cc", "dddd", "eeeee"]


def test_answers_come_in_the_order_of_the_requests(store):
    stored, _ = model(store, Answering())
    found = stored.generate_until(requests(stored, TEXTS))
    assert [text.split(" of ")[0] for text in found] == [f"user:{text}" for text in TEXTS]
    assert {finish_reason(text) for text in found} == {"length"}


def test_second_run_makes_no_model(store):
    first, _ = model(store, Answering())
    expected = first.generate_until(requests(first, TEXTS))
    second, made = model(store, Answering())
    assert second.generate_until(requests(second, TEXTS)) == expected
    assert made == []


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_interrupted_run_goes_on_to_the_same_answers(store, tmp_path, batches):
    with Store.open(tmp_path / "other.sqlite") as whole:
        uninterrupted, _ = model(whole, Answering())
        expected = uninterrupted.generate_until(requests(uninterrupted, TEXTS))
    cut, _ = model(store, Answering(batches))
    with pytest.raises(KilledError):
        cut.generate_until(requests(cut, TEXTS))
    rest = Answering()
    resumed, _ = model(store, rest)
    assert resumed.generate_until(requests(resumed, TEXTS)) == expected
    assert len(rest.batches) == 3 - batches  # five prompts in batches of two: three in all


def test_batches_are_of_equal_length_longest_first(store):
    answering = Answering()
    stored, _ = model(store, answering)
    stored.generate_until(requests(stored, TEXTS))
    lengths = [[len(prompt) - len("user:") for prompt in batch] for batch in answering.batches]
    assert lengths == [[5, 4], [3, 2], [1]]


def test_same_request_is_paid_for_once(store):
    answering = Answering()
    stored, _ = model(store, answering)
    found = stored.generate_until(requests(stored, ["a", "a", "a"]))
    assert answering.batches == [["user:a"]]
    assert found == ["user:a of 1"] * 3


@pytest.mark.parametrize(
    ("identity", "settings"),
    [
        ({"model": "m_2", "dtype": "float32"}, SETTINGS),
        ({"model": "m_1", "dtype": "bfloat16"}, SETTINGS),
        (None, {**SETTINGS, "max_gen_toks": 9}),
    ],
)
def test_another_model_or_setting_is_another_answer(store, identity, settings):
    first, _ = model(store, Answering())
    first.generate_until(requests(first, ["a"]))
    second, made = model(store, Answering(), identity=identity)
    second.generate_until(requests(second, ["a"], settings))
    assert len(made) == 1


def test_transcript_is_not_confused_with_turns_of_the_same_text(store):
    stored, _ = model(store, Answering())
    as_turns = stored.apply_chat_template([{"role": "user", "content": "a"}])
    plain = json.dumps([{"content": "a", "role": "user"}], separators=(",", ":"))
    assert plain == as_turns
    asked = [SimpleNamespace(args=(text, SETTINGS)) for text in (as_turns, plain)]
    assert len({text.split(" of ")[0] for text in stored.generate_until(asked)}) == 2


def test_what_is_stored_names_the_model_and_the_tokens(store):
    stored, _ = model(store, Answering())
    stored.generate_until(requests(stored, TEXTS))
    stored_ones = list(store.iterate())
    assert [c.model for c in stored_ones] == ["tiny"] * 5
    assert {c.usage["completion_tokens"] for c in stored_ones} == {3}
