"""Two processes, one store, the same items in the same order: nobody pays twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from judging_samples import config, expected_raw, items, write_files
from simserver.process import SimProcess
from simserver.server import SimServer

from rubricbench.judging import Judge
from rubricbench.store import Store
from rubricbench.store.claims import Claims


def judge(server: SimProcess, folder: Path, out: str, *files: Path) -> subprocess.Popen[bytes]:
    responses, rubrics = files[1], files[0]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "rubricbench", "judge", "-q"),
            *("--responses", str(responses), "--rubrics", str(rubrics)),
            *("--out", str(folder / out), "--store", str(folder / "store.sqlite")),
            *("--judge-base-url", server.base_url, "--judge-model", "m", "--concurrency", "16"),
        ]
    )


def test_two_processes_on_the_same_items_pay_once(tmp_path):
    files = write_files(tmp_path, 400, ("a", "b", "c"))
    with SimProcess("--latency", "0.02") as server:
        runs = [judge(server, tmp_path, out, *files) for out in ("one", "two")]
        assert [run.wait() for run in runs] == [0, 0]
        log = server.log()
    print(f"two processes: {log['repeated']} of {log['requests']} calls paid twice")
    assert log["requests"] >= 1_200
    assert log["repeated"] <= 0.05 * 1_200
    tables = [(tmp_path / out / "verdicts.parquet").read_bytes() for out in ("one", "two")]
    assert tables[0] == tables[1]


def test_calls_that_another_process_gives_up_are_made_here(tmp_path):
    work = items(20)
    with Store.open(tmp_path / "store.sqlite") as store, SimServer() as server:
        other = Claims(store.path)
        mine = Judge(config(server), store)
        keys = [a.key for o in mine.stored(work) for a in o.answers]
        other.take(keys[:15])
        other.close()  # as one that failed, or was killed
        graded = mine.grade_all(work)
    for j in graded:
        assert j.score.raw == expected_raw(j.item.rubric, j.item.response)


def test_answers_of_another_process_are_taken_from_the_store(tmp_path):
    work = items(5)
    with Store.open(tmp_path / "theirs.sqlite") as theirs, SimServer() as server:
        Judge(config(server), theirs).grade_all(work)
        theirs.flush()
        answers = list(theirs.iterate())
    with Store.open(tmp_path / "store.sqlite") as store, SimServer() as server:
        other = Claims(store.path)
        other.take([answer.key for answer in answers])

        def answer_later() -> None:
            with Store.open(store.path) as shared:
                for answer in answers:
                    shared.put(answer)

        later = threading.Timer(0.3, answer_later)
        later.start()
        mine = Judge(config(server), store)
        graded = mine.grade_all(work)
        later.join()
        assert server.requests == 0
    assert (mine.tally.stored, mine.tally.calls) == (5, 0)
    for j in graded:
        assert j.score.raw == expected_raw(j.item.rubric, j.item.response)
