"""A file is there whole or not at all: after errors, kills, and on a full disk."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import RunError
from rubricbench.runs import ParquetSink, atomic_write, file_hash, write_parquet_atomic
from rubricbench.runs.files import remove_partials

SCHEMA = pa.schema([("x", pa.int64()), ("text", pa.string())])


@given(st.binary(max_size=5_000), st.binary(max_size=5_000))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes
) -> None:
    path = tmp_path_factory.mktemp("write") / "file"
    for data in (first, second):
        atomic_write(path, data)
        assert path.read_bytes() == data
        assert file_hash(path) == hashlib.sha256(data).hexdigest()
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_fault_at_any_step_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(RunError, match=f"file: cannot write the file: {os.strerror(fault)}"):
            atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot write the file: No such file or directory"):
        atomic_write(tmp_path / "nowhere" / "f", b"x")
    with (
        pytest.raises(RunError, match="cannot write the file: No such file or directory"),
        ParquetSink(tmp_path / "nowhere" / "f.parquet", SCHEMA),
    ):
        pass


FULL = """
import resource, sys
from pathlib import Path
import pyarrow as pa
from rubricbench.errors import RunError
from rubricbench.runs import ParquetSink, atomic_write
# Writes beyond 64 KiB fail with EFBIG, as they do with ENOSPC on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
path = Path(sys.argv[1])
def sink():
    schema = pa.schema([("text", pa.string())])
    with ParquetSink(path, schema, rows_per_group=100) as rows:
        for i in range(100_000):
            rows.append({"text": str(hash(str(i)))})
def plain():
    atomic_write(path, b"x" * 100_000)
try:
    {"sink": sink, "plain": plain}[sys.argv[2]]()
except RunError as error:
    print(error)
"""


@pytest.mark.parametrize("writer", ["plain", "sink"])
def test_disk_that_fills_up_is_one_line_and_the_old_file_stays(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    result = subprocess.run(
        [sys.executable, "-c", FULL, str(path), writer], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == [
        f"{path}: cannot write the file: File too large; "
        "nothing finished is lost; mend it and run again"
    ]
    assert result.stderr == ""
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_threads_writing_one_file_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    threads = [
        threading.Thread(target=atomic_write, args=(path, bytes([i]) * 100_000)) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = path.read_bytes()
    assert (len(data), len(set(data))) == (100_000, 1)
    assert os.listdir(tmp_path) == ["file"]


WRITE = """
import itertools, sys
from pathlib import Path
from rubricbench.runs import atomic_write
for i in itertools.count():
    atomic_write(Path(sys.argv[1]), str(i % 10).encode() * 300_000)
    if i == 0: print("go", flush=True)
"""


def test_killed_writer_leaves_a_whole_file(tmp_path, start):
    path = tmp_path / "file"
    delays = random.Random(0)
    for _ in range(6):
        writer = start(WRITE, str(path))
        time.sleep(delays.uniform(0, 0.05))
        writer.kill()
        writer.communicate()
        data = path.read_bytes()
        assert (len(data), len(set(data))) == (300_000, 1)
    remove_partials(tmp_path)
    assert os.listdir(tmp_path) == ["file"]


ROWS = [{"x": i, "text": f"row {i}"} for i in range(25)]


def test_sink_writes_every_row_in_order(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with ParquetSink(path, SCHEMA, rows_per_group=10) as sink:
        sink.append(ROWS[0])
        sink.extend(ROWS[1:])
        assert not path.exists()
    assert pq.read_table(path).to_pylist() == ROWS
    assert pq.ParquetFile(path).num_row_groups == 3  # 10 + 10 + 5
    assert os.listdir(tmp_path) == ["x.parquet"]


def test_equal_rows_give_equal_bytes_however_they_arrive(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "a", SCHEMA, rows_per_group=10) as sink:
        sink.extend(ROWS)
    with ParquetSink(tmp_path / "b", SCHEMA, rows_per_group=10) as sink:
        for row in ROWS:
            sink.append(dict(reversed(row.items())))
    assert file_hash(tmp_path / "a") == file_hash(tmp_path / "b")


def test_sink_without_rows_is_a_table_without_rows(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "x.parquet", SCHEMA):
        pass
    table = pq.read_table(tmp_path / "x.parquet")
    assert (table.num_rows, table.schema) == (0, SCHEMA)


def _stop_midway(path: Path, error: BaseException) -> None:
    with ParquetSink(path, SCHEMA, rows_per_group=2) as sink:
        sink.extend(ROWS[:5])
        raise error


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()])
def test_sink_left_by_an_error_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"old")
    with pytest.raises(type(error)):
        _stop_midway(path, error)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.parquet"]


def test_row_with_a_column_the_table_lacks_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"no column 'y' in x\.parquet"),
        ParquetSink(tmp_path / "x.parquet", SCHEMA) as sink,
    ):
        sink.append({"x": 1, "y": 2})


def test_absent_column_is_null(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "x.parquet", SCHEMA) as sink:
        sink.append({"x": 1})
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [{"x": 1, "text": None}]


def test_table_is_written_whole(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    write_parquet_atomic(tmp_path / "x.parquet", table)
    assert pq.read_table(tmp_path / "x.parquet").equals(table)


def test_hash_of_what_is_not_a_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot read the file: No such file"):
        file_hash(tmp_path / "absent")
    with pytest.raises(RunError, match="cannot read the file: Is a directory"):
        file_hash(tmp_path)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_regular_file_is_not_replaced(tmp_path, kind):
    target = tmp_path / "target"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("/dev/null")  # a link: were it replaced, the device would stay
    table = pa.table({"a": [1]})
    for write in (lambda: atomic_write(target, b"x"), lambda: write_parquet_atomic(target, table)):
        with pytest.raises(RunError, match="name a file"):
            write()
    assert os.listdir(tmp_path) == ["target"]
    assert not target.is_file()


@pytest.mark.parametrize("name", ["~", os.fsdecode(b"by\xff")])
def test_a_table_goes_into_a_folder_of_any_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    path = Path(name) / "f.parquet"
    with ParquetSink(path, SCHEMA) as sink:
        sink.append({SCHEMA.names[0]: None})
    assert os.listdir(name) == ["f.parquet"]
    assert path.read_bytes()[:4] == b"PAR1"
