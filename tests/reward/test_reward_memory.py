"""A judge in this process: loaded when needed, given back, never beside a policy that holds on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from reward_samples import WordServer, column, config, rubric

from rubricbench.errors import InputError
from rubricbench.judging import Judge, JudgeConfig
from rubricbench.judging.client import ChatClient
from rubricbench.judging.usage import Tally
from rubricbench.reward import rubric_reward
from rubricbench.reward.memory import backend_of_rank, require_policy_asleep
from rubricbench.store import Store

LOCAL = JudgeConfig(model="some-model", backend="vllm")


def trainer(mode: str = "colocate", *, sleeps: bool = False, device: str = "cuda") -> Any:
    """What of TRL's trainer is looked at."""
    return SimpleNamespace(
        use_vllm=bool(mode),
        vllm_mode=mode,
        args=SimpleNamespace(vllm_enable_sleep_mode=sleeps),
        accelerator=SimpleNamespace(device=SimpleNamespace(type=device)),
    )


def test_a_policy_that_keeps_its_memory_is_refused():
    with pytest.raises(InputError, match="vllm_enable_sleep_mode=True"):
        require_policy_asleep(trainer(), LOCAL)


@pytest.mark.parametrize(
    "harmless",
    [trainer(sleeps=True), trainer("server"), trainer(""), trainer(device="cpu"), None, object()],
)
def test_one_that_sleeps_or_is_elsewhere_is_not(harmless):
    require_policy_asleep(harmless, LOCAL)


def test_a_judge_that_is_elsewhere_never_minds():
    require_policy_asleep(trainer(), JudgeConfig(base_url="http://127.0.0.1:1/v1", model="m"))
    require_policy_asleep(trainer(), None)


def test_trls_trainer_has_what_is_looked_at():
    """The names are TRL's: one that is renamed would let everything pass."""
    import inspect

    from trl import GRPOConfig, GRPOTrainer

    source = inspect.getsource(GRPOTrainer.__init__)
    assert "self.use_vllm = args.use_vllm" in source
    assert "self.vllm_mode = args.vllm_mode" in source
    assert "vllm_enable_sleep_mode" in GRPOConfig.__dataclass_fields__
    assert 'reward_kwargs["log_metric"] = self._log_metric' in inspect.getsource(
        GRPOTrainer._calculate_rewards
    )


class Releasing(ChatClient):
    """An endpoint that is told to give its memory back, as a local model is."""

    releases = 0

    def release(self) -> None:
        self.releases += 1


@pytest.mark.parametrize(("release", "expected"), [(True, 2), (False, 0)])
def test_a_local_judge_gives_its_memory_back_after_each_batch(tmp_path, release, expected):
    with WordServer({}) as server, Store.open(tmp_path / "s.sqlite") as store:
        backend = Releasing(config(server), Tally())
        made = rubric_reward(Judge(config(server), store, backend=backend), release=release)
        for text in ("blue", "red"):
            asyncio.run(made(prompts=["q"], completions=[text], rubric=[column(rubric())]))
        made.close()
    assert backend.releases == expected


def test_a_rank_takes_its_own_gpu(monkeypatch):
    import torch

    local = JudgeConfig(model="some-model", backend="transformers")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for number, device in (("1", "cuda:1"), ("2", None), ("", None)):
        monkeypatch.setenv("LOCAL_RANK", number)
        backend = backend_of_rank(local, Tally())
        assert getattr(backend, "_device", None) == device


@pytest.mark.slow
def test_a_real_local_judge_is_loaded_for_a_batch_and_no_longer(tmp_path):
    from backend_models import save_tiny_chat_model

    from rubricbench.judging.backends.transformers import TransformersBackend

    local = JudgeConfig(model=str(save_tiny_chat_model(tmp_path / "model")), backend="transformers")
    backend = TransformersBackend(local)
    with Store.open(tmp_path / "s.sqlite") as store:
        made = rubric_reward(Judge(local, store, backend=backend))
        assert not backend.loaded
        given = {"prompts": ["q"] * 2, "rubric": [column(rubric())] * 2}
        found = asyncio.run(made(completions=["blue", "red"], **given))
        assert not backend.loaded
        made.close()
        assert store.count() == 2
    # Its answers are always readable, so the scores are known: in -2/4 to 4/4.
    assert all(reward is not None and -0.5 <= reward <= 1.0 for reward in found)
