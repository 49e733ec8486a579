"""Group commit and chunked look-ups, as ratios to a commit and a query per row in the same run."""

from __future__ import annotations

import sqlite3
import time

from rubricbench.store import Completion, Store, request_key

ROWS = 10_000


def _completions() -> list[Completion]:
    made = []
    for i in range(ROWS):
        key, request = request_key({"messages": ["x" * 1000, i], "model": "m"})
        made.append(Completion(key=key, request=request, text="y" * 300))
    return made


def _commit_per_row(path, completions) -> float:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (key BLOB PRIMARY KEY, text TEXT, request BLOB)")
    start = time.perf_counter()
    for c in completions:
        connection.execute("INSERT INTO t VALUES (?, ?, ?)", (c.key, c.text, c.request))
        connection.commit()
    rate = len(completions) / (time.perf_counter() - start)
    connection.close()
    return rate


def test_store_writes_and_reads(benchmark, tmp_path, capsys):
    completions = _completions()
    naive = _commit_per_row(tmp_path / "naive.sqlite", completions)
    with Store.open(tmp_path / "store.sqlite") as store:
        start = time.perf_counter()
        for completion in completions:
            store.put(completion)
        store.flush()
        writes = ROWS / (time.perf_counter() - start)
        keys = [c.key for c in completions]
        benchmark(store.get_many, keys)
        reads = ROWS / benchmark.stats.stats.median
        start = time.perf_counter()
        for key in keys[:2000]:
            store.get_many([key])
        single = 2000 / (time.perf_counter() - start)
    with capsys.disabled():
        print(
            f"\nstore: {writes:,.0f} puts/s to disk, {writes / naive:.1f}x a commit per row; "
            f"{reads:,.0f} look-ups/s, {reads / single:.1f}x one by one"
        )
