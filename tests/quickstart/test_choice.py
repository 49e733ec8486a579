"""Which prompts a quickstart asks: covered, proportionate, the same everywhere."""

from __future__ import annotations

import pytest

from rubricbench.errors import InputError
from rubricbench.quickstart.prompts import choose
from rubricbench.schema import Check, Criterion, Message, Prompt, Rubric


def rubric(number: int, *families: str) -> Rubric:
    turns = [Message("user", f"Prompt {number}")]
    if number % 5 == 0:  # every fifth has a second turn: 20%
        turns += [Message("assistant", "Yes?"), Message("user", "Go on.")]
    criteria = tuple(
        Criterion(criterion=family, weight=1, check=Check(family)) for family in families
    )
    return Rubric(prompt=Prompt(messages=tuple(turns)), criteria=criteria)


COMMON = [rubric(n, "no_commas", "title") for n in range(1, 98)]
RARE = [rubric(98, "quotation"), rubric(99, "json_format"), rubric(100, "two_responses", "title")]
RUBRICS = COMMON + RARE


def families(rubrics) -> set[str]:
    return {c.check.name for r in rubrics for c in r.criteria}


def test_every_family_is_there_though_rare():
    assert families(choose(RUBRICS, 10)) == families(RUBRICS)


def test_multi_turn_prompts_come_to_their_share():
    chosen = choose(RUBRICS, 20)
    assert sum(len(r.prompt.messages) > 1 for r in chosen) == 4


def test_choice_has_no_prompt_twice_and_is_as_large_as_asked():
    for limit in (1, 3, 20, 100):
        assert len({r.prompt_id for r in choose(RUBRICS, limit)}) == limit


def test_choice_depends_on_seed_and_ids_not_on_order():
    ids = [r.prompt_id for r in choose(RUBRICS, 10)]
    assert [r.prompt_id for r in choose(RUBRICS[::-1], 10)] == ids
    assert [r.prompt_id for r in choose(RUBRICS, 10, seed=1)] != ids


def test_more_prompts_than_there_are_is_refused():
    with pytest.raises(InputError, match="101 prompts asked for, the dataset has 100"):
        choose(RUBRICS, 101)
