"""Worlds of which the optimal policy's gold reward and win rate are known at every KL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from rubricbench.metrics.samples import Samples
from rubricbench.theory import theorem
from rubricbench.theory.maps import top_wrong

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], tuple[Floats, Floats]]


@dataclass(frozen=True)
class World:
    """Where proxy and gold come from.

    Args:
        name: for a table.
        draw: gives proxy and gold of shape ``(prompts, samples)``.
        truth: gives gold reward and win rate of the optimal policy at a KL.
    """

    name: str
    draw: Draw
    truth: Callable[[float], tuple[float, float]]

    def samples(self, seed: int, prompts: int, each: int) -> Samples:
        proxy, gold = self.draw(np.random.default_rng(seed), prompts, each)
        ids = np.repeat([f"p{i:05d}" for i in range(prompts)], each)
        return Samples.of(ids, proxy.ravel(), gold.ravel())


def _map_draw(rng: np.random.Generator, prompts: int, each: int) -> tuple[Floats, Floats]:
    gold = rng.random((prompts, each))
    return top_wrong(0.25)(gold), gold


def _map_truth(kl: float) -> tuple[float, float]:
    win = theorem.win_rate(top_wrong(0.25), theorem.beta_at(kl))
    return win, win


def _normal_draw(rng: np.random.Generator, prompts: int, each: int) -> tuple[Floats, Floats]:
    rho = rng.choice([0.3, 0.8], size=(prompts, 1))
    z, e = rng.normal(size=(2, prompts, each))
    return rho * z + np.sqrt(1 - rho**2) * e, rng.normal(size=(prompts, 1)) + z


def _normal_truth(kl: float) -> tuple[float, float]:
    """A standard normal proxy tilted by a has mean a and KL a²/2; gold moves by ρa.

    Its win rate is P(z' < z + ρa) = Φ(ρa/√2), z' and z independent.
    """
    a = np.sqrt(2 * kl)
    rho = np.array([0.3, 0.8])
    return float((rho * a).mean()), float(special.ndtr(rho * a / np.sqrt(2)).mean())


LEVELS = np.arange(11) / 10
GOLD_OF = np.where(LEVELS <= 0.7, LEVELS, 1.4 - LEVELS)  # gold turns down above 70% met
NOISE = 0.2
CHANCES = (0.4, 0.6)


def _rubric_draw(rng: np.random.Generator, prompts: int, each: int) -> tuple[Floats, Floats]:
    chance = rng.choice(CHANCES, size=(prompts, 1))
    met = rng.binomial(10, np.broadcast_to(chance, (prompts, each)))
    return LEVELS[met], GOLD_OF[met] + NOISE * rng.normal(size=met.shape)


def _rubric_moments(strength: float) -> Floats:
    """Return KL, gold and win rate, the mean over both kinds of prompts, summed over levels."""
    beats = special.ndtr((GOLD_OF[:, None] - GOLD_OF[None, :]) / (NOISE * np.sqrt(2)))
    found = []
    for chance in CHANCES:
        base = special.binom(10, np.arange(11)) * chance ** np.arange(11)
        base = base * (1 - chance) ** (10 - np.arange(11))
        tilted = base * np.exp(strength * (LEVELS - 1))
        tilted /= tilted.sum()
        kl = float(special.rel_entr(tilted, base).sum())
        found.append([kl, float(tilted @ GOLD_OF), float(tilted @ beats @ base)])
    return np.mean(found, axis=0)


def _rubric_truth(kl: float) -> tuple[float, float]:
    strength = optimize.brentq(lambda a: _rubric_moments(a)[0] - kl, 0, 1000)
    _, gold, win = _rubric_moments(strength)
    return float(gold), float(win)


MAP = World("top 25% wrong", _map_draw, _map_truth)
NORMAL = World("noisy proxy, prompts differ", _normal_draw, _normal_truth)
RUBRIC = World("rubric of 10 criteria, ties", _rubric_draw, _rubric_truth)
WORLDS = (MAP, NORMAL, RUBRIC)
