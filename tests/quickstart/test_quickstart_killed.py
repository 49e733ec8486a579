"""A quickstart killed at any moment goes on to the same result and repeats no finished batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BATCHES = 4  # eight prompts in batches of two
# The tiny model is slowed down, and writes a line before and after every batch.
RUN = """
import sys, time
from pathlib import Path
from rubricbench.lmeval import local
from rubricbench.quickstart import Settings, quickstart
from rubricbench.tasks import task_path

out, model, journal = sys.argv[1:]
answer = local.LocalModel.answer

def slow(self, prompts, settings, advance):
    with open(journal, "a") as file:
        print("begin", hash_of(prompts), file=file, flush=True)
        time.sleep(0.5)
        answers = answer(self, prompts, settings, advance)
        print("end", hash_of(prompts), file=file, flush=True)
    return answers

def hash_of(prompts):
    import hashlib
    return hashlib.sha256("".join(prompts).encode()).hexdigest()[:8]

local.LocalModel.answer = slow
quickstart(Settings(out=out, limit=8, max_gen_toks=8, model=model, batch_size=2), task_path())
"""
SAMES = ("samples_model.jsonl", "samples_echo.jsonl", "samples_solver.jsonl")


def start(out: Path, model: Path, journal: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, str(out), str(model), str(journal)])


def wait_for(process: subprocess.Popen[bytes], condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, "the run ended before the moment to kill it came"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def journal_lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines() if journal.exists() else []


@pytest.fixture(scope="module")
def expected(tiny_model, tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    assert start(folder / "run", tiny_model, folder / "journal").wait(120) == 0
    assert sum("end" in line for line in journal_lines(folder / "journal")) == BATCHES
    return {name: (folder / "run" / name).read_bytes() for name in SAMES}


def test_killed_again_and_again_it_ends_the_same(tiny_model, tmp_path, expected):
    out, journal = tmp_path / "run", tmp_path / "journal"
    moments = [
        lambda: len(journal_lines(journal)) >= 1,  # in the first batch
        lambda: len(journal_lines(journal)) >= 4,  # after a whole one
        lambda: (out / "samples_model.jsonl").exists(),  # generation is over
        lambda: (out / "samples_echo.jsonl").exists(),
    ]
    for moment in moments:
        process = start(out, tiny_model, journal)
        wait_for(process, moment)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert start(out, tiny_model, journal).wait(120) == 0
    assert {name: (out / name).read_bytes() for name in SAMES} == expected
    assert (out / "report.html").is_file()
    begun = [line for line in journal_lines(journal) if line.startswith("begin")]
    ended = [line for line in journal_lines(journal) if line.startswith("end")]
    # A batch may run twice only where a kill caught it under way, or between its end and the store.
    assert len(set(ended)) == BATCHES
    assert len(begun) <= BATCHES + 2


def test_interrupt_says_how_to_go_on(tiny_model, tmp_path):
    command = [sys.executable, "-m", "rubricbench", "quickstart", "--limit", "200"]
    command += ["--out", str(tmp_path / "run"), "--model", str(tiny_model), "--no-open"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(process, lambda: (tmp_path / "run" / "completions.sqlite").exists())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("interrupted; the same command goes on: rubricbench")
    assert f"--out {tmp_path / 'run'}" in said
    assert "Traceback" not in said
