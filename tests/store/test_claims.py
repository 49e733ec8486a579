"""Who pays for which call, between processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from rubricbench.store.claims import LEASE_SECONDS, REST_SECONDS, Claims


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_each_key_is_granted_to_one(tmp_path):
    a, b = Claims(tmp_path / "s"), Claims(tmp_path / "s")
    assert a.take(["1", "2"]) == {"1", "2"}
    assert b.take(["2", "3"]) == {"3"}
    assert a.take(["2", "3"]) == {"2"}  # its own it may have again


def test_what_is_given_up_goes_to_the_next(tmp_path):
    a, b = Claims(tmp_path / "s"), Claims(tmp_path / "s")
    a.take(["1", "2"])
    a.give_up(["1"])
    assert b.take(["1", "2"]) == {"1"}
    a.close()
    assert b.take(["2"]) == {"2"}


def test_a_claim_runs_out_unless_it_is_renewed(tmp_path):
    clock = Clock()
    a, b = Claims(tmp_path / "s", clock), Claims(tmp_path / "s", clock)
    a.take(["1", "2"])
    clock.now += LEASE_SECONDS - 1
    a.renew()
    clock.now += 2
    assert b.take(["1"]) == set()
    clock.now += LEASE_SECONDS
    assert b.take(["1"]) == {"1"}


def test_an_answered_claim_stays_until_everybody_can_see_the_answer(tmp_path):
    a, b = Claims(tmp_path / "s"), Claims(tmp_path / "s")
    a.take(["1"])
    a.settle("1")
    assert b.take(["1"]) == set()
    a.renew()  # it may be on its way to the disk still
    assert b.take(["1"]) == set()
    a.renew()
    assert b.take(["1"]) == {"1"}


def test_the_claims_of_a_dead_process_are_void(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from rubricbench.store.claims import Claims\n"
        "assert Claims(Path(sys.argv[1])).take(['1']) == {'1'}\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=False)
    assert Claims(tmp_path / "s").take(["1"]) == {"1"}


def test_many_at_once_share_the_keys_without_loss_or_overlap(tmp_path):
    keys = [str(i) for i in range(2_000)]

    def take(_):
        claims = Claims(tmp_path / "s")
        got = [claims.take(keys[i : i + 50]) for i in range(0, len(keys), 50)]
        return set().union(*got)

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(take, range(4)))
    assert sum(map(len, shares)) == len(keys)
    assert set().union(*shares) == set(keys)


def test_where_claims_cannot_be_kept_all_is_granted(tmp_path):
    (tmp_path / "s-claims").mkdir()  # no file can be made there
    claims = Claims(tmp_path / "s")
    assert claims.take(["1"]) == {"1"}
    claims.give_up(["1"])
    claims.renew()
    claims.close()
    assert os.listdir(tmp_path / "s-claims") == []


def test_processes_that_start_together_all_have_claims(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from rubricbench.store.claims import Claims\n"
        "print('ready', flush=True)\n"
        "start = float(sys.stdin.readline())\n"
        "kept = []\n"
        "for i in range(30):\n"
        "    time.sleep(max(0, start + i * 0.02 - time.time()))\n"
        "    kept.append(Claims(Path(sys.argv[1]) / f's{i}'))\n"
        "    print(len(kept[-1].take(['1'])), flush=True)\n"
        "sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        process.stdout.readline()
    start = time.time() + 0.1
    for process in processes:
        process.stdin.write(f"{start}\n")
        process.stdin.flush()
    granted = [[int(p.stdout.readline()) for p in processes] for _ in range(30)]
    for process in processes:
        process.communicate("\n")
    assert [sum(each) for each in granted] == [1] * 30


def test_a_file_that_a_halted_process_holds_is_left_alone_for_a_while(tmp_path):
    clock = Clock()
    claims, other = Claims(tmp_path / "s", clock), Claims(tmp_path / "s", clock)
    claims.take(["1"])
    halted = sqlite3.connect(tmp_path / "s-claims", isolation_level=None)
    halted.execute("BEGIN IMMEDIATE")
    assert claims.take(["2"]) == {"2"}  # it goes on
    halted.execute("COMMIT")
    assert other.take(["1", "2", "3"]) == {"2", "3"}
    assert claims.take(["3"]) == {"3"}  # not asked for so soon: each time could be another wait
    clock.now += REST_SECONDS
    other.renew()
    assert claims.take(["3"]) == set()


def test_a_file_that_cannot_be_used_is_no_obstacle(tmp_path):
    (tmp_path / "s-claims").write_bytes(b"no database" * 100)
    claims = Claims(tmp_path / "s")
    assert claims.take(["1", "2"]) == {"1", "2"}
    claims.settle("1")
    claims.give_up(["2"])
    claims.renew()
    claims.close()
