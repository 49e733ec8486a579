"""What stands for a lost row where a form cannot carry null; never unsaid, never a plain 0."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rubricbench.reward.batch import Batch


def filled(batch: Batch, prompt_ids: Sequence[str]) -> list[float | None]:
    """Return rewards in which a lost row has the mean of its prompt's known ones.

    Such a row moves nothing under a baseline of its group's mean. Where no reward of its prompt is
    known the mean is that of the request; where none is known at all it stays None.

    Args:
        batch: the graded batch.
        prompt_ids: the prompt of each row.
    """
    groups: dict[str, list[float]] = {}
    rewards = [ruling.reward for ruling in batch.rulings]
    known = [reward for reward in rewards if reward is not None]
    for key, reward in zip(prompt_ids, rewards, strict=True):
        if reward is not None:
            groups.setdefault(key, []).append(reward)
    if not known:
        return rewards
    return [
        fmean(groups.get(key, known)) if reward is None else reward
        for key, reward in zip(prompt_ids, rewards, strict=True)
    ]
