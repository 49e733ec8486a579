"""kill -9 at any moment: the same final bytes, and next to nothing paid for twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judging_samples import write_files
from simserver.process import SimProcess

from rubricbench.store import Store

LATENCY, IN_FLIGHT, COMMIT_SECONDS = 0.05, 16, 0.02
OUTPUTS = ("verdicts.parquet", "scores.parquet", "summary.json")


def start(files: list[Path], server: SimProcess, out: Path, *more: str) -> subprocess.Popen[bytes]:
    rubrics, responses = map(str, files)
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "rubricbench", "judge", "--quiet", "--rubrics", rubrics),
            *("--responses", responses, "--out", str(out), "--judge-model", "m"),
            *("--judge-base-url", server.base_url, "--concurrency", str(IN_FLIGHT), *more),
        ],
        stdout=subprocess.DEVNULL,
    )


def finish(files: list[Path], server: SimProcess, out: Path, *more: str) -> None:
    assert start(files, server, out, *more).wait(timeout=120) == 0


def kill_at_random(
    process: subprocess.Popen[bytes], server: SimProcess, moments: random.Random
) -> None:
    """Kill the run after a random number of its calls, none included, and a random pause."""
    target = server.log()["requests"] + moments.randrange(200)
    while server.log()["requests"] < target and process.poll() is None:
        time.sleep(0.005)
    time.sleep(moments.uniform(0, LATENCY))
    process.kill()
    assert process.wait() == -9, "the run was over before it was killed"


@pytest.mark.parametrize(
    ("kills", "prompts"), [(3, 300), pytest.param(20, 1_500, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path, capsys, kills, prompts):
    files = write_files(tmp_path, prompts)
    calm, out = tmp_path / "calm", tmp_path / "out"
    with SimProcess("--latency", str(LATENCY)) as server:
        finish(files, server, calm)
    moments = random.Random(kills)
    with SimProcess("--latency", str(LATENCY)) as server:
        for _ in range(kills):
            kill_at_random(start(files, server, out), server, moments)
        finish(files, server, out)
        log = server.log()
    for name in OUTPUTS:
        assert (out / name).read_bytes() == (calm / name).read_bytes()
    with Store.open(out / "store.sqlite", read_only=True) as store:
        assert store.verify().ok
        assert store.count() == log["questions"] == 2 * prompts
    bound = IN_FLIGHT + IN_FLIGHT * COMMIT_SECONDS / LATENCY
    with capsys.disabled():
        print(
            f"\n{kills} kills: {log['repeated']} of {log['requests']:,} calls repeated, "
            f"{log['repeated'] / kills:.1f} a kill (in flight {IN_FLIGHT}, with those of a commit "
            f"interval {bound:.1f})"
        )
    # A commit takes longer than its interval where others use the disk: a round trip is allowed.
    assert log["repeated"] <= kills * 2 * IN_FLIGHT


def test_killed_while_it_writes_it_leaves_whole_files_or_none(tmp_path):
    files = write_files(tmp_path, 1_000)
    out = tmp_path / "out"
    with SimProcess() as server:
        finish(files, server, out)
        expected = [(out / name).read_bytes() for name in OUTPUTS]
        moments = random.Random(1)
        for _ in range(4):
            (out / "scores.parquet").unlink(missing_ok=True)  # so that it writes again
            process = start(files, server, out)
            while not list(out.glob(".*.partial")) and process.poll() is None:
                time.sleep(0.002)
            time.sleep(moments.uniform(0, 0.1))
            process.kill()
            process.wait()
            for name, data in zip(OUTPUTS, expected, strict=True):
                if (out / name).exists():
                    assert (out / name).read_bytes() == data
        finish(files, server, out)
        assert server.log()["requests"] == 2_000
    assert [(out / name).read_bytes() for name in OUTPUTS] == expected
    assert not list(out.glob(".*.partial"))


def test_two_processes_on_one_store_lose_nothing(tmp_path):
    files = write_files(tmp_path, 200)
    store = str(tmp_path / "shared.sqlite")
    with SimProcess("--latency", str(LATENCY)) as server:
        both = [start(files, server, tmp_path / name, "--store", store) for name in ("a", "b")]
        assert [process.wait(timeout=120) for process in both] == [0, 0]
    with Store.open(store, read_only=True) as opened:
        assert opened.count() == 400
        assert opened.verify().ok
    for name in OUTPUTS:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
