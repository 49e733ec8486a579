"""Processes that are killed, that write at once, that create the file at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from store_rows import key_of

from rubricbench.store import Store

HERE = os.path.dirname(__file__)


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": HERE},
    )


WRITER = """
import sys
from store_rows import completion
from rubricbench.store import Store
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Store.open(path) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for i in range(count):
        store.put(completion((name, i), "x" * 200))
        if i % 20 == 19:
            store.flush()
            print(i, flush=True)
"""


def test_two_processes_on_one_store_lose_nothing(path: Path):
    rows = 5000
    writers = [child(WRITER, path, name, rows) for name in "ab"]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
    finished = []
    for writer in writers:  # both are open: now both write
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        output, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
        finished.append(output.count("\n"))
    assert finished == [rows // 20, rows // 20]
    with Store.open(path, read_only=True) as store:
        expected = [key_of((name, i)) for name in "ab" for i in range(rows)]
        assert store.get_many(expected).keys() == set(expected)
        assert store.count() == len(expected)
        assert store.verify().ok


def test_same_rows_by_two_processes_are_stored_once(path: Path):
    writers = [child(WRITER, path, "same", 1000) for _ in "ab"]
    for writer in writers:
        _, errors = writer.communicate("go\n", timeout=120)
        assert writer.returncode == 0, errors
    with Store.open(path, read_only=True) as store:
        assert store.count() == 1000


def test_killed_at_random_moments_keeps_everything_acknowledged(path: Path):
    moments = random.Random(7)
    killed_rows = 0
    for run in range(20):
        name = f"run {run}"
        writer = child(WRITER, path, name, 1_000_000)
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "open\n"
        time.sleep(moments.uniform(0, 0.2))
        os.kill(writer.pid, signal.SIGKILL)
        # A line cut off by the kill was not said; what was said in full was acknowledged.
        said = writer.communicate()[0].split("\n")[:-1]
        acknowledged = [key_of((name, i)) for i in range(int(said[-1]) + 1 if said else 0)]
        with Store.open(path) as store:  # opens again as it is
            assert store.get_many(acknowledged).keys() == set(acknowledged)
        killed_rows += len(acknowledged)
    assert killed_rows > 1000  # the kills came in the middle of writing
    with Store.open(path, read_only=True) as store:
        assert store.count() >= killed_rows
        assert store.verify().ok


KILLED_AT_CREATION = """
import os, signal, sys
from rubricbench.store import Store
import rubricbench.store.database as database
class Connection:
    def __init__(self, real): self.real = real
    def __getattr__(self, name): return getattr(self.real, name)
    def execute(self, sql, *rest):
        if sql.startswith(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.real.execute(sql, *rest)
real = database._create
database._create = lambda connection, path: real(Connection(connection), path)
Store.open(sys.argv[1])
"""


def test_killed_while_creating_the_file_is_no_obstacle(tmp_path: Path):
    steps = ("PRAGMA journal_mode", "BEGIN", "\nCREATE", "PRAGMA user_version =", "COMMIT")
    for i, step in enumerate(steps):
        path = tmp_path / f"{i}.sqlite"
        writer = child(KILLED_AT_CREATION, path, step)
        writer.communicate(timeout=60)
        assert writer.returncode == -signal.SIGKILL
        Store.open(path).close()
        with Store.open(path, read_only=True) as store:
            assert store.verify().ok
        assert not list(tmp_path.glob(f".{i}.*"))


CREATOR = """
import sys
from store_rows import completion
from rubricbench.store import Store
for line in sys.stdin:
    with Store.open(line.strip()) as store:
        store.put(completion(sys.argv[1]))
    print("done", flush=True)
"""


def test_processes_that_create_one_store_at_once_share_it(tmp_path: Path):
    creators = [child(CREATOR, name) for name in "abcdef"]
    for i in range(25):
        path = tmp_path / f"{i}.sqlite"
        for creator in creators:
            assert creator.stdin is not None
            creator.stdin.write(f"{path}\n")
            creator.stdin.flush()
        for creator in creators:
            assert creator.stdout is not None
            assert creator.stdout.readline() == "done\n"
        with Store.open(path, read_only=True) as store:
            assert len(store.get_many([key_of(name) for name in "abcdef"])) == 6
    for creator in creators:
        assert creator.communicate()[1] == ""
    assert not list(tmp_path.glob(".*"))  # the lock that made it orderly is gone


FULL = """
import resource, signal, sys
from store_rows import completion
from rubricbench.errors import StoreError
from rubricbench.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(sys.argv[1])
store.put(completion("before"))
store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    for i in range(1000):
        store.put(completion(i, "x" * 10_000))
    store.flush()
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.close()
"""


def test_file_that_may_not_grow_is_one_clear_error_and_loses_nothing(path: Path):
    full = child(FULL, path)
    output, errors = full.communicate(timeout=60)
    assert (full.returncode, errors) == (0, "")
    assert output.count("\n") == 1
    assert f"{path}: cannot write to the store" in output
    with Store.open(path, read_only=True) as store:
        assert store.get_many([key_of("before")])
        assert store.verify().ok
