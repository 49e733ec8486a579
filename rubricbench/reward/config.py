"""A reward described by a file, for trainers and servers that are started from a command line.

::

    judge:                       # fields of JudgeConfig; none where every criterion has a check
      base_url: http://127.0.0.1:8000/v1
      model: qwen3-8b
      revision: 2025-04
    store: rewards-{rank}.sqlite
    rubrics: rubrics.jsonl       # or verifiable:train; leave it out for the dataset's own columns
    deadline: 300
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.reward.reward import RubricReward, rubric_reward
from rubricbench.scoring import Strategy
from rubricbench.yaml_file import read_yaml, typed


class RewardConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `rubric_reward` is called with; its arguments, by their names.

    Args:
        judge: the judge's configuration.
        store: file of the completion store.
        rubrics: a file, or a dataset's name.
        strategy: name of the aggregation.
        deadline: seconds a batch may take.
        ask_again: whether rows lost to faults of single calls are asked about once more.
        patience: batches in a row that may be lost as a whole; null for any number.
        strip_reasoning: grade what follows a leading ``<think>`` block.
        release: give a local judge's memory back after each batch.
        name: the name the reward is logged under.
    """

    judge: JudgeConfig | None = None
    store: str | None = None
    rubrics: str | None = None
    strategy: str = "weighted_mean"
    deadline: float = 300.0
    ask_again: bool = True
    patience: int | None = 10
    strip_reasoning: bool = True
    release: bool = True
    name: str = "rubric_reward"

    def reward(self) -> RubricReward:
        """Return the reward.

        Raises:
            InputError: a field cannot be used.
        """
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return rubric_reward(
            fields.pop("judge"), strategy=Strategy(fields.pop("strategy")), **fields
        )


def read_reward_config(path: str | Path) -> RewardConfig:
    """Read a YAML or JSON file.

    Raises:
        InputError: it cannot be read, or a field is unknown or cannot be used; it is named.
    """
    return typed(read_yaml(path), RewardConfig, str(path))
