"""Against real text: prompts are our own, and responses to other prompts spread over the scale."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

import rubricbench as rb
from rubricbench.builders.verifiable.dataset import SIZES
from rubricbench.builders.verifiable.report import page, sample, tally
from rubricbench.checks.text import fold, words
from rubricbench.schema import Rubric

RESPONSES = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval" / "responses.parquet"
OVERLAP = 8  # words in a row that make a prompt a copy

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not RESPONSES.is_file(), reason="no AlpacaEval responses beside the checkout"
    ),
]


@pytest.fixture(scope="module")
def test_rows() -> list[Rubric]:
    return [Rubric.from_row(row) for row in rb.load("verifiable", split="test")]


def _runs(text: str) -> set[tuple[str, ...]]:
    found = words(fold(text))
    return set(zip(*(found[i:] for i in range(OVERLAP)), strict=False))


def test_no_prompt_is_taken_from_alpaca_eval():
    import pyarrow.parquet as pq

    theirs = set(pq.read_table(RESPONSES, columns=["prompt"]).column("prompt").to_pylist())
    known = set().union(*(_runs(prompt) for prompt in theirs))
    for name in SIZES:
        for row in rb.load("verifiable", split=name):
            assert not _runs(row["prompt"]) & known, row["prompt_id"]


def test_real_responses_to_other_prompts_spread_and_never_score_in_full(test_rows):
    found = tally(test_rows, sample(RESPONSES))
    assert max(found.values) < 1.0
    assert 0.03 < statistics.fmean(found.values) < 0.3
    assert statistics.pstdev(found.values) > 0.1
    # Conditions of form alone are met by some responses and missed by most.
    assert len({round(v, 2) for v in found.formal}) > 30


def test_some_families_are_easy_and_most_are_not(test_rows):
    shares = {n: statistics.fmean(m) for n, m in tally(test_rows, sample(RESPONSES)).met.items()}
    assert sum(share > 0.9 for share in shares.values()) <= 3
    assert sum(0.1 < share < 0.9 for share in shares.values()) >= 15


def test_page_of_figures_quotes_no_response(test_rows):
    responses = sample(RESPONSES)[:40]
    text = page(test_rows[:40], responses)
    shown = _runs(text)
    assert not any(shown & _runs(response) for response in responses)
