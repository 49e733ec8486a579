"""A run directory holds one configuration, one process, and files that are whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rubricbench.errors import InputError, RunError
from rubricbench.runs import ParquetSink, RunDirectory, atomic_write

SCHEMA = pa.schema([("x", pa.int64())])


def run(path, **config):
    return RunDirectory(path, command="judge", config=config or {"model": "m"})


def test_same_configuration_may_continue(tmp_path):
    with run(tmp_path / "out") as first:
        first.path("x").write_text("kept")
    with run(tmp_path / "out") as second:
        assert second.path("x").read_text() == "kept"
        assert second.manifest["created"] == first.manifest["created"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ({"judge": {"model": "a"}}, {"judge": {"model": "b"}}, 'config.judge.model: "a", now "b"'),
        ({"seed": 1}, {}, "config.seed: 1, now null"),
        ({"judge": {"t": 0}}, {"judge": 3}, "config.judge"),
    ],
)
def test_another_configuration_is_refused_with_its_key(tmp_path, old, new, key):
    with run(tmp_path / "out", a=1, **old):
        pass
    with pytest.raises(RunError) as caught, run(tmp_path / "out", a=1, **new):
        pass
    assert key in str(caught.value)


def test_another_command_is_refused(tmp_path):
    with run(tmp_path / "out"):
        pass
    with (
        pytest.raises(RunError, match=r"another command"),
        RunDirectory(tmp_path / "out", command="train", config={"model": "m"}),
    ):
        pass


def test_folder_of_something_else_is_refused_and_untouched(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="holds files but no run"), run(tmp_path):
        pass
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(RunError, match="File exists"), run(tmp_path / "out"):
        pass


def test_damaged_manifest_is_one_clear_error(tmp_path):
    with run(tmp_path / "out"):
        pass
    (tmp_path / "out" / "manifest.json").write_text("{")
    with pytest.raises(RunError, match="manifest is damaged"), run(tmp_path / "out"):
        pass


def test_key_that_looks_secret_is_refused(tmp_path):
    with pytest.raises(InputError, match="api_key"):
        run(tmp_path, judge={"api_key": "x"})
    run(tmp_path, judge={"api_key_env": "NAME_OF_VARIABLE"})


HOLD = """
import sys, time
from rubricbench.runs import RunDirectory
with RunDirectory(sys.argv[1], command="judge", config={"model": "m"}):
    print("in", flush=True)
    time.sleep(60)
"""


def test_second_process_is_refused_until_the_first_is_gone_however_it_went(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(RunError, match=rf"pid {holder.pid} since"), run(tmp_path / "out"):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with run(tmp_path / "out"):
        pass


def test_stage_is_done_only_while_its_outputs_are_what_it_wrote(tmp_path):
    with run(tmp_path / "out") as r:
        assert not r.done("judge")
        r.path("v").write_text("verdicts")
        r.mark_done("judge", ["v"])
        assert r.done("judge")
        r.path("v").write_text("edited")
        assert not r.done("judge")
        r.path("v").unlink()
        assert not r.done("judge")


def test_redoing_a_stage_redoes_those_after_it(tmp_path):
    with run(tmp_path / "out") as r:
        for stage in ("generate", "judge", "report"):
            r.path(stage).write_text(stage)
            r.mark_done(stage, [stage])
        r.redo("judge")
        assert [r.done(s) for s in ("generate", "judge", "report")] == [True, False, False]


def _fail_midway(path):
    with ParquetSink(path, SCHEMA, rows_per_group=2) as sink:
        for i in range(5):
            sink.append({"x": i})
        raise ZeroDivisionError


def test_parquet_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(ZeroDivisionError):
        _fail_midway(path)
    assert os.listdir(tmp_path) == []
    with ParquetSink(path, SCHEMA, rows_per_group=2) as sink:
        for i in range(5):
            sink.append({"x": i})
    assert pq.read_table(path)["x"].to_pylist() == list(range(5))
    assert os.listdir(tmp_path) == ["x.parquet"]


WRITE = """
import sys, itertools
from pathlib import Path
from rubricbench.runs import atomic_write
for i in itertools.count():
    atomic_write(Path(sys.argv[1]), str(i % 10).encode() * 300_000)
    if i == 0: print("go", flush=True)
"""


def test_killed_writer_leaves_a_whole_file(tmp_path):
    path = tmp_path / "f"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(0.1)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    data = path.read_bytes()
    assert len(data) == 300_000
    assert len(set(data)) == 1


def test_unwritable_place_is_one_clear_error(tmp_path):
    with pytest.raises(RunError, match="cannot write the file"):
        atomic_write(tmp_path / "nowhere" / "f", b"x")


def test_manifest_is_readable_json(tmp_path):
    with run(tmp_path / "out", temperature=0.5):
        pass
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["config"] == {"temperature": 0.5}
