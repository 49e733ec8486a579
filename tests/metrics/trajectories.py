"""Training runs for tests, from matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from rubricbench.metrics.trajectory import Trajectory


def run(gold: Any, *, seed: int = 0, arm: str = "arm", steps: Any = None, **columns: Any) -> Any:
    """Return a run whose columns are given as ``(P, T)`` or, the same for all prompts, ``(T,)``."""
    gold = np.asarray(gold, dtype=float)
    count, width = gold.shape
    given = {k: np.broadcast_to(np.asarray(v, dtype=float), gold.shape) for k, v in columns.items()}
    return Trajectory(
        arm=arm,
        seed=seed,
        steps=np.arange(width) * 10 if steps is None else np.asarray(steps),
        prompts=np.array([f"p{i:04d}" for i in range(count)]),
        columns={"gold": gold.T, **{k: v.T for k, v in given.items()}},
        samples=np.ones((width, count), dtype=np.int64),
        base={"gold": (float(gold[:, 0].mean()), 2.0), "proxy": (0.0, 4.0)},
    )


def noisy(mean: Any, prompts: int = 60, *, noise: float = 1.0, key: int = 0, **rest: Any) -> Any:
    """Return a run around a mean curve, with independent normal noise."""
    rng = np.random.default_rng(key)
    mean = np.asarray(mean, dtype=float)
    return run(mean + noise * rng.standard_normal((prompts, len(mean))), **rest)
