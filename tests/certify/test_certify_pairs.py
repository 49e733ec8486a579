from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from label_samples import write_lines
from pair_samples import pair, pairs_of

from rubricbench.certify.pairs import SCHEMA, About, Asked
from rubricbench.certify.pairs_file import read_pairs, write_pairs
from rubricbench.errors import InputError


def test_the_required_columns_are_enough(tmp_path: Path):
    found = pairs_of(tmp_path, [pair("p", "a", "c", 1, 0), pair("p", "a", "d", None, None)])
    assert found.variant == "given"
    assert found.reference.tolist()[0] == 1
    assert found.said.tolist()[0] == 0
    assert np.isnan(found.reference[1])
    assert np.isnan(found.credit[1])
    assert found.weight.tolist() == [1, 1]
    assert np.isnan(found.words).all()


def test_a_column_may_begin_after_the_first_row(tmp_path: Path):
    found = pairs_of(tmp_path, [pair("p", "a", "c", 1, 0), pair("p", "a", "d", 1, 1, weight=3)])
    assert found.weight.tolist() == [1, 3]


def test_the_verdict_stays_what_was_said_and_the_credit_is_soft(tmp_path: Path):
    # A sampled answer may say met where unmet was the likelier.
    found = pairs_of(tmp_path, [pair("p", "a", "c", 1, 1, p_met=0.4)])
    assert (found.said[0], found.credit[0], found.p_met[0]) == (1, 0.4, 0.4)


def test_variants_are_read_apart_in_the_order_of_the_file(tmp_path: Path):
    rows = [pair("p", "a", c, 1, 1, variant=v) for c in "cd" for v in ("json:all", "compact:1")]
    variants, _ = read_pairs(write_lines(tmp_path / "pairs.jsonl", rows))
    assert [(v.variant, len(v)) for v in variants] == [("json:all", 2), ("compact:1", 2)]


def test_what_is_known_of_the_judge_goes_along(tmp_path: Path):
    about = About(labels="l.jsonl", asked=(Asked(variant="v", judge="m@1", tokens={"a": 1}),))
    columns = {field.name: [] for field in SCHEMA}
    for name, value in {**pair("p", "a", "c", 1, 1), "variant": "v"}.items():
        columns[name] = [value]
    filled = {name: values or [None] for name, values in columns.items()}
    write_pairs(tmp_path / "pairs.parquet", filled, about)
    variants, found = read_pairs(tmp_path / "pairs.parquet")
    assert found == about
    assert variants[0].said.tolist() == [1]


BAD = {
    "a column is missing": ([{"prompt_id": "p"}], "no column 'response_id'; needed: prompt_id"),
    "a status of one's own": (
        [{**pair("p", "a", "c", 1, 1), "status": "yes"}],
        "column 'status' holds \"yes\"; met, unmet or unknown",
    ),
    "no reference": (
        [{**pair("p", "a", "c", 1, 1), "reference": None}],
        "column 'reference' holds null",
    ),
    "a probability beyond one": (
        [pair("p", "a", "c", 1, 1, p_met=1.5)],
        "column 'p_met' must lie in [0, 1]",
    ),
    "a weight in words": (
        [pair("p", "a", "c", 1, 1, weight="heavy")],
        "column 'weight' does not hold double",
    ),
    "a weight in words here and there": (
        [pair("p", "a", "c", 1, 1, weight=1), pair("p", "a", "d", 1, 1, weight="heavy")],
        "column 'weight' holds values of several kinds",
    ),
    "a pair twice": (
        [pair("p", "a", "c", 1, 1), pair("p", "a", "c", 1, 0)],
        "two rows for criterion 'c' of response 'a'",
    ),
    "no response": ([pair("p", None, "c", 1, 1)], "a row without prompt, response or criterion id"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, fault: str):
    rows, message = BAD[fault]
    with pytest.raises(InputError) as caught:
        read_pairs(write_lines(tmp_path / "pairs.jsonl", rows))
    assert message in str(caught.value)
    assert str(tmp_path / "pairs.jsonl") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path):
    (tmp_path / "pairs.parquet").write_text("no")
    with pytest.raises(InputError, match="not a readable parquet file"):
        read_pairs(tmp_path / "pairs.parquet")
