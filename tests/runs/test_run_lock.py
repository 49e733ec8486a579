"""Two runs cannot share a folder; a run that is gone, however it went, does not keep it."""

from __future__ import annotations

import os
import signal
import time

import pytest

from rubricbench.errors import RunError
from rubricbench.runs import RunDirectory

HOLD = """
import sys, time
from rubricbench.runs import RunDirectory
with RunDirectory(sys.argv[1], command="judge", config={}):
    print("in", flush=True)
    time.sleep(60)
"""

HOLD_WITH_WORKER = """
import os, sys, time
from rubricbench.runs import RunDirectory
with RunDirectory(sys.argv[1], command="judge", config={}):
    worker = os.fork()
    if worker == 0:
        time.sleep(60)
        os._exit(0)
    with open(sys.argv[2], "w") as file:
        file.write(str(worker))
    print("in", flush=True)
    time.sleep(60)
"""


def run(path):
    return RunDirectory(path, command="judge", config={})


def test_second_process_is_refused_and_told_who_holds_the_folder(tmp_path, start):
    holder = start(HOLD, str(tmp_path / "out"))
    with (
        pytest.raises(
            RunError, match=rf"another run \(pid {holder.pid}, since 20\d\d-.*Z\) is usi"
        ),
        run(tmp_path / "out"),
    ):
        pass


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_folder_is_free_once_its_holder_is_gone(tmp_path, start, ending):
    holder = start(HOLD, str(tmp_path / "out"))
    holder.send_signal(ending)
    holder.communicate()
    with run(tmp_path / "out"):
        pass


def enter_within(seconds, folder):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with run(folder):
                return
        except RunError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_folder_is_free_once_its_holder_is_gone_though_a_forked_worker_lives_on(tmp_path, start):
    holder = start(HOLD_WITH_WORKER, str(tmp_path / "out"), str(tmp_path / "worker"))
    worker = int((tmp_path / "worker").read_text())
    try:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        os.kill(worker, 0)  # it is there
        enter_within(30.0, tmp_path / "out")  # the worker lets go as soon as it first runs
    finally:
        os.kill(worker, signal.SIGKILL)


def test_one_process_cannot_enter_twice(tmp_path):
    with run(tmp_path / "out"):
        with (
            pytest.raises(RunError, match=rf"pid {os.getpid()}, since"),
            run(tmp_path / "out"),
        ):
            pass
        # and the refused attempt did not free it
        with pytest.raises(RunError, match="is using this folder"), run(tmp_path / "out"):
            pass
    with run(tmp_path / "out"):
        pass


def test_of_many_that_start_at_once_exactly_one_runs(tmp_path, start):
    script = """
import sys, time
from rubricbench.errors import RunError
from rubricbench.runs import RunDirectory
print("ready", flush=True)
time.sleep(max(0, float(sys.argv[2]) - time.time()))
try:
    with RunDirectory(sys.argv[1], command="judge", config={}):
        print("in", flush=True)
        time.sleep(1)
except RunError as error:
    print("refused" if "is using this folder" in str(error) else error, flush=True)
"""
    at = str(time.time() + 2.0)
    racers = [start(script, str(tmp_path / "out"), at) for _ in range(4)]
    outcomes = sorted(racer.communicate()[0].strip() for racer in racers)
    assert outcomes == ["in", "refused", "refused", "refused"]


def test_error_inside_frees_the_folder(tmp_path):
    with pytest.raises(ZeroDivisionError), run(tmp_path / "out"):
        raise ZeroDivisionError
    with run(tmp_path / "out"):
        pass
