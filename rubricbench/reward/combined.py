"""Several rewards as one, so that a row one of them has no reward for is left out.

Trainers that add up several reward functions skip a None: the row is then rewarded by the others
alone, on another scale than its group. Combined, a row has a reward only where all have one::

    GRPOTrainer(reward_funcs=combined([rubric, length_penalty], weights=[1.0, 0.1]))
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from rubricbench.errors import InputError

RewardFunction = Callable[..., Any]


class Combined:
    """The weighted sum of reward functions, None where any of them is None.

    Args:
        functions: the reward functions, plain or asynchronous; asynchronous ones run together.
        weights: one for each.
        name: the ``__name__`` trainers log it under.
    """

    def __init__(
        self, functions: Sequence[RewardFunction], weights: Sequence[float], name: str
    ) -> None:
        self._functions = list(functions)
        self._weights = list(weights)
        self.__name__ = name

    async def __call__(self, **given: Any) -> list[float | None]:
        """Return the sum for each row; every function gets what is given."""
        found = await asyncio.gather(*(_rewards(f, given) for f in self._functions))
        log_metric = given.get("log_metric")
        if log_metric:
            for function, rewards in zip(self._functions, found, strict=True):
                known = [reward for reward in rewards if reward is not None]
                if known:
                    log_metric(f"{self.__name__}/{_name(function)}", sum(known) / len(known))
        return [self._sum(row) for row in zip(*found, strict=True)]

    def _sum(self, row: Sequence[float | None]) -> float | None:
        total = 0.0
        for weight, reward in zip(self._weights, row, strict=True):
            if reward is None:
                return None
            total += weight * reward
        return total


def combined(
    functions: Sequence[RewardFunction],
    weights: Sequence[float] | None = None,
    *,
    name: str = "combined",
) -> Combined:
    """Return reward functions as one.

    Args:
        functions: the reward functions.
        weights: one for each; by default 1.
        name: the ``__name__`` trainers log it under.

    Raises:
        InputError: there are none, or not as many weights.
    """
    weights = [1.0] * len(functions) if weights is None else weights
    if not functions or len(weights) != len(functions):
        raise InputError(f"{len(functions)} reward functions and {len(weights)} weights")
    return Combined(functions, weights, name)


async def _rewards(function: RewardFunction, given: dict[str, Any]) -> Sequence[float | None]:
    result = function(**given)
    if inspect.isawaitable(result):
        result = await result
    rewards: Sequence[float | None] = result
    return rewards


def _name(function: RewardFunction) -> str:
    return getattr(function, "__name__", type(function).__name__)
