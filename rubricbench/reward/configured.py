"""The reward as a dotted path, configured by a file, for trainers started from a command line.

::

    RUBRICBENCH_REWARD_CONFIG=reward.yaml trl grpo \\
        --reward_funcs rubricbench.reward.configured.rubric_reward …

The file is that of `rubricbench.reward.config`.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from rubricbench.errors import InputError
from rubricbench.reward.config import read_reward_config
from rubricbench.reward.reward import RubricReward

VARIABLE = "RUBRICBENCH_REWARD_CONFIG"


async def rubric_reward(**given: Any) -> list[float | None]:
    """Grade completions by the reward of the file that the environment names.

    Raises:
        InputError: the variable is not set, or the file cannot be used.
        RubricbenchError: as `RubricReward`.
    """
    return await _reward(os.environ.get(VARIABLE, ""))(**given)


@functools.lru_cache(maxsize=1)
def _reward(path: str) -> RubricReward:
    if not path:
        raise InputError(
            f"the variable {VARIABLE} is not set", hint="it names the reward's YAML file"
        )
    return read_reward_config(path).reward()
