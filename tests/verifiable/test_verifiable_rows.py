"""The embedded dataset: as generated, every row valid, described, and possible to meet."""

from __future__ import annotations

from collections import Counter

import pytest

import rubricbench as rb
from rubricbench.builders.verifiable.dataset import SIZES, build_split, rows_hash
from rubricbench.checks import check_response, complete, registered
from rubricbench.hub import CANARY, embedded
from rubricbench.schema import Rubric
from rubricbench.scoring import score
from rubricbench.solver import solve
from rubricbench.tables import SCHEMAS


@pytest.fixture(scope="module")
def splits() -> dict[str, list[Rubric]]:
    return {
        name: [Rubric.from_row(row) for row in rb.load("verifiable", split=name)] for name in SIZES
    }


@pytest.mark.parametrize("name", sorted(SIZES))
def test_embedded_rows_are_what_the_generator_makes(splits, name):
    made = list(build_split(name, SIZES[name]))
    assert len(splits[name]) == SIZES[name]
    assert rows_hash(splits[name]) == rows_hash(made)


def test_rows_have_the_hash_of_version_one(splits):
    # Written by: rubricbench build verifiable --out DIR. Another hash is another dataset: the
    # version in rubricbench.builders.verifiable has to change with it.
    assert {name: rows_hash(rows) for name, rows in splits.items()} == {
        "train": "8927743500c0c9c888426778c271146d3dae80604ecc16d4cc485a794e1db395",
        "test": "a8e75c5f1f503267c2d2089338469e3604f38bb325dee396595587fbc90e337c",
    }
    assert {rubric.version for rows in splits.values() for rubric in rows} == {"1.0.0"}


def test_columns_are_those_of_the_rubrics_table():
    import pyarrow.parquet as pq

    for name in SIZES:
        stored = pq.read_schema(embedded("verifiable") / f"{name}.parquet")
        assert stored.equals(SCHEMAS["rubrics"])


def test_a_row_depends_on_its_own_key_alone():
    many = list(build_split("test", 20))
    assert list(build_split("test", 5)) == many[:5]
    assert list(build_split("test", 5, seed=1)) != many[:5]


def test_no_prompt_stands_twice(splits):
    prompts = [r.prompt.text for rows in splits.values() for r in rows]
    assert len(set(prompts)) == len(prompts)


def test_every_row_has_a_few_criteria_of_weight_one_to_three(splits):
    for rubric in splits["test"] + splits["train"]:
        assert 3 <= rubric.number_of_criteria <= 10
        assert {abs(c.weight) for c in rubric.criteria} <= {1, 2, 3}
        assert all(c.check and complete(c.check) for c in rubric.criteria)


def test_rows_say_where_they_come_from(splits):
    for rubric in splits["test"]:
        prompt = rubric.prompt
        assert (prompt.domain, prompt.split, prompt.license) == ("verifiable", "test", "CC-BY-4.0")
        assert prompt.canary == CANARY
        assert CANARY not in prompt.text


def test_test_split_is_varied(splits):
    rows = splits["test"]
    families = Counter(c.check.name for r in rows for c in r.criteria if c.check)
    forms = {tag for r in rows for c in r.criteria for tag in c.tags if tag.startswith("form:")}
    assert set(families) == set(registered())
    assert min(families.values()) >= 5
    assert max(families.values()) <= 0.1 * sum(families.values())
    assert len(forms) >= 40
    assert sum(len(r.prompt.messages) > 1 for r in rows) >= 0.15 * len(rows)
    assert sum(any(c.is_penalty for c in r.criteria) for r in rows) >= 0.3 * len(rows)


def test_both_splits_together_know_three_hundred_topics(splits):
    rows = splits["test"] + splits["train"]
    topics = {tag for r in rows for c in r.criteria for tag in c.tags if tag.startswith("topic:")}
    assert len(topics) >= 300


def test_files_are_small():
    folder = embedded("verifiable")
    assert sum(f.stat().st_size for f in folder.glob("*.parquet")) < 2_000_000


@pytest.mark.parametrize("name", sorted(SIZES))
def test_every_row_can_be_met_in_full(splits, name):
    for rubric in splits[name]:
        assert score(rubric, check_response(rubric, solve(rubric))).value == 1.0, rubric.prompt_id


def test_gibberish_never_meets_a_row_in_full(splits):
    rows = splits["test"][:200]
    answers = [solve(r) for r in rows]
    words = " ".join(sorted(set(" ".join(answers).split()))[:150])
    full = 0
    for i, rubric in enumerate(rows):
        for text in ("", words, answers[i - 1], "The answer is in the question. " * 20):
            full += score(rubric, check_response(rubric, text)).value == 1.0
    assert full <= 0.005 * 4 * len(rows)
