"""The quickstart as a newcomer runs it: SmolLM2 on eight prompts, from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quickstart") / "run"


def run(out: Path) -> dict:
    command = [sys.executable, "-m", "rubricbench", "quickstart", "--small", "--json", "--quiet"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def first(out: Path) -> dict:
    return run(out)


def test_a_real_model_lies_below_the_constructed_answer(first):
    scores = {r["name"]: r["metrics"]["rubric_score"]["value"] for r in first["responders"]}
    assert list(scores) == ["SmolLM2-135M-Instruct", "empty", "echo", "solver"]
    assert scores["solver"] == 1.0
    assert scores["empty"] == 0.0
    assert scores["SmolLM2-135M-Instruct"] < 1.0
    # It writes prose, not nothing: eight answers of up to 192 tokens.
    assert 20 < first["responders"][0]["metrics"]["response_words"]["value"] < 192


def test_second_run_shows_the_same(first, out):
    assert {**run(out), "seconds": 0} == {**first, "seconds": 0}


def test_report_needs_no_network(first):
    page = Path(first["report"]).read_text(encoding="utf-8")
    assert "SmolLM2-135M-Instruct" in page
    assert len(page.encode()) < 3_000_000
    for fetched in ('src="http', 'href="http', "url(http", "@import"):
        assert fetched not in page
