"""Group commit and chunked look-ups, as ratios to a commit and a query per row in the same run."""

from __future__ import annotations

import sqlite3
import statistics
import time
from contextlib import closing

import pytest

from rubricbench.store import Completion, Store, request_key

ROWS = 10_000
NAIVE_ROWS = 1_000


@pytest.fixture(scope="module")
def completions() -> list[Completion]:
    made = []
    for i in range(ROWS):
        key, request = request_key({"messages": ["a plain request, " * 256, i], "model": "m"})
        made.append(Completion(key=key, request=request, text="a verdict, " * 30))
    return made


def commits_per_second(path, completions) -> float:
    """Write as a first draft would: the same data, the same promise, a commit per row."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (key TEXT PRIMARY KEY, text TEXT, request BLOB)")
        start = time.perf_counter()
        for c in completions[:NAIVE_ROWS]:
            connection.execute("INSERT INTO t VALUES (?, ?, ?)", (c.key, c.text, c.request))
            connection.commit()
        return NAIVE_ROWS / (time.perf_counter() - start)


def test_puts_to_disk(benchmark, tmp_path, completions, capsys):
    number = iter(range(1_000))
    waits: list[float] = []

    def put_all() -> None:
        with Store.open(tmp_path / f"{next(number)}.sqlite") as store:
            for completion in completions:
                start = time.perf_counter()
                store.put(completion)
                waits.append(time.perf_counter() - start)
            store.flush()

    naive = commits_per_second(tmp_path / "naive.sqlite", completions)
    benchmark.pedantic(put_all, rounds=5, warmup_rounds=1)
    rate = ROWS / benchmark.stats.stats.median
    with capsys.disabled():
        print(
            f"\nstore: {rate:,.0f} puts/s on disk (rows of 4.5 kB), {rate / naive:.1f}x a commit "
            f"per row ({naive:,.0f}/s); a put takes {statistics.median(waits) * 1e6:.0f} us"
        )


def test_look_ups(benchmark, tmp_path, completions, capsys):
    keys = [c.key for c in completions]
    with Store.open(tmp_path / "store.sqlite") as store:
        for completion in completions:
            store.put(completion)
        store.flush()
        benchmark(store.get_many, keys)
        rate = ROWS / benchmark.stats.stats.median
        start = time.perf_counter()
        for key in keys[:2000]:
            store.get_many([key])
        single = 2000 / (time.perf_counter() - start)
    with capsys.disabled():
        print(
            f"\nstore: {rate:,.0f} look-ups/s, each checked against its digest, "
            f"{rate / single:.1f}x one by one ({single:,.0f}/s)"
        )
