"""Whatever is wrong with what the command is given: one clear line, the exit code, nothing lost."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from judging_samples import write_files
from simserver.server import SimServer, always

from rubricbench.cli import main
from rubricbench.store import Store


@pytest.fixture
def server():
    with SimServer() as running:
        yield running


@pytest.fixture
def judge(tmp_path, server, capsys):
    """Run the command with good arguments but for those changed (None leaves one out)."""
    rubrics, responses = write_files(tmp_path, 3)

    def run(**changes: Any) -> tuple[int, str, str]:
        options = {
            "rubrics": rubrics,
            "responses": responses,
            "out": tmp_path / "out",
            "judge-base-url": server.base_url,
            "judge-model": "m",
            "retries": 0,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        given = [(f"--{name}", str(v)) for name, v in options.items() if v is not None]
        with pytest.raises(SystemExit) as end:
            main(["judge", *(part for pair in given for part in pair)])
        stdout, stderr = capsys.readouterr()
        return end.value.code, stdout, stderr

    return run


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(folder: Path, name: str, columns: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(columns), folder / name)
    return folder / name


RUBRIC = {"prompt": "Question 0?", "rubrics": [{"criterion": "Is polite", "weight": 1}]}


def rubric(**changes: Any) -> str:
    return json.dumps({**RUBRIC, **changes}) + "\n"


# What is given -> what the one line says. All end with exit code 2 before anything is asked.
INPUTS = {
    "responses: no such file": (
        lambda d: {"responses": d / "none.jsonl"}, "none.jsonl: no such file"),
    "responses: a folder": (lambda d: {"responses": d}, "folder"),
    "responses: unknown ending": (
        lambda d: {"responses": file(d, "r.txt", "x")}, "cannot read a .txt file"),
    "responses: empty": (lambda d: {"responses": file(d, "e.jsonl", "")}, "the file is empty"),
    "responses: no rows": (lambda d: {"responses": file(d, "e.jsonl", "\n\n")}, "no rows"),
    "responses: empty parquet": (
        lambda d: {"responses": parquet(d, "e.parquet", {"prompt": [], "response": []})},
        "no rows"),
    "responses: not parquet": (
        lambda d: {"responses": file(d, "x.parquet", "hello")}, "not a readable parquet file"),
    "responses: no answer column": (
        lambda d: {"responses": file(d, "r.jsonl", '{"prompt": "Question 0?"}')},
        "no column with the answer"),
    "responses: nothing asked": (
        lambda d: {"responses": file(d, "r.csv", "response\nx\n")},
        "no column with what was asked"),
    "responses: null answer": (
        lambda d: {"responses": file(d, "r.jsonl", '{"prompt": "Q", "response": null}')},
        r"r.jsonl:1, response: no answer"),
    "responses: not JSON": (
        lambda d: {"responses": file(d, "r.jsonl", "{'prompt': 1}")}, "r.jsonl:1: not JSON"),
    "responses: not UTF-8": (
        lambda d: {"responses": file(d, "r.jsonl", b'{"prompt": "\xff"}')}, "not UTF-8"),
    "responses: UTF-16": (
        lambda d: {"responses": file(d, "r.csv", "prompt,response\n".encode("utf-16"))}, "UTF-"),
    "responses: NUL": (
        lambda d: {"responses": file(d, "r.jsonl", '{"prompt": "Q\\u0000", "response": "x"}')},
        "NUL"),
    "responses: half surrogate": (
        lambda d: {"responses": file(d, "r.jsonl", '{"prompt": "Q", "response": "\\ud800"}')},
        "surrogate"),
    "responses: ragged CSV": (
        lambda d: {"responses": file(d, "r.csv", "prompt,response\na,b,c\n")}, "3 fields"),
    "responses: open quote": (
        lambda d: {"responses": file(d, "r.csv", 'prompt,response\na,"b\n')}, "never closed"),
    "responses: semicolons": (
        lambda d: {"responses": file(d, "r.csv", "prompt;response\na;b\n")}, "by commas"),
    "responses: one id twice": (
        lambda d: {"responses": file(d, "r.jsonl", 2 * (
            '{"prompt": "Question 0?", "response": "x", "response_id": "r"}\n'))},
        "stands on line 1 already"),
    "responses: of other prompts": (
        lambda d: {"responses": file(d, "r.jsonl", '{"prompt": "Other", "response": "x"}')},
        "none of 1 responses has a rubric"),
    "rubrics: no such file": (lambda d: {"rubrics": d / "none.jsonl"}, "no such file"),
    "rubrics: no such dataset": (lambda d: {"rubrics": "nosuch"}, "nosuch"),
    "rubrics: no criteria": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(rubrics=[]))}, "no_criteria"),
    "rubrics: empty criterion": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(
            rubrics=[{"criterion": " ", "weight": 1}]))},
        r"q.jsonl:1, rubrics\[0\].criterion.*empty_criterion"),
    "rubrics: weight 0": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(
            rubrics=[{"criterion": "c", "weight": 0}]))},
        "weight_zero"),
    "rubrics: weight as text": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(
            rubrics=[{"criterion": "c", "weight": "3"}]))}, "weight_not_a_number"),
    "rubrics: penalties alone": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(
            rubrics=[{"criterion": "c", "weight": -1}]))}, "no_positive_weight"),
    "rubrics: unknown key": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(rubic=1))}, "unknown key 'rubic'"),
    "rubrics: unknown check beside a criterion for the judge": (
        lambda d: {"rubrics": file(d, "q.jsonl", rubric(rubrics=[
            {"criterion": "a", "weight": 1},
            {"criterion": "b", "weight": 1, "check": {"name": "no_such"}}]))},
        r"q.jsonl, p_\w+ rubrics\[1\].check.name: no check family 'no_such'"),
    "responses: an id too long to be one": (
        lambda d: {"responses": file(d, "r.jsonl", json.dumps(
            {"prompt": "Question 0?", "response": "x", "response_id": "r" * 5_000}))},
        "r.jsonl:1.*text_too_long"),
    "rubrics: one prompt twice": (
        lambda d: {"rubrics": file(d, "q.jsonl", 2 * rubric())}, "has a rubric on line 1 already"),
    "judge: URL without scheme": (
        lambda d: {"judge_base_url": "127.0.0.1:8000"}, "http:// or https://"),
    "judge: URL with a key in it": (
        lambda d: {"judge_base_url": "http://key@x/v1"}, "no user name"),
    "judge: no URL": (lambda d: {"judge_base_url": None}, "--judge-base-url is missing"),
    "judge: no model": (lambda d: {"judge_model": None}, "--judge-model is missing"),
    "judge: none at all": (
        lambda d: {"judge_model": None, "judge_base_url": None},
        "6 responses have criteria that only a judge can decide.*--judge-base-url"),
    "judge: key variable not set": (
        lambda d: {"judge_api_key_env": "NO_SUCH_KEY"}, "NO_SUCH_KEY is not set"),
    "option: format": (lambda d: {"format": "xml"}, "xml"),
    "option: temperature": (lambda d: {"temperature": 9}, "temperature must be a number from 0"),
    "option: not a number": (lambda d: {"temperature": "hot"}, "hot"),
    "option: concurrency": (lambda d: {"concurrency": 0}, "concurrency must be"),
    "option: limit": (lambda d: {"limit": 0}, "limit is 0"),
    "option: strategy": (lambda d: {"strategy": "best"}, "unknown aggregation 'best'"),
    "judge: a strategy that needs a grade": (
        lambda d: {"strategy": "implicit"}, "implicit strategy needs an overall grade"),
    "option: unknown": (lambda d: {"colour": "red"}, "colour"),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_bad_input_is_one_clear_line_and_exit_code_2(judge, server, tmp_path, name):
    changes, said = INPUTS[name]
    code, stdout, stderr = judge(**changes(tmp_path))
    assert code == 2
    assert not stdout
    assert server.requests == 0
    line = stderr.strip().splitlines()[-1]
    assert re.search(said, line), line
    assert "Traceback" not in stderr
    if not name.startswith("option: "):  # click's own complaints come with a line of usage
        assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "HTTP 404.*'m' served there"),
        ("html", "does not look like an OpenAI-compatible endpoint"),
        ("not json", "does not look like an OpenAI-compatible endpoint"),
        ("quota", "quota is used up; nothing finished is lost"),
        ("redirect", "HTTP 307"),
        ("400", "HTTP 400.*does not take this option: --no-response-format"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_one_clear_line_and_exit_code_1(
    judge, server, tmp_path, fault, said
):
    server.fault = always(fault)
    code, stdout, stderr = judge(concurrency=1)
    assert code == 1
    assert re.search(said, stderr), stderr
    assert stderr.count("\n") == 1
    assert not stdout
    server.fault = always("")
    assert judge()[0] == 0  # the same folder is as good as before


@pytest.mark.parametrize(
    ("wrong", "field", "value"),
    [("404", "judge_model", "wrong"), ("400", "extra_body", '{"top_k": 1}')],
)
def test_what_an_endpoint_refused_can_be_put_right_in_the_same_folder(
    judge, server, tmp_path, wrong, field, value
):
    server.fault = always(wrong)
    assert judge(**{field: value})[0] == 1
    assert os.listdir(tmp_path / "out") == [".rubricbench.lock"]
    server.fault = always("")
    assert judge()[0] == 0


def test_a_run_that_has_answers_is_no_other_run_after_a_refusal(judge, server, tmp_path):
    server.fault = lambda call: "quota" if call.number > 2 else ""
    assert judge(concurrency=1)[0] == 1
    assert "manifest.json" in os.listdir(tmp_path / "out")
    code, _, stderr = judge(judge_model="another")
    assert code == 1
    assert 'config.judge.model = "m", now it is "another"' in stderr
    server.fault = always("")
    assert judge()[0] == 0
    assert server.log()["repeated"] == 1  # the refused one


def test_a_refusal_leaves_a_store_with_answers_of_other_runs(judge, server, tmp_path):
    assert judge(out=tmp_path / "first", store=tmp_path / "s.db")[0] == 0
    server.fault = always("404")
    assert judge(judge_model="another", store=tmp_path / "s.db")[0] == 1
    with Store.open(tmp_path / "s.db", read_only=True) as store:
        assert store.count() == 6
    assert os.listdir(tmp_path / "out") == [".rubricbench.lock"]


def test_a_wrong_key_is_one_clear_line(judge, server, monkeypatch):
    server.api_key = "right"
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    code, _, stderr = judge()
    assert code == 1
    assert "HTTP 401" in stderr
    assert "OPENAI_API_KEY" in stderr
    assert "wrong" not in stderr


def test_nobody_listening_is_one_clear_line(judge):
    code, _, stderr = judge(judge_base_url="http://127.0.0.1:9/v1")
    assert code == 1
    assert "cannot be reached" in stderr
    assert stderr.count("\n") == 1


def test_errors_are_json_for_machines(judge, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["judge", "--json", "--responses", "none.csv", "--rubrics", "q.csv", "--out", "o"])
    assert json.loads(capsys.readouterr().err)["error"] == "no such file"


class TestFolder:
    def test_a_file_in_its_place(self, judge, tmp_path):
        code, _, stderr = judge(out=file(tmp_path, "plain", "x"))
        assert code == 1
        assert "this is a file, not a folder" in stderr

    def test_somebody_elses_files(self, judge, tmp_path):
        (tmp_path / "theirs").mkdir()
        mine = file(tmp_path / "theirs", "thesis.tex", "x")
        code, _, stderr = judge(out=tmp_path / "theirs")
        assert code == 1
        assert "thesis.tex" in stderr
        assert mine.read_text() == "x"

    def test_where_nothing_can_be_written(self, judge):
        code, _, stderr = judge(out="/proc/rubricbench")
        assert code == 1
        assert "/proc/rubricbench" in stderr
        assert stderr.count("\n") == 1

    def test_in_use(self, judge, tmp_path):
        assert judge()[0] == 0
        with (tmp_path / "out" / ".rubricbench.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            code, _, stderr = judge()
        assert code == 1
        assert "is using this folder" in stderr

    def test_a_lock_left_behind_is_no_obstacle(self, judge, tmp_path):
        (tmp_path / "out").mkdir()
        file(tmp_path / "out", ".rubricbench.lock", "pid 1, since yesterday")
        assert judge()[0] == 0

    def test_a_damaged_manifest(self, judge, tmp_path):
        assert judge()[0] == 0
        file(tmp_path / "out", "manifest.json", "{")
        code, _, stderr = judge()
        assert code == 1
        assert "manifest is damaged" in stderr

    def test_a_damaged_summary_is_made_again(self, judge, tmp_path, server):
        assert judge()[0] == 0
        file(tmp_path / "out", "summary.json", "{")
        assert judge()[0] == 0
        assert json.loads((tmp_path / "out" / "summary.json").read_bytes())["answers"] == 6
        assert server.requests == 6


class TestStore:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda d: d, "this is not a file"),
            (lambda d: file(d, "s", "not a database, though long enough to be read as one" * 20),
             "not a completion store"),
            (lambda d: d / "no" / "such" / "folder" / "s", "cannot be opened"),
        ],
    )  # fmt: skip
    def test_a_file_that_is_no_store(self, judge, tmp_path, server, make, said):
        code, _, stderr = judge(store=make(tmp_path))
        assert code == 1
        assert said in stderr
        assert server.requests == 0

    def test_somebody_elses_database(self, judge, tmp_path):
        sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE t (a)").connection.close()
        code, _, stderr = judge(store=tmp_path / "x.db")
        assert code == 1
        assert "not a completion store" in stderr

    def test_a_full_disk_stops_the_run_and_loses_nothing_committed(self, judge, tmp_path, server):
        rubrics, responses = write_files(tmp_path, 200)
        server.latency = 0.01  # at some 200 answers a second, a commit of 20 ms holds a few
        command = [
            *(sys.executable, "-m", "rubricbench", "judge", "--rubrics", str(rubrics)),
            *("--responses", str(responses), "--out", str(tmp_path / "out")),
            *("--judge-base-url", server.base_url, "--judge-model", "m", "--concurrency", "2"),
        ]

        def small_files() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

        full = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files)
        assert full.returncode == 1
        assert full.stderr.startswith("error: ")
        assert full.stderr.count("\n") == 1
        asked = server.requests
        assert 0 < asked < 400
        assert subprocess.run(command, capture_output=True).returncode == 0
        # Only what had not reached the disk is asked for again.
        assert server.log()["repeated"] < asked / 2
        assert server.log()["questions"] == 400
