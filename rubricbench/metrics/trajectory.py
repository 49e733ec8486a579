"""A training run seen at checkpoints: prompt means of proxy, gold, KL and what else there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.result import Caution

KL = ("kl", "kl_k1")  # columns that give it, the better one first

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trajectory:
    """One arm, one seed. Every prompt is there at every checkpoint.

    Args:
        arm: name of the arm: the reward that was optimised, and how.
        seed: training seed.
        steps: optimiser steps of the checkpoints, increasing, shape ``(T,)``.
        prompts: ids of the held-out prompts, sorted, shape ``(P,)``.
        columns: means over each prompt's samples, each of shape ``(T, P)``: ``gold`` always;
            where measured ``proxy``, ``kl`` (sequence nats, Rao-Blackwell), ``kl_k1``, ``win``,
            ``length``, ``ended``, ``repetition``; ``no_spread``, 1 where all samples of a prompt
            (two or more) have the same proxy.
        samples: samples behind each cell, shape ``(T, P)``.
        base: mean and standard deviation over the samples of the initial policy (step 0) of each
            column; empty where the run has no step 0.
        cautions: what was left out in reading.
        lacking: of the mean of several runs, columns that some have -> seeds of those without.
    """

    arm: str
    seed: int
    steps: NDArray[np.int64]
    prompts: NDArray[np.str_]
    columns: Mapping[str, Floats]
    samples: NDArray[np.int64]
    base: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()
    lacking: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def gold(self) -> Floats:
        """Gold reward, shape ``(T, P)``."""
        return self.columns["gold"]

    @property
    def proxy(self) -> Floats | None:
        """Proxy reward, shape ``(T, P)``, where it was logged."""
        return self.columns.get("proxy")

    @property
    def kl(self) -> Floats | None:
        """Sequence KL to the initial policy in nats, ``(T, P)``: ``kl``, or else ``kl_k1``."""
        return next((self.columns[name] for name in KL if name in self.columns), None)

    def distance(self) -> Floats | None:
        """Return √KL of every checkpoint, shape ``(T,)``; an estimate below zero counts as 0."""
        if self.kl is None:
            return None
        return np.asarray(np.sqrt(np.maximum(self.kl.mean(axis=1), 0)))
