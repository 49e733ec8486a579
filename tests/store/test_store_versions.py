"""A store from before log-probabilities were kept: read as it is, brought up to date by writing."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from store_rows import completion, key_of

from rubricbench.store import Completion, Store

OLD = [completion(i, f"old {i}", usage={"prompt_tokens": i}, created=1.5) for i in range(3)]
OLD_COLUMNS = ("key", "created", "finish_reason", "model", "url", "usage")
OLD_COLUMNS += ("text", "reasoning", "request")


def write_old_store(path: Path) -> None:
    """A file as version 1 made it, with the rows of `OLD`."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        texts = ", ".join(f"{name} BLOB NOT NULL" for name in OLD_COLUMNS[2:])
        db.execute(
            "CREATE TABLE completions (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
            f" digest BLOB NOT NULL, created REAL NOT NULL, {texts})"
        )
        db.execute("PRAGMA application_id = 1380077123")  # "RBNC"
        db.execute("PRAGMA user_version = 1")
        for c in OLD:
            texts = [b"", b"", b"", msgspec.json.encode(c.usage), c.text.encode(), b"", c.request]
            record = [bytes.fromhex(c.key), c.created, *texts]
            digest = hashlib.sha256(msgspec.msgpack.encode(record)).digest()
            columns, marks = ", ".join(OLD_COLUMNS), ",".join("?" * 10)
            db.execute(
                f"INSERT INTO completions ({columns}, digest) VALUES ({marks})", (*record, digest)
            )
        db.commit()


@pytest.fixture
def old_store(path: Path) -> Path:
    write_old_store(path)
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def with_logprobs() -> Completion:
    return completion("new", logprobs=b'[["Y",-0.5]]')


def test_reading_leaves_it_as_it_is(old_store):
    with Store.open(old_store, read_only=True) as store:
        assert store.get_many([c.key for c in OLD]) == {c.key: c for c in OLD}
        assert list(store.iterate()) == sorted(OLD, key=lambda c: c.key)
        assert store.verify().ok
        assert store.stats().prompt_tokens == 0 + 1 + 2
    assert version(old_store) == 1


def test_writing_brings_it_up_to_date_and_keeps_every_row(old_store):
    new = with_logprobs()
    for _ in range(2):
        with Store.open(old_store) as store:
            store.put(new)
            store.flush()
            assert store.get_many([new.key]) == {new.key: new}
            assert store.get_many([c.key for c in OLD]) == {c.key: c for c in OLD}
            assert store.count() == 4
            assert store.verify().ok
        assert version(old_store) == 2


def test_a_reader_sees_what_is_added_after_another_brought_it_up_to_date(old_store):
    new = with_logprobs()
    with Store.open(old_store, read_only=True) as reader:
        assert set(reader.get_many([OLD[0].key, new.key])) == {OLD[0].key}
        with Store.open(old_store) as writer:
            writer.put(new)
        assert reader.get_many([OLD[0].key, new.key]) == {OLD[0].key: OLD[0], new.key: new}


def test_a_file_that_may_not_be_written_is_still_read(unprivileged):
    place = unprivileged / "store.sqlite"
    write_old_store(place)
    os.chmod(place, 0o400)
    os.chmod(unprivileged, 0o500)
    with Store.open(place, read_only=True) as store:
        assert store.get_many([key_of(1)]) == {key_of(1): OLD[1]}


def test_several_that_open_it_at_once_bring_it_up_to_date_once(old_store):
    failed: list[BaseException] = []
    start = threading.Barrier(8)

    def use(i: int) -> None:
        try:
            start.wait()
            with Store.open(old_store) as store:
                store.put(completion(f"by {i}", logprobs=b"[]"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with Store.open(old_store) as store:
        assert store.count() == 3 + 8
        assert store.verify().ok
