"""Caps on a run of the judge: kept against the server's own accounts, and gone on from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from judging_samples import items, write_files
from simserver.server import SimServer, at_first

from rubricbench.cli import main
from rubricbench.errors import InputError
from rubricbench.judging import Judge, JudgeConfig
from rubricbench.judging.client import ChatClient
from rubricbench.judging.price.budget import Budget, Caps
from rubricbench.judging.usage import Tally
from rubricbench.schema import Cause


class Cli:
    """The command, run in this process."""

    def __init__(self, capsys, folder: Path) -> None:
        self._capsys, self.out = capsys, folder / "out"

    def __call__(self, server: SimServer, files: list[Path], *more: str) -> int:
        rubrics, responses = map(str, files)
        arguments = ["judge", "--rubrics", rubrics, "--responses", responses]
        arguments += ["--judge-base-url", server.base_url, "--judge-model", "m"]
        arguments += ["--out", str(self.out), "--concurrency", "8", "--quiet", "--json", *more]
        with pytest.raises(SystemExit) as end:
            main(arguments)
        self.stdout, self.stderr = self._capsys.readouterr()
        self.result: dict[str, Any] = json.loads(self.stdout) if self.stdout else {}
        return int(end.value.code or 0)

    def files(self) -> list[bytes]:
        names = ("verdicts.parquet", "scores.parquet", "summary.json")
        return [(self.out / name).read_bytes() for name in names]


@pytest.fixture
def cli(capsys, tmp_path):
    return Cli(capsys, tmp_path)


def prices(folder: Path) -> str:
    path = folder / "prices.yaml"
    path.write_text("models: {m: {input: 10, cached_input: 1, output: 100}}")
    return str(path)


def test_a_cap_with_no_room_for_one_call_is_not_gone_on_from(cli, tmp_path):
    with SimServer() as server:
        # Below the 2,048 tokens that one answer may have.
        assert cli(server, write_files(tmp_path, 2), "--max-tokens", "2000") == 1
        assert server.requests == 0
    assert "--max-tokens has no room for one call" in cli.stderr
    assert "4 responses are not judged in full. Raise --max-tokens" in cli.stderr
    assert "rubricbench judge" not in cli.stderr  # the same again would end the same


def test_a_run_stops_at_its_cap_of_calls_and_goes_on(cli, tmp_path):
    files = write_files(tmp_path, 20)
    with SimServer(latency=0.005) as server:
        assert cli(server, files, "--max-calls", "15") == 1
        assert server.requests == server.answered == 15
        assert cli.result["unknown"] == {"budget": 25 * 3}
        assert (cli.result["used_up"], cli.result["spent"]["calls"]) == ("calls", 15)
        assert cli.result["lost"] == 25
        assert "--max-calls is used up (15 calls, " in cli.stderr
        assert "25 responses are not judged in full" in cli.stderr
        assert "To go on:\n  rubricbench judge --responses " in cli.stderr
        assert cli(server, files, "--max-calls", "15") == 1
        assert server.requests == 30
        assert cli(server, files, "--max-calls", "15") == 0
        assert server.requests == 40
        capped = cli.files()
        cli.out = tmp_path / "free"
        assert cli(server, files) == 0
    assert cli.files() == capped


def test_what_was_answered_before_the_cap_is_in_the_tables(cli, tmp_path):
    files = write_files(tmp_path, 10)
    with SimServer() as server:
        assert cli(server, files, "--max-calls", "7") == 1
    scores = pq.read_table(cli.out / "scores.parquet")
    assert sum(value is not None for value in scores["value"].to_pylist()) == 7
    verdicts = pq.read_table(cli.out / "verdicts.parquet")
    assert verdicts["cause"].to_pylist().count("budget") == 13 * 3


def test_no_call_more_is_made_than_the_cap_of_tokens_allows(cli, tmp_path):
    files = write_files(tmp_path, 40)
    with SimServer(latency=0.002, count_tokens=True) as server:
        cap = 30_000
        assert cli(server, files, "--max-tokens", str(cap), "--max-answer-tokens", "64") == 1
        took = server.tokens["prompt_tokens"] + server.tokens["completion_tokens"]
        assert cli.result["spent"]["tokens"] == took <= cap
        # A call is set aside with its bytes, some 2,000, and 256 + 64
        assert took > cap - 3_000
        assert cli.result["used_up"] == "tokens"


def test_the_cost_is_that_of_the_tokens_the_server_counted(cli, tmp_path):
    files = write_files(tmp_path, 40)
    with SimServer(count_tokens=True) as server:
        more = ("--max-cost", "0.3", "--prices", prices(tmp_path), "--max-answer-tokens", "64")
        assert cli(server, files, *more) == 1
        tokens = server.tokens
        cost = (tokens["prompt_tokens"] * 10 + tokens["completion_tokens"] * 100) / 1e6
        assert cli.result["spent"]["cost"] == pytest.approx(cost)
        assert 0.25 < cost <= 0.3
        assert "USD 0.2" in cli.stderr


def test_repeated_attempts_and_repairs_count(cli, tmp_path):
    files = write_files(tmp_path, 10)
    with SimServer(fault=at_first("500")) as server:
        assert cli(server, files, "--max-calls", "12", "--retries", "3") == 1
        assert server.requests == cli.result["spent"]["calls"] == 12
    cli.out = tmp_path / "repaired"
    with SimServer(fault=lambda call: "" if call.repair else "garbage") as server:
        assert cli(server, files, "--max-calls", "30") == 1
        assert server.requests == cli.result["spent"]["calls"] == 30
        # The twenty answers, and ten repairs: those to come are the service's to give
        assert cli(server, files, "--max-calls", "30") == 0
        assert server.requests == 40


def test_a_cap_that_holds_all_changes_nothing(cli, tmp_path):
    files = write_files(tmp_path, 10)
    with SimServer() as server:
        assert cli(server, files, "--max-calls", "20", "--max-tokens", "10000000") == 0
    assert (cli.result["used_up"], cli.result["spent"]["calls"]) == ("", 20)


def test_several_judges_share_a_budget(cli, tmp_path):
    files = write_files(tmp_path, 10)
    with SimServer() as server:
        more = ("--replicates", "2", "--temperature", "1.0", "--max-calls", "25")
        assert cli(server, files, *more) == 1
        assert server.requests == 25
        assert cli(server, files, *more) == 0
        assert server.requests == 40


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--max-calls", "0"), "the cap of calls is 0"),
        (("--max-tokens", "-5"), "the cap of tokens is -5"),
        (("--max-cost", "nan"), "the cap of cost is nan"),
        (("--max-cost", "1"), "the price of the judge's model is not known"),
        (("--max-tokens", "9", "--max-answer-tokens", "none"), "--max-answer-tokens"),
        (("--max-cost", "1", "--prices", "none.yaml"), "No such file"),
    ],
)
def test_a_cap_that_cannot_be_kept_is_refused_before_anything_is_written(cli, tmp_path, more, says):
    files = write_files(tmp_path, 1)
    with SimServer() as server:
        assert cli(server, files, *more) == 2
        assert server.requests == 0
    assert says in cli.stderr
    assert len(cli.stderr.splitlines()) == 1
    assert not cli.out.exists()


def test_items_beyond_the_budget_are_handed_on_with_the_cause(store):
    with SimServer() as server:
        config = JudgeConfig(base_url=server.base_url, model="m", concurrency=4)
        account = Budget(Caps(calls=30)).account(max_tokens=config.max_tokens)
        judged = Judge(config, store, account=account).grade_all(items(500))
        assert server.requests == 30
    known = [j.score.value is not None for j in judged]
    assert sum(known) == 30
    causes = {
        v.cause for j, fine in zip(judged, known, strict=True) if not fine for v in j.verdicts
    }
    assert causes == {Cause.BUDGET}


def test_a_backend_of_ones_own_keeps_within_the_budget(store):
    with SimServer() as server:
        config = JudgeConfig(base_url=server.base_url, model="m")
        account = Budget(Caps(calls=3)).account(max_tokens=None)
        given = ChatClient(config, Tally())
        judge = Judge(config, store, backend=given, account=account)
        judged = judge.grade_all(items(10))
        assert server.requests == 3
        assert sum(j.score.value is not None for j in judged) == 3


def test_without_a_price_a_cost_cannot_be_capped():
    with pytest.raises(InputError, match="--prices"):
        Budget(Caps(cost=1.0)).account(max_tokens=1)


def test_an_interrupt_of_a_capped_run_is_an_interrupt(tmp_path):
    # A process of its own: a signal of a test would end the tests.
    files = write_files(tmp_path, 50)
    with SimServer(latency=0.2) as server:
        command = [
            *(sys.executable, "-m", "rubricbench", "judge", "--quiet", "--max-calls", "90"),
            *("--rubrics", str(files[0]), "--responses", str(files[1]), "--concurrency", "4"),
            *("--out", str(tmp_path / "o"), "--judge-model", "m"),
            *("--judge-base-url", server.base_url),
        ]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        while server.requests < 8 and process.poll() is None:
            pass
        process.terminate()
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"--max-calls 90" in said
        assert server.requests < 30


def test_what_a_used_up_budget_leaves_of_a_response_is_lost_to_the_budget(cli, tmp_path):
    with SimServer(latency=0.01) as server:
        more = ("--criteria-per-call", "1", "--max-calls", "10", "--concurrency", "1")
        assert cli(server, write_files(tmp_path, 10), *more) == 1
    causes = pq.read_table(cli.out / "verdicts.parquet")["cause"].to_pylist()
    # 20 responses, 3 calls each: the fourth response has one verdict, and two that were not asked.
    assert causes == [None] * 10 + ["budget"] * 50
