"""A completion is paid for once, kept exactly, and survives whatever happens to the process."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubricbench.cli.store import command
from rubricbench.errors import InputError, StoreError
from rubricbench.store import Completion, Store, request_key
from rubricbench.store.transfer import export_store, import_store


def completion(i: object, text: str = "answer", **rest: object) -> Completion:
    key, request = request_key({"messages": [str(i)], "model": "m"})
    return Completion(key=key, request=request, text=text, **rest)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def test_what_is_put_is_found_again_after_reopening(path):
    one = completion(1, usage={"prompt_tokens": 3}, finish_reason="stop", created=1.5, url="u")
    with Store.open(path) as store:
        store.put(one)
    with Store.open(path, read_only=True) as store:
        assert store.get_many([one.key]) == {one.key: one}
        assert store.get_many(["00" * 32]) == {}


def test_flushed_is_visible_to_another_store_at_once(path):
    with Store.open(path) as store, Store.open(path) as other:
        store.put(completion(1))
        store.flush()
        assert completion(1).key in other.get_many([completion(1).key])


def test_first_answer_under_a_key_stays(path):
    with Store.open(path) as store:
        store.put(completion(1, "first"))
        store.put(completion(1, "second"))
        store.flush()
        assert store.get_many([completion(1).key])[completion(1).key].text == "first"


@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=10))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_text_comes_back_exactly(tmp_path, text, reasoning):
    for example in (text, f"nul \x00 half \ud83d {text}"):
        one = completion(example.encode("utf-8", "backslashreplace").hex(), example)
        with Store.open(tmp_path / "any.sqlite") as store:
            store.put(one)
            store.flush()
            assert store.get_many([one.key])[one.key].text == example


def test_key_depends_on_content_not_on_order_of_keys():
    assert request_key({"a": 1, "b": [2]}) == request_key({"b": [2], "a": 1})
    assert request_key({"a": 1})[0] != request_key({"a": 2})[0]


@pytest.mark.parametrize(
    "identity",
    [{"api_key": "x"}, {"client": [{"Authorization": "Bearer x"}]}, {"headers": {}}],
)
def test_secret_never_reaches_a_key(identity):
    with pytest.raises(InputError, match="may not hold"):
        request_key(identity)


@pytest.mark.parametrize("identity", [{"t": float("nan")}, {"t": object()}, {"t": "\ud800"}])
def test_what_is_not_json_cannot_be_keyed(identity):
    with pytest.raises(InputError, match="cannot be keyed"):
        request_key(identity)


def test_many_threads_lose_nothing(path):
    with Store.open(path) as store:
        threads = [
            threading.Thread(target=lambda t=t: [store.put(completion((t, i))) for i in range(300)])
            for t in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.flush()
        assert store.stats().completions == 8 * 300


CHILD = """
import sys
from rubricbench.store import Completion, Store, request_key
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Store.open(path) as store:
    for i in range(count):
        key, request = request_key({"messages": [name, i], "model": "m"})
        store.put(Completion(key=key, request=request, text="x" * 200))
        if i % 20 == 19:
            store.flush()
            print(i, flush=True)
"""


def child(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def keys(name: str, upto: int) -> list[str]:
    return [request_key({"messages": [name, i], "model": "m"})[0] for i in range(upto)]


def test_two_processes_on_one_store_lose_nothing(path):
    # Both also create the file: neither waits for the other to have done so.
    writers = [child(path, name, 2000) for name in ("a", "b")]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    with Store.open(path, read_only=True) as store:
        assert len(store.get_many(keys("a", 2000) + keys("b", 2000))) == 4000
        assert store.verify().ok


@pytest.mark.slow
def test_killed_at_random_moments_keeps_everything_acknowledged(path):
    moments = random.Random(7)
    for kill in range(20):
        name = f"run {kill}"
        writer = child(path, name, 1_000_000)
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(moments.uniform(0, 0.15))
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate()[0].split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1] if line)])
        with Store.open(path) as store:
            assert len(store.get_many(keys(name, acknowledged + 1))) == acknowledged + 1
    with Store.open(path, read_only=True) as store:
        assert store.verify().ok


def test_damage_is_found_by_verify(path):
    with Store.open(path) as store:
        for i in range(3):
            store.put(completion(i))
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE completions SET text = ? WHERE key = ?", (b"forged", _raw(1)))
    raw.close()
    with Store.open(path, read_only=True) as store:
        report = store.verify()
    assert report.damaged == (completion(1).key,)
    assert not report.ok
    assert CliRunner().invoke(command, ["verify", str(path)], standalone_mode=False).return_value


def _raw(i: int) -> bytes:
    return bytes.fromhex(completion(i).key)


def _text_file(path: Path) -> None:
    path.write_text("not a database, but long enough to be read as one " * 100)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE t (x)")
    raw.close()


def _newer(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_text_file, "not a completion store"),
        (_foreign, "not a completion store"),
        (_newer, "store version 99"),
        (Path.mkdir, "a folder, not a store"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_file_that_is_no_store_is_one_clear_error(path, spoil, message, read_only):
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=message) as caught:
        Store.open(path, read_only=read_only)
    assert str(path) in str(caught.value)
    assert before is None or path.read_bytes() == before


def test_missing_store_is_not_created_by_reading(path):
    with pytest.raises(StoreError, match="no such store"):
        Store.open(path, read_only=True)
    assert not path.exists()


def test_missing_folder_is_one_clear_error(tmp_path):
    with pytest.raises(StoreError, match="cannot open"):
        Store.open(tmp_path / "nowhere" / "store.sqlite")


def test_damaged_page_is_one_clear_error(path):
    with Store.open(path) as store:
        for i in range(200):
            store.put(completion(i, "x" * 500))
    data = bytearray(path.read_bytes())
    data[8192:20480] = b"\xff" * (20480 - 8192)
    path.write_bytes(data)
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="damaged"):
        list(store.iterate())


FULL = """
import resource, signal, sys
from rubricbench.errors import StoreError
from rubricbench.store import Completion, Store, request_key
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(sys.argv[1])
def put(i):
    key, request = request_key({"messages": [i], "model": "m"})
    store.put(Completion(key=key, request=request, text="x" * 10_000))
put(0); store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    for i in range(1, 1000):
        put(i)
    store.flush()
except StoreError as error:
    print(error)
"""


def test_full_disk_is_one_clear_error_and_earlier_answers_stay(path):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.count("\n") == 1, done.stderr
    assert "cannot write to the store" in done.stdout
    with Store.open(path) as store:
        assert store.stats().completions >= 1
        assert store.verify().ok


def test_read_only_store_refuses_to_write(path):
    Store.open(path).close()
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="read-only"):
        store.put(completion(1))


def test_closed_store_says_so(path):
    store = Store.open(path)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.put(completion(1))


def test_export_and_import_carry_everything(path, tmp_path):
    many = [completion(i, f"text {i} \x00 \ud800", usage={"prompt_tokens": i}) for i in range(2500)]
    parquet = tmp_path / "store.parquet"
    with Store.open(path) as store:
        for one in many:
            store.put(one)
        store.flush()
        assert store.export(parquet).exported == 2500
    with Store.open(tmp_path / "other.sqlite") as other:
        other.put(completion(0, "another answer"))
        other.put(many[1])
        other.flush()
        report = other.import_(parquet)
        assert (report.added, report.present) == (2498, 1)
        assert report.conflicting == (many[0].key,)
        assert other.get_many([many[7].key]) == {many[7].key: many[7]}
        assert other.verify().ok


def test_equal_stores_export_equal_bytes(tmp_path):
    files = []
    for order in (range(50), reversed(range(50))):
        name = f"{len(files)}"
        with Store.open(tmp_path / f"{name}.sqlite") as store:
            for i in order:
                store.put(completion(i))
            store.flush()
            store.export(tmp_path / f"{name}.parquet")
        files.append((tmp_path / f"{name}.parquet").read_bytes())
    assert files[0] == files[1]


def test_import_refuses_rows_whose_key_is_not_their_hash(path, tmp_path):
    forged = Completion(key="ab" * 32, request=b"{}", text="x")
    with Store.open(path) as store:
        store.put(forged)
        store.flush()
        store.export(tmp_path / "f.parquet")
    with Store.open(tmp_path / "other.sqlite") as other:
        assert import_store(other, tmp_path / "f.parquet").damaged == (forged.key,)
        assert other.stats().completions == 0


@pytest.mark.parametrize("content", [None, b"text", b""])
def test_import_of_what_is_no_export_is_one_clear_error(path, tmp_path, content):
    file = tmp_path / "x.parquet"
    if content is not None:
        file.write_bytes(content)
    with Store.open(path) as store, pytest.raises(InputError, match=r"x\.parquet"):
        import_store(store, file)


def test_stats_add_up(path):
    with Store.open(path) as store:
        for i in range(4):
            store.put(
                completion(
                    i,
                    model="a" if i else "b",
                    usage={"prompt_tokens": 10, "completion_tokens": i},
                    created=100.0 + i,
                )
            )
        store.flush()
        stats = store.stats()
    assert (stats.completions, stats.prompt_tokens, stats.completion_tokens) == (
        4,
        40,
        0 + 1 + 2 + 3,
    )
    assert stats.by_model == {"a": 3, "b": 1}
    assert (stats.first, stats.last) == (100.0, 103.0)


def test_command_line_shows_stats(path):
    with Store.open(path) as store:
        store.put(completion(1, model="judge", created=0.0))
    result = CliRunner().invoke(command, ["stats", str(path)])
    assert "1 completions" in result.output
    assert "judge: 1" in result.output
    assert "1970-01-01 00:00:00+00:00" in result.output
