"""Train a tiny policy by a rubric reward; run by tests as a process, or as several by torchrun.

    torchrun --nproc-per-node 2 tests/reward/train_tiny.py BASE_URL STORE OUT

Each rank writes ``OUT/rank-N.json``: what its rewards were, what TRL logged, and its final weights'
digest, which must be the same on all.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from reward_samples import column
from tiny_policy import KEYWORDS, PROMPT, arguments, make_policy

from rubricbench.judging import JudgeConfig
from rubricbench.reward import rubric_reward
from rubricbench.schema import Criterion, Prompt, Rubric

STEPS = 8


def word_rubric(i: int) -> Rubric:
    """Two words each, in weights 1 and -1."""
    first, second = KEYWORDS[i], KEYWORDS[-1 - i]
    return Rubric(
        prompt=Prompt.from_text(PROMPT, id=f"prompt-{i}"),
        criteria=(
            Criterion(criterion=f"Says {first}", weight=1),
            Criterion(criterion=f"Says {second}", weight=-1),
        ),
    )


def main(base_url: str, store: str, out: str) -> None:
    import torch
    from datasets import Dataset
    from trl import GRPOTrainer

    judge = JudgeConfig(base_url=base_url, model="m", timeout=3.0, retries=1, concurrency=64)
    reward = rubric_reward(judge, store=store, deadline=30.0)
    rank = int(os.environ.get("RANK", "0"))
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    given: list[list[float | None]] = []

    class Noting:
        __name__ = "rubric_reward"

        async def __call__(self, **more: Any) -> list[float | None]:
            given.append(await reward(**more))
            return given[-1]

    model, tokenizer = make_policy(0, mean_length=4.0)
    rows = [{"prompt": PROMPT, "rubric": column(word_rubric(i % 4))} for i in range(64)]
    trainer = GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=Noting(),
        args=arguments(Path(out), max_steps=STEPS, per_device_train_batch_size=32 // ranks, seed=1),
        train_dataset=Dataset.from_list(rows),
    )
    trainer.train()
    weights = torch.cat([p.detach().flatten() for p in trainer.model.parameters()])
    found = {
        "steps": trainer.state.global_step,
        "rewards": given,
        "log": trainer.state.log_history,
        "weights": hashlib.sha256(weights.numpy().tobytes()).hexdigest(),
        "finite": bool(torch.isfinite(weights).all()),
    }
    Path(out, f"rank-{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
