"""Proposition 1 on samples: the optimal policy for your reward at a given KL, with its interval.

`ExactTilt` weighs each prompt's samples by ``e^{proxy/β}``, one β for all prompts, as training
with a KL penalty would; the KL is the mean over prompts. `RankTilt` first turns the proxy into
uniform ranks, ties broken at random, so that Theorem 1 gives its KL in every prompt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from rubricbench.metrics.blocks import Blocks
from rubricbench.metrics.curves import SUPPORT
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tilt import MIN_ESS
from rubricbench.theory import theorem
from rubricbench.theory.ranks import below_within, wins

Floats = NDArray[np.float64]

_FIGURES = ("gold", "win", "beta")

_FIRST, _STEP, _MOST = 0.05, 2 ** (1 / 6), 160  # inverse β times the proxy's spread


@dataclass(frozen=True)
class Reached:
    """What holds at one KL.

    Args:
        beta: temperature in units of the proxy; None where no temperature reaches that KL.
        ess: effective samples ``1/Σw̄²``, mean over prompts.
        supported: share of the prompts with at least 20 of them.
    """

    beta: float | None
    ess: float
    supported: float

    @property
    def shown(self) -> bool:
        """Whether the samples can support an estimate."""
        return self.beta is not None and (math.isinf(self.beta) or self.supported >= SUPPORT)


class Moments:
    """Each prompt's KL, gold and win rate under a tilt, with their bias of order 1/N removed.

    A weighted mean ``Σw̄g`` of N samples errs by ``−Σw̄²(g−ḡ)`` on average, its KL by
    ``½(Σw̄²−1/N) − Σw̄²(p−p̄)/β`` (delta method; Owen 2013, chapter 9), and a win rate counted among
    the same samples by a further ``(win−½)/N``, as two draws of one policy win half their games.

    Args:
        samples: two or more a prompt.
        corrected: whether to remove the bias; otherwise it is Proposition 1 on the samples as if
            they were the whole distribution (the win rate counted among the other samples).
    """

    def __init__(self, samples: Samples, corrected: bool = True) -> None:
        # Ordered, so that the order of rows leaves no trace in the sums.
        order = np.lexsort((samples.gold, samples.proxy, samples.of_prompt))
        top = np.maximum.reduceat(samples.proxy, samples.starts[:-1])
        self._below = samples.proxy[order] - top[samples.of_prompt]
        self._values = {"gold": samples.gold[order], "win": wins(samples)[order]}
        self._starts, self.counts = samples.starts, samples.counts
        self._corrected = corrected

    def at(self, strength: float) -> dict[str, Floats]:
        """Return ``kl``, ``gold``, ``win`` and ``ess`` at an inverse β, each of shape ``(P,)``."""
        weight = np.exp(self._below * strength)
        total = self._sums(weight)
        weight /= np.repeat(total, self.counts)
        square = weight * weight
        concentration = self._sums(square)
        lower, bias = self._mean(weight, square, self._below)
        kl = strength * lower - np.log(total / self.counts)
        kl -= strength * bias + (concentration - 1 / self.counts) / 2 * self._corrected
        found = {"kl": kl, "ess": 1 / concentration}
        for name, values in self._values.items():
            mean, bias = self._mean(weight, square, values)
            if name == "win":
                bias = bias + (mean - 0.5) / self.counts * self._corrected
            found[name] = mean - bias
        return found

    def spread(self) -> Floats:
        """Return the proxy's standard deviation in each prompt, shape ``(P,)``."""
        mean = self._sums(self._below) / self.counts
        apart = (self._below - np.repeat(mean, self.counts)) ** 2
        return np.asarray(np.sqrt(self._sums(apart) / self.counts))

    def _mean(self, weight: Floats, square: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Return the weighted mean and its bias."""
        mean = self._sums(weight * values)
        if not self._corrected:
            return mean, np.zeros(len(mean))
        return mean, -self._sums(square * (values - np.repeat(mean, self.counts)))

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, self._starts[:-1]))


class ExactTilt:
    """Optimal policies of samples, over a grid of temperatures.

    Args:
        samples: two or more a prompt.
        kls: at which figures are wanted.
        corrected: as of `Moments`.
    """

    def __init__(self, samples: Samples, kls: Sequence[float], corrected: bool = True) -> None:
        self.kls = list(kls)
        self._moments = Moments(samples, corrected)
        spread = self._moments.spread()
        self._spread = float(np.median(spread[spread > 0])) if (spread > 0).any() else 0.0
        rough = self._grid()
        strengths = [self._strength(kl, rough) for kl in self.kls]
        self._strengths = strengths
        grid = np.unique(np.concatenate([list(rough), [s for s in strengths if s is not None]]))
        self._found = {float(a): rough.get(float(a)) or self._moments.at(float(a)) for a in grid}

    def at_each(self) -> list[Reached]:
        """Return what holds at every KL."""
        return [self._reached(s) for s in self._strengths]

    def replicates(self, boot: Bootstrap) -> dict[str, Replicates]:
        """Return draws of gold, win rate and β at every KL, each of ``len(kls)`` columns.

        Each draw finds its own β for the KL: what is uncertain about the KL is in the interval.
        """
        grid, found = np.array(list(self._found)), list(self._found.values())
        names = ("kl", "gold", "win")
        table = np.column_stack([m[name] for name in names for m in found])
        size = len(grid)

        def at(rows: Floats) -> Floats:
            kl, gold, win = (rows[:, i * size : (i + 1) * size] for i in range(3))
            strength = _at(self.kls, kl, np.tile(grid, (len(rows), 1)))
            return np.hstack([_at(self.kls, kl, gold), _at(self.kls, kl, win), _inverse(strength)])

        draws = boot.means(table).map(at)
        return {name: draws.map(_part(i, len(self.kls))) for i, name in enumerate(_FIGURES)}

    def _grid(self) -> dict[float, dict[str, Floats]]:
        """Return moments over 1/β up to some way beyond the last KL, or what supports it."""
        found, beyond = {0.0: self._moments.at(0.0)}, 0
        for step in range(_MOST if self._spread else 0):
            strength = _FIRST * _STEP**step / self._spread
            found[strength] = here = self._moments.at(strength)
            past = here["kl"].mean() > max(self.kls, default=0.0)
            beyond += bool(past or (here["ess"] >= MIN_ESS).mean() < SUPPORT)
            if beyond > 6:  # an octave, so that every draw finds its KL within the grid
                break
        return found

    def _strength(self, kl: float, grid: dict[float, dict[str, Floats]]) -> float | None:
        if kl == 0:
            return 0.0

        def distance(strength: float) -> float:
            return float(self._moments.at(strength)["kl"].mean()) - kl

        strengths = list(grid)
        reached = [a for a in strengths if grid[a]["kl"].mean() >= kl]
        if not reached:
            return None
        before = strengths[strengths.index(reached[0]) - 1]
        return float(optimize.brentq(distance, before, reached[0], xtol=1e-13 * reached[0]))

    def _reached(self, strength: float | None) -> Reached:
        if strength is None:
            return Reached(None, 0.0, 0.0)
        ess = self._found[strength]["ess"]
        beta = 1 / strength if strength else math.inf
        return Reached(beta, float(ess.mean()), float((ess >= MIN_ESS).mean()))


def _part(i: int, size: int) -> Callable[[Floats], Floats]:
    """Return a function that takes the i-th block of so many columns."""
    return lambda rows: rows[:, i * size : (i + 1) * size]


def _inverse(strength: Floats) -> Floats:
    """Return β, NaN where it is infinite."""
    return np.asarray(np.where(strength > 0, 1 / np.where(strength > 0, strength, 1), np.nan))


def _at(kls: Sequence[float], kl: Floats, values: Floats) -> Floats:
    """Return values at given KLs, row by row, straight in √KL; NaN beyond the grid."""
    kl = np.maximum.accumulate(kl, axis=1)  # the correction can bend it where few samples count
    found = np.full((len(kl), len(kls)), np.nan)
    rows = np.arange(len(kl))
    for column, target in enumerate(kls):
        if target == 0:
            found[:, column] = values[:, 0]
            continue
        above = (kl < target * (1 - 1e-12)).sum(axis=1)
        inside = (above > 0) & (above < kl.shape[1])
        i = rows[inside], above[inside]
        before = rows[inside], above[inside] - 1
        low, high = np.sqrt(kl[before]), np.sqrt(kl[i])
        part = (math.sqrt(target) - low) / (high - low)
        found[inside, column] = values[before] + part * (values[i] - values[before])
    return found


class RankTilt:
    """Theorem 1 on samples: the proxy turned into uniform ranks within each prompt.

    The sample of rank i of N carries the mass W of the tilted uniform distribution from (i−1)/N to
    i/N, and where proxies tie, their gold is averaged: the tie is broken at random. Two errors of
    order 1/N are removed (a = 1/β). A sample of rank i lies at i/(N+1) with some spread, not in its
    cell: ``(a/2N)ΣW(a u(1−u) + 1 − 2u)g``. And a win rate is counted among the samples that gave
    the ranks: ``(a/N)ΣW(J − uv)``, J the share of samples below in both rewards, v that in gold.

    Args:
        samples: two or more a prompt.
    """

    def __init__(self, samples: Samples) -> None:
        blocks = Blocks.of(samples)
        self._starts, self._counts = samples.starts, samples.counts
        self._number = np.repeat(samples.counts, samples.counts)
        self._u = (np.arange(samples.size) - np.repeat(samples.starts[:-1], samples.counts)) + 0.5
        self._u /= self._number
        sorted_ = replace(samples, proxy=blocks.proxy, gold=blocks.gold)
        win = wins(sorted_)
        self._values = {"gold": blocks.averaged(blocks.gold), "win": blocks.averaged(win)}
        both = np.concatenate(samples.each(lambda rows: _below_in_both(sorted_, rows)))
        self._joint = blocks.averaged(both - self._u * win)

    def at(self, kl: float) -> tuple[dict[str, Floats], Reached]:
        """Return gold and win rate of each prompt, shapes ``(P,)``, and what holds at that KL."""
        beta = theorem.beta_at(kl)
        a, n, u = 1 / beta, self._number, self._u
        if a == 0:
            weights = 1 / n
        else:
            weights = np.exp(a * (u + 0.5 / n - 1)) * np.expm1(-a / n) / math.expm1(-a)
        moved = weights * (1 - a / (2 * n) * (a * u * (1 - u) + 1 - 2 * u))
        found = {k: self._sums(moved * v) for k, v in self._values.items()}
        found["win"] -= a * self._sums(weights * self._joint) / self._counts
        ess = 1 / self._sums(weights**2)
        return found, Reached(beta, float(ess.mean()), float((ess >= MIN_ESS).mean()))

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, self._starts[:-1]))


def _below_in_both(samples: Samples, rows: slice) -> Floats:
    """Return the share of a prompt's other samples below each in proxy and in gold, ties one half.

    Args:
        samples: ascending in proxy within each prompt.
        rows: of the prompt.
    """
    proxy, gold = samples.proxy[rows], samples.gold[rows]
    none = np.zeros(len(gold), dtype=np.int64)
    start = np.searchsorted(proxy, proxy, side="left")
    end = np.searchsorted(proxy, proxy, side="right")
    found = below_within(gold, none, start)
    if (end - start > 1).any():
        # Half of what is below in gold and level in proxy; a sample is not below itself.
        found = (found + below_within(gold, none, end) - 0.5) / 2
    return np.asarray(found / (len(gold) - 1))
