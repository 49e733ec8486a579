"""Four small rubrics with answers whose scores can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rubricbench.schema import Check, Criterion, Message, Prompt, Rubric
from rubricbench.tables import to_arrow


def _criterion(weight: int, family: str, **params: object) -> Criterion:
    text = f"{family} {sorted(params.items())}"
    return Criterion(criterion=text, weight=weight, check=Check(family, dict(params)))


def _rubric(messages: list[tuple[str, str]], *criteria: Criterion) -> Rubric:
    turns = tuple(Message(role, content) for role, content in messages)
    return Rubric(prompt=Prompt(messages=turns, split="test"), criteria=criteria)


RUBRICS = (
    _rubric(
        [("user", "Name three rivers.")],
        _criterion(2, "word_count", minimum=3),
        _criterion(1, "no_commas"),
        _criterion(-1, "keywords_include", keywords=["very"]),
    ),
    _rubric(
        [("user", "Hello."), ("assistant", "Hello. What now?"), ("user", "Say it quietly.")],
        _criterion(3, "all_lowercase"),
        _criterion(1, "no_commas"),
    ),
    _rubric(
        [("system", "You are terse."), ("user", "List two things.")],
        _criterion(2, "bullet_count", minimum=2),
        _criterion(1, "end_phrase", phrase="That is all."),
        _criterion(1, "no_commas"),
    ),
    _rubric(
        [("user", "Name two or three mountains.")],
        _criterion(1, "word_count", minimum=2),
        _criterion(1, "word_count", maximum=4),
    ),
)

ANSWERS = (
    # 12 words: +2; a comma: 0; "very" is there: -1. (2 - 1) / 3 = 1/3
    "The Rhine, the Nile and the Amazon are all very long rivers.",
    # lower case: +3; a comma: 0. 3/4
    "<think>Should I shout?</think>\n\nall in lower case, of course",
    # two bullets: +2; the phrase: +1; no comma: +1. 4/4
    "- a stone\n- a leaf\n\nThat is all.",
    # six words: one bound kept, the other not. 1/2
    "Etna and Fuji and Elbrus too.",
)
SCORES = (1 / 3, 3 / 4, 1.0, 1 / 2)
# Passed, of all: the first passes one of three (the penalty is met), and so on.
PASSED = (1 / 3, 1 / 2, 1.0, 1 / 2)


@pytest.fixture
def rubrics() -> tuple[Rubric, ...]:
    return RUBRICS


@pytest.fixture
def answers() -> dict[str, str]:
    """Each answer by the id of its prompt."""
    return {r.prompt_id: text for r, text in zip(RUBRICS, ANSWERS, strict=True)}


@pytest.fixture
def scores() -> dict[str, float]:
    return {r.prompt_id: score for r, score in zip(RUBRICS, SCORES, strict=True)}


@pytest.fixture
def passed() -> dict[str, float]:
    return {r.prompt_id: share for r, share in zip(RUBRICS, PASSED, strict=True)}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for ``load(…, source=folder)`` with these rubrics as its test split."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "verifiable").mkdir()
    table = to_arrow("rubrics", [rubric.to_row() for rubric in RUBRICS])
    pq.write_table(table, folder / "verifiable" / "test.parquet")
    return folder
