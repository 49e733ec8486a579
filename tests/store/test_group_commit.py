"""The writer thread: bounded, honest about failures, and able to go on after one."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from store_rows import completion, key_of

from rubricbench.errors import StoreError
from rubricbench.store import Store
from rubricbench.store import writer as writer_module
from rubricbench.store.completion import to_record
from rubricbench.store.writer import Writer


def limit_pages(store: Store, pages: int) -> None:
    """Let the store's file grow to so many pages: SQLite then says what it says of a full disk."""
    writer = store._writer
    assert isinstance(writer, Writer)
    writer._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_many_puts_share_a_commit(path, monkeypatch):
    commits = []
    real = Writer._commit
    monkeypatch.setattr(
        Writer, "_commit", lambda self, rows: (commits.append(len(rows)), real(self, rows))[1]
    )
    with Store.open(path) as store:
        for i in range(1000):
            store.put(completion(i))
        store.flush()
    assert sum(commits) == 1000
    assert len(commits) < 100  # 1,000 puts take some 20 ms, the commit interval is 20 ms


def test_commit_waits_for_disk_in_full_mode(path):
    with Store.open(path) as store:
        assert store._writer is not None
        connection = store._writer._connection
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_answer_on_its_way_to_the_disk_is_found_and_not_replaced(path, held):
    with Store.open(path) as store:
        with held(path):
            store.put(completion(1, "first"))
            store.put(completion(1, "second"))
            assert store.get_many([key_of(1)])[key_of(1)].text == "first"
            assert store.count() == 0
        store.flush()
        assert store.get_many([key_of(1)])[key_of(1)].text == "first"


def test_answer_on_the_disk_wins_over_one_on_its_way(path, held):
    with Store.open(path) as store:
        with Store.open(path) as other:
            other.put(completion(1, "theirs"))
        with held(path):
            store.put(completion(1, "ours"))
            assert store.get_many([key_of(1)])[key_of(1)].text == "theirs"


def test_put_waits_when_the_disk_is_far_behind(path, monkeypatch, held):
    monkeypatch.setattr(writer_module, "MAX_QUEUED_BYTES", 100_000)
    with Store.open(path) as store:
        with held(path):
            putting = threading.Thread(
                target=lambda: [store.put(completion(i, "x" * 10_000)) for i in range(100)]
            )
            putting.start()
            putting.join(0.5)
            assert putting.is_alive()
            assert store._writer is not None
            # up to the limit queued and as much being committed, and a record over each
            waiting = len(store._writer._queued) + len(store._writer._group)
            assert waiting <= 2 * (100_000 // 10_000 + 1)
        putting.join()
        store.flush()
        assert store.count() == 100


def test_full_disk_is_one_clear_error_and_earlier_answers_stay(path):
    with Store.open(path) as store:
        store.put(completion("before"))
        store.flush()
        limit_pages(store, 20)
        for i in range(50):
            store.put(completion(i, "x" * 10_000))
        with pytest.raises(StoreError, match="the disk is full; free some space"):
            store.flush()
        with pytest.raises(StoreError, match="the disk is full"):
            store.put(completion("more"))
        with Store.open(path, read_only=True) as other:
            assert list(other.get_many([key_of("before")])) == [key_of("before")]
            assert other.verify().ok
        limit_pages(store, 1_000_000)


def test_disk_that_has_room_again_loses_nothing(path):
    with Store.open(path) as store:
        limit_pages(store, 20)
        for i in range(50):
            store.put(completion(i, "x" * 10_000))
        with pytest.raises(StoreError):
            store.flush()
        assert store.get_many([key_of(49)])  # not on disk, not forgotten
        limit_pages(store, 1_000_000)
        store.flush()
        store.put(completion("more"))
        store.flush()
        assert store.count() == 51


def test_closing_tries_a_failed_commit_once_more(path):
    store = Store.open(path)
    limit_pages(store, 20)
    for i in range(50):
        store.put(completion(i, "x" * 10_000))
    with pytest.raises(StoreError):
        store.flush()
    limit_pages(store, 1_000_000)
    store.close()
    with Store.open(path, read_only=True) as store:
        assert store.count() == 50


def test_closing_on_a_full_disk_says_so(path):
    store = Store.open(path)
    limit_pages(store, 20)
    for i in range(50):
        store.put(completion(i, "x" * 10_000))
    with pytest.raises(StoreError, match="disk is full"):
        store.close()


def test_process_that_never_lets_go_is_one_clear_error(path, monkeypatch, held):
    monkeypatch.setattr("rubricbench.store.database.BUSY_SECONDS", 0.05)
    with Store.open(path) as store:
        with held(path):
            store.put(completion(1))
            with pytest.raises(StoreError, match="another process does not let go"):
                store.flush()
        store.flush()
        assert store.count() == 1


def test_unforeseen_failure_of_the_thread_reaches_the_caller(path, monkeypatch):
    def broken(record: object) -> bytes:
        raise MemoryError("no memory")

    with Store.open(path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(writer_module, "digest_of", broken)
            store.put(completion(1))
            with pytest.raises(StoreError, match="MemoryError"):
                store.flush()
        store.flush()
        assert store.count() == 1


def test_broken_constraint_is_not_passed_over(path):
    # INSERT OR IGNORE would drop such a row in silence.
    broken: Any = (*to_record(completion(1))[:-1], None)
    with Store.open(path) as store:
        assert store._writer is not None
        failure = store._writer._commit([broken])
        assert failure is not None
        assert "NOT NULL" in failure.what
        assert store.count() == 0
