"""Rubric rewards for reinforcement learning.

The asynchronous function that TRL's trainer takes::

    from rubricbench.judging import JudgeConfig
    from rubricbench.reward import rubric_reward

    judge = JudgeConfig(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b", revision="2025-04")
    trainer = GRPOTrainer(
        model="…",
        reward_funcs=rubric_reward(judge, store="rewards.sqlite"),
        args=GRPOConfig(remove_unused_columns=False, …),
        train_dataset=dataset,  # columns prompt and rubric, or those of the published tables
    )

A batch is graded together and each distinct response once. A row whose verdicts the service owes
(a timeout, a 429, a 5xx) has the reward ``None``, and the trainer leaves it out of the loss; one
whose verdicts are unknown by its own doing (the judge refuses, overflows, breaks on it) has the low
bound of its score, or a policy would learn to be unscorable. Nothing is ever a silent 0.

For other trainers: ``rubricbench serve-reward``, and `rubricbench.reward.verl`.
"""

from rubricbench.reward.batch import Batch, Row
from rubricbench.reward.combined import combined
from rubricbench.reward.config import RewardConfig, read_reward_config
from rubricbench.reward.left_out import LostRowsLeftOut
from rubricbench.reward.reward import RubricReward, rubric_reward
from rubricbench.reward.ruling import Ruling, Standing

__all__ = [
    "Batch",
    "LostRowsLeftOut",
    "RewardConfig",
    "Row",
    "RubricReward",
    "Ruling",
    "Standing",
    "combined",
    "read_reward_config",
    "rubric_reward",
]
