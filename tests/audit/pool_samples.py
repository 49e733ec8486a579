"""Small pools with a known gold, for the tests of the audit and of the analyses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def pool_rows(prompts: int = 30, each: int = 48, seed: int = 0) -> list[dict]:
    """Return rows whose gold is uniform; ``good`` follows it, ``broken`` errs in the top 30%."""
    rng = np.random.default_rng(seed)
    rows = []
    for p in range(prompts):
        for i in range(each):
            gold = float(rng.uniform())
            words = " ".join(["word"] * (1 + int(40 * gold)))
            rows.append(
                {
                    "prompt_id": f"p{p:03}",
                    "response_id": f"r{p:03}-{i:02}",
                    "text": f"{words} {i}",
                    "generator": "policy",
                    "prompt": f"Question {p}?",
                    "gold": gold,
                    "good": gold + 0.1 * float(rng.normal()),
                    "broken": gold if gold < 0.7 else 1.7 - gold,
                }
            )
    return rows


def write_pool(path: Path, rows: list[dict]) -> Path:
    """Write rows as parquet."""
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path
