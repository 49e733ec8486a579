"""Files that are no store, that are damaged, that may not be written: one clear line each."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from store_rows import completion, key_of, raw_key_of

from rubricbench.errors import StoreError
from rubricbench.store import Store


def alter(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(sql, values)


def text_file(path: Path) -> None:
    path.write_text("not a database, but long enough to be read as one " * 100)


def short_text_file(path: Path) -> None:
    path.write_text("hello")


def foreign_database(path: Path) -> None:
    alter(path, "CREATE TABLE t (x)")


def foreign_application(path: Path) -> None:
    alter(path, "PRAGMA application_id = 7")


def newer_store(path: Path) -> None:
    Store.open(path).close()
    alter(path, "PRAGMA user_version = 99")


def cut_header(path: Path) -> None:
    Store.open(path).close()
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (text_file, "this is not a completion store; check the path"),
        (short_text_file, "this is not a completion store; check the path"),
        (foreign_database, "this is not a completion store; check the path"),
        (foreign_application, "this is not a completion store; check the path"),
        (newer_store, "store version 99, this rubricbench knows 2; use the rubricbench that"),
        (cut_header, "this is not a completion store|the file is damaged"),
        (Path.mkdir, "this is not a file; name a file"),
        (os.mkfifo, "this is not a file; name a file"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_file_that_is_no_store_is_one_clear_error(path, spoil, message, read_only):
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=message) as caught:
        Store.open(path, read_only=read_only)
    assert str(caught.value).startswith(f"{path}: ")
    assert before is None or path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_missing_store_is_not_created_by_reading(path):
    with pytest.raises(StoreError, match="no such store; check the path"):
        Store.open(path, read_only=True)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("name", ["nowhere/store.sqlite", "x" * 300])
@pytest.mark.parametrize("read_only", [True, False])
def test_place_that_cannot_be_is_one_clear_error(tmp_path, name, read_only):
    with pytest.raises(StoreError, match=r"cannot open|no such store"):
        Store.open(tmp_path / name, read_only=read_only)


def test_reading_leaves_nothing_behind(path):
    filled(path, 1)
    before = path.read_bytes()
    with Store.open(path, read_only=True) as store:
        assert store.get_many([key_of(0)])
        assert len(list(store.iterate())) == 1
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_empty_file_becomes_a_store(path):
    path.touch()
    with Store.open(path) as store:
        store.put(completion(1))
    with Store.open(path, read_only=True) as store:
        assert store.count() == 1


def filled(path: Path, rows: int) -> None:
    with Store.open(path) as store:
        for i in range(rows):
            store.put(completion(i, "x" * 500))


def overwrite(path: Path, start: int, stop: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:stop] = b"\xff" * (stop - start)
    path.write_bytes(data)


def test_damaged_page_is_one_clear_error(path):
    filled(path, 200)
    overwrite(path, 8192, 28672)  # pages 3 to 7
    with Store.open(path, read_only=True) as store:
        with pytest.raises(StoreError, match=f"{path}: cannot read the store: the file is damaged"):
            list(store.iterate())
        with pytest.raises(StoreError, match="the file is damaged; keep it, and use a copy"):
            store.get_many([key_of(i) for i in range(200)])


def test_damaged_page_is_a_finding_of_verify(path):
    filled(path, 200)
    overwrite(path, 8192, 28672)
    with Store.open(path, read_only=True) as store:
        report = store.verify()
    assert not report.ok
    assert report.database != "ok"


@pytest.mark.parametrize("column", ["text", "reasoning", "request", "model", "usage", "digest"])
def test_damaged_row_is_found_by_verify_and_never_returned(path, column):
    filled(path, 3)
    alter(path, f"UPDATE completions SET {column} = ? WHERE key = ?", b"7", raw_key_of(1))
    with Store.open(path, read_only=True) as store:
        report = store.verify()
        assert (report.damaged, report.completions, report.database) == ((key_of(1),), 3, "ok")
        assert not report.ok
        with pytest.raises(StoreError, match=f"completion {key_of(1)} is damaged; export"):
            store.get_many([key_of(1)])
        with pytest.raises(StoreError, match="is damaged"):
            list(store.iterate())
        assert len(store.get_many([key_of(0), key_of(2)])) == 2


def test_row_moved_under_another_key_is_damaged(path):
    filled(path, 2)
    alter(path, "DELETE FROM completions WHERE key = ?", raw_key_of(0))
    alter(path, "UPDATE completions SET key = ? WHERE key = ?", raw_key_of(0), raw_key_of(1))
    with Store.open(path, read_only=True) as store:
        assert store.verify().damaged == (key_of(0),)


def test_file_without_permission_is_one_clear_error(unprivileged):
    path = unprivileged / "store.sqlite"
    filled(path, 1)
    path.chmod(0)
    for read_only in (True, False):
        with pytest.raises(StoreError, match="cannot open the store: it cannot be opened; check"):
            Store.open(path, read_only=read_only)


def test_read_only_file_is_refused_before_anything_is_paid(unprivileged):
    path = unprivileged / "store.sqlite"
    filled(path, 1)
    path.chmod(stat.S_IRUSR)
    with pytest.raises(StoreError, match="it may not be written to; change its permissions"):
        Store.open(path)
    with Store.open(path, read_only=True) as store:
        assert store.count() == 1


def test_store_in_a_read_only_folder_can_be_read_but_not_written(unprivileged):
    path = unprivileged / "store.sqlite"
    filled(path, 1)
    unprivileged.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with Store.open(path, read_only=True) as store:
        assert store.get_many([key_of(0)])
        assert store.verify().ok
    for name in ("store.sqlite", "new.sqlite"):
        with pytest.raises(StoreError, match=r"it (cannot be opened|may not be w)"):
            Store.open(unprivileged / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_really_full_disk_is_one_clear_error_and_loses_nothing_flushed(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        store = Store.open(folder / "store.sqlite")
        store.put(completion("before"))
        store.flush()
        with pytest.raises(StoreError, match="the disk is full; free some space"):  # noqa: PT012
            for i in range(1000):
                store.put(completion(i, "x" * 10_000))
            store.flush()
        with pytest.raises(StoreError, match="the disk is full"):
            store.close()
        with Store.open(folder / "store.sqlite", read_only=True) as again:
            assert again.get_many([key_of("before")])
            assert again.verify().ok
    finally:
        subprocess.run(["umount", str(folder)], check=True)
