"""``rubricbench serve-reward`` as a process: started, asked, and stopped in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from reward_samples import WordServer, column, rubric

from rubricbench.reward import verl

COMMAND = [sys.executable, "-m", "rubricbench", "serve-reward"]


def configuration(folder: Path, judge: WordServer, **more: Any) -> Path:
    path = folder / "reward.yaml"
    fields = {
        "judge": {"base_url": judge.base_url, "model": "m", "retries": 0},
        "store": str(folder / "s.sqlite"),
        **more,
    }
    path.write_text(json.dumps(fields))  # JSON is YAML
    return path


class Served:
    """The command, running."""

    def __init__(self, path: Path, *options: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--config", str(path), "--port", "0", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )

    def __enter__(self) -> Served:
        assert self.process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            text += line
        self.url = json.loads(text)["url"]
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def post(self, body: Any, path: str = "/reward") -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)


ROW = {"response": "blue", "rubric": column(rubric())}


def test_it_serves_and_ends_what_is_under_way_when_it_is_stopped(tmp_path):
    with (
        WordServer({}, latency=1.0) as judge,
        Served(configuration(tmp_path, judge)) as served,
    ):
        found: list[Any] = []
        asking = threading.Thread(target=lambda: found.append(served.post({"rows": [ROW]})))
        asking.start()
        for _ in range(200):
            if judge.in_flight:
                break
            time.sleep(0.05)
        served.process.send_signal(signal.SIGTERM)
        _, err = served.process.communicate(timeout=20)
        asking.join()
        assert served.process.returncode == 0, err
        assert "stopping after 1 rows under way" in err
        assert found[0]["rewards"] == [3 / 4]


def test_a_stranger_without_a_token_is_refused_at_the_start(tmp_path):
    with WordServer({}) as judge:
        path = configuration(tmp_path, judge)
        done = subprocess.run(
            [*COMMAND, "--config", str(path), "--host", "0.0.0.0"],
            capture_output=True,
            text=True,
            check=False,
            env={k: v for k, v in os.environ.items() if k != "RUBRICBENCH_REWARD_TOKEN"},
        )
    assert done.returncode == 2
    assert "RUBRICBENCH_REWARD_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("judge: [", "not YAML"),
        ("judges: {}", "unknown field `judges`"),
        ("judge: {base_url: 'http://x/v1', model: m}", "no store"),
        ("judge: {base_url: 'x', model: m}\nstore: s", "not an http:// or https:// address"),
        ("deadline: -1", "deadline"),
        ("strategy: best", "unknown aggregation 'best'"),
        ("rubrics: nowhere.jsonl", "nowhere.jsonl"),
        ("- 1", "Expected `object`, got `array`"),
        (None, "No such file"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_in_one_line(tmp_path, text, told):
    path = tmp_path / "reward.yaml"
    if text is not None:
        path.write_text(text)
    from click.testing import CliRunner

    from rubricbench.cli.serve_reward import command
    from rubricbench.errors import InputError

    result = CliRunner().invoke(command, ["--config", str(path)])
    assert isinstance(result.exception, InputError)
    assert told in str(result.exception)


def test_an_address_in_use_is_told_in_one_line(tmp_path):
    with WordServer({}) as judge, Served(configuration(tmp_path, judge)) as served:
        port = served.url.rpartition(":")[2]
        done = subprocess.run(
            [*COMMAND, "--config", str(tmp_path / "reward.yaml"), "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "cannot listen" in done.stderr


def test_verls_functions_ask_the_server_until_it_has_a_reward(tmp_path, monkeypatch):
    at_first = {
        "late": lambda attempt: "500" if attempt == 1 else "",
        "you": lambda attempt: "500",  # the control
    }
    monkeypatch.setattr(verl, "FIRST_WAIT", 0.05)
    monkeypatch.setenv("RUBRICBENCH_REWARD_TOKEN", "secret")
    with (
        WordServer(at_first) as judge,
        Served(configuration(tmp_path, judge), RUBRICBENCH_REWARD_TOKEN="secret") as served,
    ):
        monkeypatch.setenv("RUBRICBENCH_REWARD_URL", served.url)
        given = column(rubric())
        one = asyncio.run(verl.compute_score("x", "blue late", given, {"split": object()}))
        assert one == {"score": 3 / 4, "rubric_coverage": 1.0}
        many = verl.compute_scores(["x"] * 2, ["red", "blue"], [given] * 2, [{}, None])
        assert [row["score"] for row in many] == [1 / 4, 3 / 4]
        with pytest.raises(RuntimeError, match=r"refuses: .*no rubric"):
            verl.compute_scores(["x"], ["a"], ["no-such-prompt"], [{}])
        monkeypatch.setenv("RUBRICBENCH_REWARD_TOKEN", "wrong")
        with pytest.raises(RuntimeError, match="token is missing or wrong"):
            verl.compute_scores(["x"], ["a"], [given], [{}])
    monkeypatch.setattr(verl, "PATIENCE", 0.2)
    with pytest.raises(RuntimeError, match=r"no reward in 0\.2 s"):
        verl.compute_scores(["x"], ["a"], [given], [{}])
