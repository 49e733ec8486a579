"""``rubricbench judge`` on files: whole outputs in the input's order, resumable, plainly told."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from judging_samples import expected_raw, make_rubric, write_files
from simserver.server import SimServer, always

from rubricbench.cli import main
from rubricbench.judging import Judge
from rubricbench.judging.interrupt import stopping_on_interrupt
from rubricbench.rows import rubric_to_row
from rubricbench.tables import schema

ALPACA = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval" / "responses.parquet"


class Cli:
    """The command, run in this process."""

    def __init__(self, capsys, folder: Path) -> None:
        self._capsys = capsys
        self.out = folder / "out"

    def __call__(self, server, rubrics, responses, *more: str) -> int:
        arguments = ["--rubrics", str(rubrics), "--responses", str(responses)]
        if server:
            arguments += ["--judge-base-url", server.base_url, "--judge-model", "m"]
        with pytest.raises(SystemExit) as end:
            main(["judge", *arguments, "--out", str(self.out), "--retries", "0", *more])
        self.stdout, self.stderr = self._capsys.readouterr()
        return end.value.code

    def table(self, name: str) -> pa.Table:
        return pq.read_table(self.out / f"{name}.parquet")

    def bytes(self) -> list[bytes]:
        names = ("verdicts.parquet", "scores.parquet", "summary.json")
        return [(self.out / name).read_bytes() for name in names]


@pytest.fixture
def cli(capsys, tmp_path):
    return Cli(capsys, tmp_path)


@pytest.fixture
def server():
    with SimServer() as running:
        yield running


def test_it_writes_verdicts_and_scores_in_the_order_of_the_input(cli, server, tmp_path):
    rubrics, responses = write_files(tmp_path, 20)
    assert cli(server, rubrics, responses, "--json", "--judge-revision", "7") == 0
    verdicts, scores = cli.table("verdicts"), cli.table("scores")
    assert (verdicts.schema, scores.schema) == (schema("verdicts"), schema("scores"))
    assert scores["generator"].to_pylist() == ["a", "b"] * 20
    assert set(scores["judge"].to_pylist()) == {"m@7"}
    expected = [
        expected_raw(make_rubric(i), f"Answer {i} by {model}") for i in range(20) for model in "ab"
    ]
    assert scores["raw"].to_pylist() == expected
    assert verdicts["response_id"].to_pylist()[::3] == scores["response_id"].to_pylist()
    ids = [c.id for i in range(20) for _ in "ab" for c in make_rubric(i).criteria]
    assert verdicts["criterion_id"].to_pylist() == ids
    summary = json.loads(cli.stdout)
    assert summary["overall"]["mean"] == pytest.approx(sum(expected) / 4 / 40)
    assert summary["overall"]["coverage"] == 1.0
    assert summary["tokens"]["prompt_tokens"] == 100 * 40
    assert summary["complete"] is True


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_other_kinds_of_file_give_the_same_scores(cli, server, tmp_path, ending):
    rubrics, responses = write_files(tmp_path, 5)
    rows = [json.loads(line) for line in responses.read_text().splitlines()]
    other = tmp_path / f"responses.{ending}"
    if ending == "csv":
        with other.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), other)
    assert cli(server, rubrics, other) == 0
    scores = cli.table("scores")
    cli.out = tmp_path / "jsonl"
    assert cli(server, rubrics, responses) == 0
    assert cli.table("scores").equals(scores)


def test_people_are_told_mean_coverage_calls_and_files(cli, server, tmp_path):
    assert cli(server, *write_files(tmp_path, 5)) == 0
    for part in (
        "mean ",
        "over 10 responses, coverage 100%",
        "  a: ",
        "30 verdicts: ",
        "10 answers of m: ",
        "1,000 prompt_tokens",
        "10 calls answered",
        "wrote ",
    ):
        assert part in cli.stdout  # fmt: skip


def test_a_replica_that_is_of_no_use_is_named(cli, server, tmp_path):
    files = write_files(tmp_path, 10)
    dead = "http://127.0.0.1:9/v1"
    assert cli(server, *files, "--judge-base-url", dead, "--retries", "2") == 0
    assert f"of no use in the end: {dead}/chat/completions: " in cli.stderr
    assert "Cannot connect" in cli.stderr
    cli.out = tmp_path / "again"
    with SimServer(fault=always("404")) as wrong:
        assert cli(server, *files, "--judge-base-url", wrong.base_url, "--json") == 0
    [(url, why)] = json.loads(cli.stdout)["this_run"]["faulty"].items()
    assert url == f"{wrong.base_url}/chat/completions"
    assert "HTTP 404" in why
    assert "of no use" in cli.stderr
    cli.out = tmp_path / "well"
    with SimServer() as other:
        assert cli(server, *files, "--judge-base-url", other.base_url) == 0
    assert "of no use" not in cli.stderr


def test_names_from_a_file_cannot_write_on_the_terminal(cli, server, tmp_path):
    names = ("evil\n\x1b[31mred", "l" * 500)
    assert cli(server, *write_files(tmp_path, 1, names)) == 0
    assert "\x1b" not in cli.stdout
    assert "  evil\\n\\x1b[31mred: mean " in cli.stdout
    assert f"  {'l' * 80}…: mean " in cli.stdout


def test_started_again_it_asks_nothing_and_changes_nothing(cli, server, tmp_path):
    files = write_files(tmp_path, 5)
    assert cli(server, *files) == 0
    first, said = cli.bytes(), cli.stdout.splitlines()[:-2]
    assert cli(server, *files) == 0
    assert "complete already" in cli.stderr
    assert cli.stdout.splitlines()[:-2] == said
    assert server.requests == 10
    assert cli.bytes() == first


def test_lost_outputs_are_written_again_from_the_store(cli, server, tmp_path):
    files = write_files(tmp_path, 5)
    assert cli(server, *files) == 0
    first = cli.bytes()
    (cli.out / "scores.parquet").unlink()
    assert cli(server, *files) == 0
    assert cli.bytes() == first
    assert server.requests == 10


def test_two_runs_share_a_store_and_give_the_same_bytes(cli, server, tmp_path):
    files, store = write_files(tmp_path, 5), str(tmp_path / "shared.sqlite")
    assert cli(server, *files, "--store", store) == 0
    first = cli.bytes()
    cli.out = tmp_path / "other"
    assert cli(server, *files, "--store", store) == 0
    assert cli.bytes() == first
    assert server.requests == 10
    assert not (cli.out / "store.sqlite").exists()


def test_verdicts_lost_to_the_service_are_exit_code_1_and_asked_for_again(cli, server, tmp_path):
    files = write_files(tmp_path, 10)
    server.fault = lambda call: "500" if call.number % 2 else ""
    assert cli(server, *files, "--concurrency", "1") == 1
    assert "10 responses lost verdicts to the service (server_error: HTTP 500" in cli.stderr
    assert "rubricbench judge --responses" in cli.stderr
    assert "over the 10 of 20 responses that are fully judged" in cli.stdout
    assert "coverage 50.00%" in cli.stdout
    assert "30 unknown: server_error" in cli.stdout
    values = cli.table("scores")["value"].to_pylist()
    assert values.count(None) == 10
    causes = cli.table("verdicts")["cause"].to_pylist()
    assert causes.count("server_error") == 30
    assert set(cli.table("verdicts")["evidence"].to_pylist()) == {""}  # no error text in results
    server.fault = always("")
    before = server.requests
    assert cli(server, *files) == 0
    assert server.requests - before == 10
    assert None not in cli.table("scores")["value"].to_pylist()


def test_answers_nobody_can_read_are_done_and_not_asked_again(cli, server, tmp_path):
    server.fault = lambda call: "garbage" if call.number <= 2 or call.repair else ""
    files = write_files(tmp_path, 5)
    assert cli(server, *files, "--concurrency", "1") == 0
    assert "6 unknown: unparsable" in cli.stdout
    # Ten questions, and two of them once more.
    assert "12 answers" in cli.stdout
    assert cli(server, *files) == 0
    assert server.requests == 12


def test_bounds_stand_beside_every_mean_that_is_not_whole(cli, server, tmp_path):
    server.fault = always("garbage")
    assert cli(server, *write_files(tmp_path, 2)) == 0
    # All unknown: each response lies between -2/4 and 4/4.
    assert "mean unknown over the 0 of 4 responses" in cli.stdout
    assert "between -0.5000 and 1.0000, coverage 0.00%" in cli.stdout


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--temperature", "1"], "config.judge.sampling.temperature"),
        (["--judge-revision", "2"], "config.judge.revision"),
        (["--format", "paper"], "config.judge.format"),
        (["--limit", "1"], "config.limit"),
        (["--strategy", "minimum"], "config.strategy"),
    ],
)
def test_another_configuration_in_the_same_folder_is_refused(cli, server, tmp_path, change, named):
    files = write_files(tmp_path, 2)
    assert cli(server, *files) == 0
    assert cli(server, *files, *change) == 1
    assert f"this run was started with {named}" in cli.stderr
    assert cli.stderr.count("\n") == 1


def test_what_only_changes_the_pace_may_change(cli, server, tmp_path):
    files = write_files(tmp_path, 2)
    server.fault = always("500")
    assert cli(server, *files) == 1
    with SimServer() as moved:
        assert cli(moved, *files, "--concurrency", "3", "--timeout", "9", "--retries", "2") == 0


def test_other_responses_in_the_same_folder_are_refused(cli, server, tmp_path):
    rubrics, responses = write_files(tmp_path, 2)
    assert cli(server, rubrics, responses) == 0
    with responses.open("a") as file:
        file.write('{"prompt": "Question 0?", "response": "one more"}\n')
    assert cli(server, rubrics, responses) == 1
    assert "data.responses" in cli.stderr


def test_responses_without_a_rubric_are_said_and_left_out(cli, server, tmp_path):
    rubrics, responses = write_files(tmp_path, 2)
    with responses.open("a") as file:
        file.write('{"prompt": "Another?", "response": "x"}\n')
    assert cli(server, rubrics, responses) == 0
    assert "1 have no rubric" in cli.stderr
    assert "Another?" in cli.stderr
    assert cli.table("scores").num_rows == 4


def test_a_limit_counts_responses_that_have_a_rubric(cli, server, tmp_path):
    rubrics, responses = write_files(tmp_path, 5)
    lines = responses.read_text()
    responses.write_text('{"prompt": "Another?", "response": "x"}\n' + lines)
    assert cli(server, rubrics, responses, "--limit", "3") == 0
    assert cli.table("scores").num_rows == server.requests == 3


def test_a_broken_last_line_costs_nothing(cli, server, tmp_path):
    rubrics, responses = write_files(tmp_path, 5)
    with responses.open("a") as file:
        file.write('{"prompt": "Question 0?", "response": \n')
    assert cli(server, rubrics, responses) == 2
    assert f"{responses}:11" in cli.stderr
    assert server.requests == 0


def test_checked_rubrics_need_no_judge(cli, tmp_path):
    rubric = make_rubric(checked=True)
    checked = type(rubric)(prompt=rubric.prompt, criteria=rubric.criteria[3:])
    rubrics, responses = tmp_path / "q.jsonl", tmp_path / "r.jsonl"
    rubrics.write_text(json.dumps(rubric_to_row(checked)))
    responses.write_text('{"prompt": "Question 0?", "response": "no comma"}\n')
    assert cli(None, rubrics, responses) == 0
    assert cli.table("verdicts").to_pylist()[0]["judge"] == "check"
    assert cli.table("scores")["value"].to_pylist() == [1.0]


def test_mixed_rubrics_say_what_decided_each_criterion(cli, server, tmp_path):
    rubrics, responses = write_files(tmp_path, 1)
    rubrics.write_text(json.dumps(rubric_to_row(make_rubric(checked=True))))
    assert cli(server, rubrics, responses, "--format", "reasoned") == 0
    rows = cli.table("verdicts").to_pylist()[:4]
    assert [row["judge"] for row in rows] == ["m", "m", "m", "check"]
    assert [row["evidence"] for row in rows] == ["Answer 0 by a"] * 3 + ["0 commas"]


@pytest.mark.shared
@pytest.mark.skipif(not ALPACA.exists(), reason="the AlpacaEval responses are not there")
def test_the_alpaca_eval_file_is_read_as_it_is(cli, server, tmp_path):
    table = pq.read_table(ALPACA)
    prompts = list(dict.fromkeys(table["prompt"].to_pylist()))[:5]
    rubrics = tmp_path / "q.jsonl"
    with rubrics.open("w") as file:
        for prompt in prompts:
            criteria = [{"criterion": "It answers.", "weight": 2}]
            row = {"prompt": prompt, "rubrics": criteria}
            file.write(json.dumps(row) + "\n")
    expected = sum(prompt in prompts for prompt in table["prompt"].to_pylist())
    assert cli(server, rubrics, ALPACA, "--json") == 0
    match = json.loads(cli.stdout)["match"]
    assert match["matched"] == cli.table("scores").num_rows == expected
    assert match["matched"] + match["unmatched"] == table.num_rows
    assert len(json.loads(cli.stdout)["by_generator"]) > 10


class TestInterrupted:
    @pytest.fixture
    def started(self, tmp_path):
        """A run of 200 calls of a fifth of a second, begun."""
        rubrics, responses = write_files(tmp_path, 100)
        with SimServer(latency=0.2) as server:
            command = [
                *(sys.executable, "-m", "rubricbench", "judge", "--rubrics", str(rubrics)),
                *("--responses", str(responses), "--judge-base-url", server.base_url),
                *("--judge-model", "m", "--concurrency", "4", "--out", str(tmp_path / "out")),
            ]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            while server.requests < 10 and process.poll() is None:
                time.sleep(0.02)
            yield process, server
            if process.poll() is None:
                process.kill()
                process.communicate()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_once_it_waits_for_what_is_paid_for_and_says_how_to_go_on(
        self, started, tmp_path, number
    ):
        process, server = started
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "waiting for 4 calls under way" in stderr
        assert "Traceback" not in stderr
        assert not stdout
        assert not (tmp_path / "out" / "scores.parquet").exists()
        asked = server.requests
        assert asked < 100
        server.latency = 0.0
        told = stderr.strip().splitlines()[-1].strip()
        assert told.startswith("rubricbench judge ")
        again = f"{sys.executable} -m {told}"
        done = subprocess.run(again, shell=True, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert server.requests == 200
        assert server.log()["repeated"] == 0

    def test_twice_it_ends_at_once(self, started):
        process, server = started
        server.latency = 20.0
        asked = server.requests
        while server.requests < asked + 4:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, stderr = process.communicate(timeout=30)
        assert time.monotonic() - start < 10
        assert process.returncode == 130
        assert "every answer received is kept" in stderr
        assert "Traceback" not in stderr


def test_off_the_main_thread_signals_are_left_alone(store):
    seen = []

    async def inside():
        with stopping_on_interrupt(Judge(None, store), seen.append) as interrupt:
            seen.append(interrupt.asked)

    thread = threading.Thread(target=lambda: asyncio.run(inside()))
    thread.start()
    thread.join()
    assert seen == [False]


def test_help_loads_nothing_heavy():
    code = (
        "import sys; import rubricbench.cli.judge; "
        "print([m for m in ('aiohttp', 'pyarrow', 'datasets', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
