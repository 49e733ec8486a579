"""Prompts: turns for chat models, a transcript for models that only continue text."""

from __future__ import annotations

from rubricbench.tasks.prompts import STOPS, conversation, transcript

TURNS = [
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "What now?"},
    {"role": "user", "content": "Say it quietly."},
]


def test_conversation_keeps_every_turn():
    assert conversation(TURNS) == TURNS


def test_system_instruction_comes_first():
    first = {"role": "system", "content": "Be terse."}
    assert conversation(TURNS, "Be terse.") == [first, *TURNS]


def test_system_instruction_joins_the_system_turn_of_the_prompt():
    own = [{"role": "system", "content": "You are a poet."}, TURNS[0]]
    joined = {"role": "system", "content": "Be terse.\n\nYou are a poet."}
    assert conversation(own, "Be terse.") == [joined, TURNS[0]]


def test_transcript_ends_where_the_answer_begins():
    expected = "User: Hello.\n\nAssistant: What now?\n\nUser: Say it quietly.\n\nAssistant:"
    assert transcript(TURNS) == expected


def test_stops_are_the_labels_a_transcript_puts_at_line_starts():
    written = transcript([{"role": r, "content": "x"} for r in ("system", "user", "tool")])
    assert all(f"\n{stop.strip()}" in f"\n{written}" for stop in STOPS)
