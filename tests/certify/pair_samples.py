"""Verdict pairs by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from label_samples import write_lines

from rubricbench.certify.pairs import Pairs
from rubricbench.certify.pairs_file import read_pairs

WORDS = {1: "met", 0: "unmet", None: "unknown"}


def pair(prompt: str, response: str, name: str, reference: Any, said: Any, **more: Any):
    row = {
        "prompt_id": prompt,
        "response_id": response,
        "criterion_id": name,
        "reference": WORDS[reference],
        "status": WORDS[said],
        "cause": None if said is not None else "timeout",
    }
    return {**row, **more}


def pairs_of(folder: Path, rows: list[dict[str, Any]]) -> Pairs:
    (found,), _ = read_pairs(write_lines(folder / "pairs.jsonl", rows))
    return found
