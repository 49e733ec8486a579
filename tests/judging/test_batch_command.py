"""``judge --plan``, ``--batch-export`` and ``--batch-import`` as they are typed."""

from __future__ import annotations

import json
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from batch_provider import completion, done, failed, replied, requests, write
from judging_samples import write_files
from simserver.server import SimServer

from rubricbench.cli import main
from rubricbench.store import Store

OUTPUTS = ("verdicts.parquet", "scores.parquet", "summary.json")
URL = "http://127.0.0.1:1/v1"


class Cli:
    """The command, run in this process; nothing listens where its judge is."""

    def __init__(self, capsys, folder: Path) -> None:
        self._capsys, self.out = capsys, folder / "out"

    def arguments(self, files: list[Path], *more: str, url: str = URL) -> list[str]:
        rubrics, responses = map(str, files)
        arguments = ["judge", "--rubrics", rubrics, "--responses", responses]
        arguments += ["--judge-base-url", url, "--judge-model", "m"]
        return [*arguments, "--out", str(self.out), *more]

    def __call__(self, files: list[Path], *more: str, url: str = URL) -> int:
        with pytest.raises(SystemExit) as end:
            main(self.arguments(files, *more, url=url))
        self.stdout, self.stderr = self._capsys.readouterr()
        return int(end.value.code or 0)

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    def bytes(self) -> list[bytes]:
        return [(self.out / name).read_bytes() for name in OUTPUTS]


@pytest.fixture
def cli(capsys, tmp_path):
    return Cli(capsys, tmp_path)


# The plan


def test_a_plan_is_printed_and_nothing_else_happens(cli, tmp_path, monkeypatch):
    files = write_files(tmp_path, 10)
    before = sorted(tmp_path.rglob("*"))

    def refuse(*args: object) -> None:
        raise AssertionError("it opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert cli(files, "--plan") == 0
    for part in (
        "20 responses: 60 verdicts by the judge",
        "calls: 20, of 20 answers needed",
        "prefix cache: none assumed",
        "(the shortest json form); at most 40,960",  # 20 answers of 2,048 tokens
        "cost: not known",
        "tokens: estimated at 4 bytes a token",
        "not included: ",
    ):
        assert part in cli.stdout
    assert cli(files, "--plan", "--judge-model", "gpt-4.1-mini", "--json") == 0
    [plan] = cli.result["plans"]
    assert (plan["calls"], cli.result["calls"], plan["price"]["model"]) == (20, 20, "gpt-4.1-mini")
    assert 0 < cli.result["cost"] == plan["cost"] < plan["most_cost"]
    assert plan["prefix_cache"]["minimum"] == 1_024
    assert sorted(tmp_path.rglob("*")) == before


def test_a_plan_of_several_judges_adds_them_up(cli, tmp_path):
    files = write_files(tmp_path, 5)
    assert cli(files, "--plan", "--replicates", "3", "--temperature", "1") == 0
    assert "all judges: 30 calls" in cli.stdout
    # Replicates of one judge are calls of their own
    assert cli.stdout.count("calls: 10, of 10 answers needed") == 3


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--plan", "--batch-export", "d"), "--plan and --batch-export do not go together"),
        (("--plan", "--batch-import", "f"), "--plan and --batch-import do not go together"),
        (("stray",), "unexpected argument 'stray'"),
        (("--plan", "--prefix-cache", "redis"), "unknown prefix cache 'redis'"),
        (("--plan", "--tokenizer", "none/there"), "there is no tokenizer 'none/there' here"),
        (("--batch-export", "d", "--batch-max-requests", "0"), "at most 0 requests"),
        (("--batch-import", "none.jsonl"), "no such file"),
        (("--batch-import", "."), "there is no .jsonl file in the folder"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(cli, tmp_path, monkeypatch, more, says):
    files = write_files(tmp_path, 1)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert cli(files, *more) == 2
    assert says in cli.stderr
    assert len(cli.stderr.splitlines()) == 1


# Batches


def test_a_batch_there_and_back_is_the_run_that_calls_would_have_been(cli, tmp_path):
    files = write_files(tmp_path, 10)
    batch = tmp_path / "batch"
    assert cli(files, "--batch-export", str(batch), "--batch-max-requests", "8") == 0
    assert "wrote 20 requests (" in cli.stdout
    assert "in 3 files to" in cli.stdout
    assert "--batch-import FILE ..." in cli.stdout
    assert not (cli.out / "verdicts.parquet").exists()
    answers = [done(line) for line in requests(batch)]
    random.Random(3).shuffle(answers)
    results = tmp_path / "results"
    results.mkdir()
    one, two = write(results / "1.jsonl", *answers[:9]), write(results / "2.jsonl", *answers[9:])
    # As a shell writes results/*.jsonl: the option takes the first, the rest are arguments
    assert cli(files, "--batch-import", str(one), str(two)) == 0
    assert "20 lines read from" in cli.stderr
    assert ": 20 answers are new, 0 were in the store" in cli.stderr
    by_batch = cli.bytes()
    with SimServer() as server:
        assert cli(files, url=server.base_url) == 0  # complete: nothing is asked
        assert server.requests == 0
        cli.out = tmp_path / "called"
        assert cli(files, url=server.base_url) == 0
        assert server.requests == 20
    assert cli.bytes() == by_batch


def test_a_folder_of_results_is_read_as_one(cli, tmp_path):
    files = write_files(tmp_path, 3)
    batch, results = tmp_path / "batch", tmp_path / "results"
    cli(files, "--batch-export", str(batch), "--quiet")
    results.mkdir()
    for i, line in enumerate(requests(batch)):
        write(results / f"{i}.jsonl", done(line))
    assert cli(files, "--batch-import", str(results), "--json") == 0
    assert (cli.result["batch"]["added"], cli.result["complete"]) == (6, True)


def test_what_did_not_come_back_is_said_and_exported_again(cli, tmp_path):
    files = write_files(tmp_path, 6)
    batch = tmp_path / "batch"
    cli(files, "--batch-export", str(batch))
    asked = requests(batch)
    output = write(tmp_path / "o.jsonl", *map(done, asked[:6]), done(asked[6], "Well, no."), b"{")
    errors = write(
        tmp_path / "e.jsonl",
        *(failed(line, "batch_expired") for line in asked[7:9]),
        replied(asked[9], 400, {"error": {"code": "content_filter", "message": "no"}}),
    )
    assert cli(files, "--batch-import", str(output), str(errors), "--json") == 1
    batch_report, result = cli.result["batch"], cli.result
    assert (batch_report["added"], batch_report["damaged"], batch_report["missing"]) == (7, 1, 2)
    assert batch_report["failed"] == {"timeout": 2, "filtered": 1}
    # By cause: two expired, two not in the files, one to be repaired; the filtered one is final
    assert result["unknown"] == {"timeout": 6, "not_judged": 9, "filtered": 3}
    assert result["lost"] == 5
    assert "1 lines are damaged" in cli.stderr
    assert f"{output}:8: " in cli.stderr
    assert "--batch-import" not in cli.stderr.splitlines()[-1]
    second = tmp_path / "second"
    assert cli(files, "--batch-export", str(second), "--json") == 0
    # The five, and the filtered one, which another model version may answer
    assert cli.result["requests"] == 6
    rest = write(tmp_path / "r.jsonl", *map(done, requests(second)))
    assert cli(files, "--batch-import", str(rest), "--json") == 0
    assert (cli.result["complete"], cli.result["unknown"]) == (True, {})


def test_each_judge_has_batches_of_its_own(cli, tmp_path):
    files = write_files(tmp_path, 3)
    judges = tmp_path / "judges.yaml"
    judges.write_text(f"- {{model: a, base_url: {URL}}}\n- {{model: b, base_url: {URL}}}\n")
    batch = tmp_path / "batch"
    rubrics, responses = map(str, files)
    arguments = ["judge", "--rubrics", rubrics, "--responses", responses, "--out", str(cli.out)]
    arguments += ["--judges", str(judges), "--json"]
    with pytest.raises(SystemExit):
        main([*arguments, "--batch-export", str(batch)])
    models = {
        path.name: {json.loads(line)["body"]["model"] for line in path.read_text().splitlines()}
        for path in batch.iterdir()
    }
    assert models == {"judge-1-batch-00001.jsonl": {"a"}, "judge-2-batch-00001.jsonl": {"b"}}
    output = write(tmp_path / "o.jsonl", *map(done, requests(batch)))
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--batch-import", str(output)])
    assert end.value.code == 0
    assert (cli.out / "votes.parquet").exists()


def test_a_run_whose_every_criterion_has_a_check_needs_no_batch(cli, tmp_path):
    from rubricbench.hub import load

    row = load("verifiable", split="test")[0]
    responses = tmp_path / "r.jsonl"
    responses.write_text(json.dumps({"prompt": row["prompt"], "response": "a"}) + "\n")
    arguments = ["judge", "--rubrics", "verifiable:test", "--responses", str(responses)]
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--out", str(cli.out), "--batch-export", str(tmp_path / "b")])
    assert end.value.code == 2
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--out", str(cli.out), "--plan"])
    assert end.value.code == 0


def test_an_exported_folder_given_back_is_told_so(cli, tmp_path):
    files = write_files(tmp_path, 2)
    batch = tmp_path / "batch"
    cli(files, "--batch-export", str(batch))
    assert cli(files, "--batch-import", str(batch)) == 2
    assert "a batch that was exported, not what came of it" in cli.stderr
    assert cli(files, "--batch-export", str(batch)) == 2
    assert "the folder is not empty" in cli.stderr


def test_an_import_that_is_killed_is_simply_run_again(cli, tmp_path):
    files = write_files(tmp_path, 800)
    batch = tmp_path / "batch"
    assert cli(files, "--batch-export", str(batch), "--quiet") == 0
    answers = [done(line) for line in requests(batch)]
    moments = random.Random(5)
    moments.shuffle(answers)
    output = write(tmp_path / "o.jsonl", *answers)
    command = [sys.executable, "-m", "rubricbench"]
    command += cli.arguments(files, "--batch-import", str(output), "--quiet")
    store, kills = cli.out / "store.sqlite", 0
    for _ in range(3):
        target = stored(store) + moments.randrange(100, 400)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and stored(store) < target:
            time.sleep(0.002)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    assert kills
    assert cli(files, "--batch-import", str(output), "--json", "--quiet") == 0
    report = cli.result["batch"]
    assert report is None or report["added"] + report["present"] == 1_600
    with Store.open(store, read_only=True) as opened:
        assert opened.verify().ok
        assert opened.count() == 1_600
    killed = cli.bytes()
    # Labels are drawn for a run: the calm one exports for itself.
    cli.out = tmp_path / "calm" / "out"
    assert cli(files, "--batch-export", str(tmp_path / "other"), "--quiet") == 0
    calm = write(tmp_path / "c.jsonl", *map(done, requests(tmp_path / "other")))
    assert cli(files, "--batch-import", str(calm), "--quiet") == 0
    assert cli.bytes() == killed


def stored(path: Path) -> int:
    if not path.exists():
        return 0
    with Store.open(path, read_only=True) as store:
        return store.count()


def test_real_outputs_of_other_servers_are_read(cli, tmp_path):
    # vLLM's run-batch: the same form, with further fields and an empty error object left out.
    files = write_files(tmp_path, 2)
    batch = tmp_path / "batch"
    cli(files, "--batch-export", str(batch), "--quiet")
    lines = [
        {
            "id": "vllm-1",
            "custom_id": line["custom_id"],
            "response": {
                "status_code": 200,
                "request_id": "vllm-batch-1",
                "body": {**completion(line), "prompt_logprobs": None, "kv_transfer_params": None},
            },
            "error": None,
        }
        for line in requests(batch)
    ]
    assert cli(files, "--batch-import", str(write(tmp_path / "o", *lines)), "--json") == 0
    assert cli.result["complete"] is True


def test_after_an_import_in_part_the_next_step_is_a_batch(cli, tmp_path):
    files = write_files(tmp_path, 2)
    assert cli(files, "--batch-export", str(tmp_path / "b")) == 0
    assert "in the store" not in cli.stdout  # nothing is, and nothing is said of it
    output = write(tmp_path / "half.jsonl", *map(done, requests(tmp_path / "b")[:3]))
    assert cli(files, "--batch-import", str(output)) == 1
    assert "1 responses are not judged in full. Import what further batches" in cli.stderr
    assert cli.stderr.count("--batch-export DIR\n") == 1
    assert "calls answered" not in cli.stdout  # an import makes none
    assert cli(files, "--batch-export", str(tmp_path / "rest")) == 0
    assert "wrote 1 requests" in cli.stdout
    assert "; 3 answers are in the store already\n" in cli.stdout
    output = write(tmp_path / "rest.jsonl", *map(done, requests(tmp_path / "rest")))
    assert cli(files, "--batch-import", str(output)) == 0
    assert cli(files, "--batch-export", str(tmp_path / "no")) == 0
    assert cli.stdout == "nothing is left to export\n"


def test_an_export_that_does_not_fit_on_the_disk_leaves_no_folder(cli, tmp_path):
    files = write_files(tmp_path, 100)
    arguments = cli.arguments(files, "--batch-export", str(tmp_path / "b"), "--quiet")

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # of some 400,000

    full = subprocess.run(
        [sys.executable, "-m", "rubricbench", *arguments],
        capture_output=True,
        text=True,
        preexec_fn=small_files,
    )
    assert full.returncode == 1
    assert full.stderr.startswith(f"error: {tmp_path / 'b'}: cannot write the folder: ")
    assert full.stderr.count("\n") == 1
    left = {"rubrics.jsonl", "responses.jsonl", "out"}
    assert {entry.name for entry in tmp_path.iterdir()} == left
    assert cli(files, "--batch-export", str(tmp_path / "b")) == 0
