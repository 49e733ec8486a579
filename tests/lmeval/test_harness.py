"""lm-eval's own words go to a log, and the log is never worth a run."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("lm_eval")

LOGGED = """
import resource, sys
from pathlib import Path
from rubricbench.lmeval.harness import logged

resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # writing more fails, as on a full disk
with logged(Path("log")):
    print("x" * int(sys.argv[1]))
print("done")
"""


@pytest.mark.parametrize("length", [50, 300, 30_000])  # fits; fails when closed; when written
def test_a_log_that_cannot_grow_does_not_end_the_run(tmp_path, length):
    command = [sys.executable, "-c", LOGGED, str(length)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert (tmp_path / "log").stat().st_size == min(length + 1, 100)
