"""What docs/reward.md shows runs as it stands, with a small policy and a simulated judge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from reward_samples import WordServer
from tiny_policy import make_policy

from rubricbench.reward import read_reward_config
from rubricbench.reward.serving.forms import FORMS

TEXT = (Path(__file__).parents[2] / "docs" / "reward.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.slow
def test_the_training_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, tokenizer = make_policy(0, mean_length=4.0)
    for part in (model, tokenizer):
        part.save_pretrained("model")
    small = "output_dir='out', max_steps=1, max_completion_length=8, use_cpu=True, bf16=False, "
    with WordServer({}) as server:
        code = block("python").replace("http://127.0.0.1:8000/v1", server.base_url)
        code = code.replace("Qwen/Qwen3-0.6B", "model").replace('output_dir="out", ', small)
        names: dict[str, object] = {}
        exec(code, names)
        assert server.requests > 0
    assert names["trainer"].state.global_step == 1


def test_the_configuration_is_one(tmp_path):
    path = tmp_path / "reward.yaml"
    path.write_text(block("yaml"))
    config = read_reward_config(path)
    assert config.judge is not None
    assert config.judge.name == "qwen3-8b@2025-04"
    assert config.reward().settings.deadline == yaml.safe_load(block("yaml"))["deadline"]


def test_every_form_is_told():
    assert all(f"`POST {form.path}`" in TEXT for form in FORMS)
