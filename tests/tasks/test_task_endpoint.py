"""The task over an OpenAI-compatible endpoint: lm-eval's local-chat-completions, unmodified."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import fmean

import pytest
from chat_server import chat_server, turns
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

from rubricbench.lmeval.audit import Audit
from rubricbench.tasks import task_path

TASK = "rubricbench_verifiable"


@pytest.fixture
def endpoint(rubrics, answers):
    table = {
        tuple((m.role, m.content) for m in rubric.prompt.messages): answers[rubric.prompt_id]
        for rubric in rubrics
    }
    with chat_server(table) as served:
        yield served


def test_endpoint_is_asked_in_turns_and_scored(endpoint, source, rubrics, scores):
    url, received = endpoint
    manager = TaskManager(
        include_path=[str(task_path())], include_defaults=False, metadata={"source": str(source)}
    )
    found = simple_evaluate(
        "local-chat-completions",
        model_args={"model": "m", "base_url": url, "num_concurrent": 4, "eos_string": "</s>"},
        tasks=[TASK],
        task_manager=manager,
        apply_chat_template=True,
    )
    assert found["results"][TASK]["rubric_score,exact"] == pytest.approx(fmean(scores.values()))
    asked = {turns(payload["messages"]) for payload in received}
    assert asked == {tuple((m.role, m.content) for m in r.prompt.messages) for r in rubrics}
    assert {(p["temperature"], p["max_tokens"]) for p in received} == {(0.0, 1024)}


@pytest.mark.slow
def test_plain_lm_eval_command_scores_and_logs(endpoint, source, tmp_path, answers, scores):
    url, _ = endpoint
    command = [sys.executable, "-m", "lm_eval", "run", "--include_path", str(task_path())]
    command += ["--model", "local-chat-completions", "--tasks", TASK, "--apply_chat_template"]
    command += ["--model_args", f"model=m,base_url={url},num_concurrent=4"]
    command += ["--metadata", json.dumps({"source": str(source)})]
    command += ["--log_samples", "--output_path", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (results,) = tmp_path.rglob("results_*.json")
    result = json.loads(results.read_text())["results"][TASK]
    assert result["rubric_score,exact"] == pytest.approx(fmean(scores.values()))
    (samples,) = tmp_path.rglob(f"samples_{TASK}_*.jsonl")
    logged = [json.loads(line) for line in samples.read_text().splitlines()]
    audits = [Audit.from_json(sample["filtered_resps"][0][0]) for sample in logged]
    assert {a.prompt_id: a.value for a in audits} == pytest.approx(scores)
    assert all(judged.evidence for audit in audits for judged in audit.verdicts)
