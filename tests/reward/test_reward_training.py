"""Real TRL trainings with the rubric reward: to the end, whatever the judge does."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import breaking
import pytest
from reward_samples import WordServer, column, config, rubric
from simserver.server import mixed
from tiny_policy import PROMPT, arguments, make_policy

from rubricbench.reward import LostRowsLeftOut, rubric_reward

pytestmark = pytest.mark.slow
TRAINER = Path(__file__).with_name("train_tiny.py")
STEPS = 8
FAULTS = ["429", "500", "502", "cut off", "garbage", "refusal", "missing id", "empty", "overflow"]


class FaultyServer(WordServer):
    """A fifth of the calls meets some fault, and for a while every call does."""

    def __init__(self, outage: range) -> None:
        super().__init__({}, keep=False)
        self._mixed = mixed(FAULTS, 0.2)
        self._outage = outage

    async def _reply(self, request: Any, body: Any, question: Any, call: Any) -> Any:
        name = "500" if call.number in self._outage else self._mixed(call)
        self.faults = {}
        self.fault_of = lambda _: name
        return await super()._reply(request, body, question, call)


def run(server: WordServer, folder: Path, ranks: int) -> list[dict[str, Any]]:
    """Train on so many processes; return what each noted."""
    launcher = [sys.executable]
    if ranks > 1:
        launcher += ["-m", "torch.distributed.run", "--nproc-per-node", str(ranks)]
        launcher += [
            "--master-port",
            "0",
            "--rdzv-backend",
            "c10d",
            "--rdzv-endpoint",
            "127.0.0.1:0",
        ]
    variables = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [*launcher, str(TRAINER), server.base_url, str(folder / "s.sqlite"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(ranks)]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_training_with_faults_goes_to_its_end_and_counts_its_lost_rows(tmp_path, ranks):
    with FaultyServer(outage=range(60, 120)) as server:
        found = run(server, tmp_path, ranks)
        assert server.requests > 120
    assert all(rank["finite"] and rank["steps"] == STEPS for rank in found)
    assert len({rank["weights"] for rank in found}) == 1
    rewards = [
        [reward for rank in found for reward in rank["rewards"][step]] for step in range(STEPS)
    ]
    assert all(len(batch) == 32 for batch in rewards)
    lost = [sum(reward is None for reward in batch) / 32 for batch in rewards]
    assert 0 < sum(lost) < STEPS
    # What the reward told is what TRL logged: the mean over ranks, step by step.
    log = [entry for entry in found[0]["log"] if "rubric/lost" in entry]
    assert [entry["rubric/lost"] for entry in log] == pytest.approx(lost)
    for entry, batch in zip(log, rewards, strict=True):
        known = [reward for reward in batch if reward is not None]
        if known:  # lost rows are in no mean
            assert entry["reward"] == pytest.approx(sum(known) / len(known), abs=1e-5)
        assert math.isfinite(float(entry["grad_norm"]))


def trainer_with(rewards: list[float | None], folder: Path, *bases: type, **changes: Any) -> Any:
    """A trainer whose only batch, of two groups of four, has these rewards."""
    from datasets import Dataset
    from trl import GRPOTrainer

    async def given(**more: Any) -> list[float | None]:
        return rewards

    model, tokenizer = make_policy(0, mean_length=4.0)
    fields = {"per_device_train_batch_size": 8, "num_generations": 4, **changes}
    return type("Trainer", (*bases, GRPOTrainer), {})(
        model=model,
        processing_class=tokenizer,
        reward_funcs=given,
        args=arguments(folder, **fields),
        train_dataset=Dataset.from_list([{"prompt": PROMPT}] * 8),
    )


def batch_and_gradient(trainer: Any) -> tuple[dict[str, Any], Any]:
    """The batch as TRL scores it, and the loss's gradient on it."""
    import torch

    torch.manual_seed(5)
    trainer.model.train()
    # As inside `training_step`; the loss is scaled by it.
    trainer.current_gradient_accumulation_steps = 1
    batch = trainer._generate_and_score_completions([{"prompt": PROMPT}] * 8)
    return batch, gradient(trainer, batch)


def gradient(trainer: Any, batch: dict[str, Any]) -> Any:
    import torch

    trainer.model.zero_grad()
    trainer.compute_loss(trainer.model, batch).backward()
    return torch.cat([p.grad.flatten() for p in trainer.model.parameters()])


LOSSY = [1.0, None, 0.0, 0.5, None, None, 0.25, None]


def test_trl_keeps_a_lost_row_out_of_its_groups_mean_and_gives_it_no_advantage(tmp_path):
    batch, _ = batch_and_gradient(trainer_with(LOSSY, tmp_path))
    # Of 1, 0 and 0.5 the mean is 0.5 and the deviation 0.5; a group of one known row has none.
    one = 0.5 / (0.5 + 1e-4)
    assert batch["advantages"].tolist() == pytest.approx([one, 0, -one, 0, 0, 0, 0, 0])


def test_in_trls_loss_a_lost_row_counts_only_in_what_is_divided_by(tmp_path):
    """And `LostRowsLeftOut` takes it out of that, too."""
    import torch

    plain = trainer_with(LOSSY, tmp_path)
    batch, found = batch_and_gradient(plain)
    lost = torch.tensor([reward is None for reward in LOSSY])
    rest = {
        key: value[~lost] if value.ndim else value
        for key, value in batch.items()
        if key != "num_items_in_batch"
    }
    rest["num_items_in_batch"] = rest["completion_mask"].sum()
    without = gradient(plain, rest)
    ratio = rest["num_items_in_batch"] / batch["num_items_in_batch"]
    assert 0.2 < ratio < 0.9
    assert torch.allclose(found, without * ratio, atol=1e-6)

    mended, left_out = batch_and_gradient(trainer_with(LOSSY, tmp_path, LostRowsLeftOut))
    assert torch.equal(mended["completion_ids"], batch["completion_ids"])
    assert torch.allclose(left_out, without, atol=1e-6)


def test_a_batch_that_is_lost_as_a_whole_moves_nothing_and_ends_nothing(tmp_path):
    import torch

    for bases in ((), (LostRowsLeftOut,)):
        trainer = trainer_with([None] * 8, tmp_path, *bases, max_steps=2)
        before = [p.detach().clone() for p in trainer.model.parameters()]
        trainer.train()
        assert trainer.state.global_step == 2
        after = list(trainer.model.parameters())
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_rows_of_the_published_table_train_as_they_are(tmp_path):
    """Columns prompt, messages, rubrics and prompt_id, as `datasets` gives them."""
    from datasets import Dataset
    from trl import GRPOTrainer

    from rubricbench.rows import rubric_to_row
    from rubricbench.tables import features

    model, tokenizer = make_policy(0, mean_length=4.0)
    rows = [rubric_to_row(rubric(i)) for i in range(8)]
    with WordServer({}) as server:
        reward = rubric_reward(config(server), store=tmp_path / "s.sqlite")
        trainer = GRPOTrainer(
            model=model,
            processing_class=tokenizer,
            reward_funcs=reward,
            args=arguments(tmp_path, max_steps=2, log_completions=True, num_generations=4),
            train_dataset=Dataset.from_list(rows, features=features("rubrics")),
        )
        trainer.train()
        reward.close()
        assert server.requests > 0
    entry = trainer.state.log_history[0]
    assert entry["rubric/coverage"] == 1.0
    assert "rewards/rubric_reward/mean" in entry
    assert set(trainer._logs["extra"]["rubric_standing"]) == {"scored"}


def test_the_dotted_path_trains_from_trls_command_line(tmp_path):
    model, tokenizer = make_policy(0, mean_length=4.0)
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "model")
    (tmp_path / "data").mkdir()
    row = {"prompt": PROMPT, "rubric": column(rubric())}
    (tmp_path / "data" / "train.jsonl").write_text("\n".join([json.dumps(row)] * 16))
    options = {
        "model_name_or_path": tmp_path / "model",
        "dataset_name": tmp_path / "data",
        "reward_funcs": "rubricbench.reward.configured.rubric_reward",
        "output_dir": tmp_path / "out",
        "max_steps": 2,
        "per_device_train_batch_size": 8,
        "max_completion_length": 8,
        "logging_steps": 1,
        "remove_unused_columns": False,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
    }
    with WordServer({}) as server:
        judge = {"base_url": server.base_url, "model": "m"}
        path = tmp_path / "reward.yaml"
        path.write_text(json.dumps({"judge": judge, "store": str(tmp_path / "s.sqlite")}))
        variables = {"RUBRICBENCH_REWARD_CONFIG": str(path), "ACCELERATE_USE_CPU": "true"}
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("trl")),
                "grpo",
                *(part for name, value in options.items() for part in (f"--{name}", str(value))),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variables, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            cwd=tmp_path,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert server.requests > 0
    assert "rewards/rubric_reward/mean" in done.stdout
    assert "'rubric/coverage': '1'" in done.stdout


def test_a_policy_does_not_learn_to_break_the_judge(tmp_path, capsys):
    """The longer the better, until the judge's context overflows, or its server crashes."""
    steps = 48
    found = {
        (rule, fault): [breaking.train(rule, fault, 0, steps, tmp_path)]
        for rule, fault in (
            ("by_cause", "overflow"),
            ("by_cause", "500"),
            ("drop_everything", "overflow"),
        )
    }
    with capsys.disabled():
        print("\nshare of completions that break the judge, by steps\n" + breaking.table(found, 4))
    last = range(steps * 3 // 4, steps)
    assert breaking.share(found["by_cause", "overflow"], last) < 0.25
    assert breaking.share(found["by_cause", "500"], last) < 0.25
    assert breaking.share(found["drop_everything", "overflow"], last) > 0.4
