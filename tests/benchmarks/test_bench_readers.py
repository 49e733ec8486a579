"""Reading responses: rows a second of each format, as a ratio to parsing the same JSON bare."""

from __future__ import annotations

import csv
import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rubricbench.readers import read_responses

ROWS = [
    {"prompt": f"Question {i % 600}?", "generator": f"m{i % 21}", "response": "word " * 200}
    for i in range(10_000)
]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_rows_read_a_second(benchmark, capsys, tmp_path, suffix):
    path = tmp_path / f"r.{suffix}"
    lines = [json.dumps(row) for row in ROWS]
    if suffix == "jsonl":
        path.write_text("\n".join(lines))
    elif suffix == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ROWS[0])
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)

    assert benchmark(lambda: sum(1 for _ in read_responses(path))) == len(ROWS)
    rate = len(ROWS) / benchmark.stats.stats.median
    start = time.perf_counter()
    for line in lines:
        json.loads(line)
    bare = len(ROWS) / (time.perf_counter() - start)
    with capsys.disabled():
        print(f"\nreaders, {suffix}: {rate:,.0f} rows/s, {rate / bare:.2f}x bare json.loads")
