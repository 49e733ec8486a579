"""Confidence sequences: intervals for a bounded mean that hold at every moment at once.

An ordinary 95% interval holds at one number of observations fixed beforehand. Who looks after every
batch and stops when the interval pleases is wrong far more often. A confidence sequence may be
looked at as often as one likes and stopped at any time: with a probability of at least its level it
holds the truth at *all* times (Waudby-Smith and Ramdas 2024, Journal of the Royal Statistical
Society B 86, arXiv 2010.09686). The price is width: see docs/metrics.md.

Observations are independent (or their conditional mean is constant) and bounded: rewards in [0, 1],
paired declines in [-1, 1]. They come prompt by prompt, each prompt once, in random order::

    guard = EmpiricalBernstein(bounds=(-1, 1), side=Side.LOWER)
    for batch in batches:                       # of gold(best checkpoint) - gold(now)
        guard.update(batch)
        if guard.low > 0:                       # the decline is real, whenever this is asked
            break
    guard.result("decline", unit="prompts")

`EmpiricalBernstein` has a closed form and costs nothing; `HedgedBetting` costs a grid of candidate
means and is narrower with few observations or a mean near a bound (with many it may be no better).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.result import LEVEL, Caution, Method, Result, not_computable

Floats = NDArray[np.float64]
_CROSSED = "the ends have crossed: the observations do not come from one mean (has it drifted?)"
_LARGEST_BET = 0.5  # the paper's c: a bet stays away from ruin (1) by half


class Side(StrEnum):
    """Which ends a confidence sequence has. One end alone is nearer."""

    BOTH = "both"
    LOWER = "lower"
    UPPER = "upper"


class ConfidenceSequence:
    """What both kinds share: scaling, the predictable variance and bets, the ends so far.

    Args:
        bounds: the least and the greatest value that an observation can have.
        level: probability with which the truth lies within at all times.
        side: which ends there are.

    Raises:
        ValueError: bounds that are not in order, a level outside (0, 1).
    """

    def __init__(
        self,
        bounds: tuple[float, float] = (0.0, 1.0),
        *,
        level: float = LEVEL,
        side: Side = Side.BOTH,
    ) -> None:
        if not (math.isfinite(bounds[0]) and bounds[0] < bounds[1] < math.inf):
            raise ValueError(f"bounds {bounds} are not in order")
        if not 0 < level < 1:
            raise ValueError(f"level {level} is not between 0 and 1")
        self.bounds = bounds
        self.level = level
        self.side = side
        self.n = 0
        # Each end of a two-sided sequence errs with half the probability.
        self._cost = math.log((2 if side is Side.BOTH else 1) / (1 - level))
        self._total = 0.0  # of the scaled observations
        self._squares = 0.25  # of their distances to the running mean, and 1/4 to begin with
        self._low, self._high = 0.0, 1.0

    @property
    def low(self) -> float:
        """The greatest lower end so far; the least possible value where there is none."""
        return self._unscaled(self._low)

    @property
    def high(self) -> float:
        """The smallest upper end so far; the greatest possible value where there is none."""
        return self._unscaled(self._high)

    def update(self, values: Iterable[float]) -> None:
        """Take further observations, in their order.

        Raises:
            InputError: a value that is not a number or lies outside the bounds; none of these
                values is taken then.
        """
        given = np.asarray(list(values), dtype=np.float64)
        low, high = self.bounds
        outside = ~((given >= low) & (given <= high))
        if outside.any():
            raise InputError(
                f"observation {self.n + int(np.flatnonzero(outside)[0]) + 1:,} is "
                f"{given[outside][0]:g}, outside [{low:g}, {high:g}]",
                hint="give the bounds that the values really have",
            )
        for x in (given - low) / (high - low):
            self._observe(float(x))

    def result(self, name: str, *, unit: str = "prompts") -> Result:
        """Return the mean so far, with the ends that hold whenever this is asked.

        The ends only ever come nearer. Where they have crossed, no mean agrees with all that was
        seen: there is no interval then, and a caution says so.
        """
        if not self.n:
            return not_computable(name, "no observation yet", unit=unit)
        ends, crossed = self.side, self.low > self.high
        return Result(
            name=name,
            estimate=self._unscaled(self._total / self.n),
            low=None if crossed or ends is Side.UPPER else self.low,
            high=None if crossed or ends is Side.LOWER else self.high,
            warnings=(Caution("unstable", _CROSSED),) if crossed else (),
            level=self.level,
            method=Method.SEQUENCE,
            n=self.n,
            unit=unit,
            items=self.n,
        )

    def _observe(self, x: float) -> None:
        """Take one scaled observation. The bet on it knows the earlier ones only."""
        t = self.n + 1
        mean = (0.5 + self._total) / t
        variance = self._squares / t
        bet = math.sqrt(2 * self._cost / (variance * t * math.log1p(t)))
        self._wager(x, bet, mean)
        self.n = t
        self._total += x
        self._squares += (x - (0.5 + self._total) / (t + 1)) ** 2
        if self.side is not Side.UPPER:
            self._low = max(self._low, self._lower())
        if self.side is not Side.LOWER:
            self._high = min(self._high, self._upper())

    def _unscaled(self, x: float) -> float:
        return self.bounds[0] + x * (self.bounds[1] - self.bounds[0])

    def _wager(self, x: float, bet: float, mean: float) -> None:
        raise NotImplementedError

    def _lower(self) -> float:
        raise NotImplementedError

    def _upper(self) -> float:
        raise NotImplementedError


class EmpiricalBernstein(ConfidenceSequence):
    """The predictable plug-in empirical-Bernstein sequence (Theorem 2 of the paper).

    With bets ``l_i = min(sqrt(2 log(2/a) / (s²_{i-1} i log(1+i))), 1/2)`` the ends are
    ``(sum l_i X_i ± (log(2/a) + sum v_i psi(l_i))) / sum l_i``, where ``v_i = 4 (X_i - m_{i-1})²``
    and ``psi(l) = (-log(1-l) - l) / 4``; ``log(1/a)`` for one end alone.
    """

    def __init__(
        self,
        bounds: tuple[float, float] = (0.0, 1.0),
        *,
        level: float = LEVEL,
        side: Side = Side.BOTH,
    ) -> None:
        super().__init__(bounds, level=level, side=side)
        self._bets = 0.0
        self._weighted = 0.0
        self._margin = self._cost

    def _wager(self, x: float, bet: float, mean: float) -> None:
        bet = min(bet, _LARGEST_BET)
        self._bets += bet
        self._weighted += bet * x
        self._margin += (x - mean) ** 2 * (-math.log1p(-bet) - bet)

    def _lower(self) -> float:
        return (self._weighted - self._margin) / self._bets

    def _upper(self) -> float:
        return (self._weighted + self._margin) / self._bets


class HedgedBetting(ConfidenceSequence):
    """The hedged capital sequence (Theorem 3 of the paper): bets against every candidate mean.

    A gambler who bets that the mean is above ``m`` has the capital ``K+(m) = prod(1 + l_i(m)(X_i -
    m))``, with the bets of `EmpiricalBernstein` cut at ``1/(2m)``; one who bets that it is below,
    ``K-(m)``. Each falls or rises with ``m`` throughout, so what is rejected is a range at either
    end; where it ends is known to one step of the grid, and that step is given to the interval.

    Args:
        bounds: see `ConfidenceSequence`.
        level: see there.
        side: see there.
        grid: how many candidate means.
    """

    def __init__(
        self,
        bounds: tuple[float, float] = (0.0, 1.0),
        *,
        level: float = LEVEL,
        side: Side = Side.BOTH,
        grid: int = 1000,
    ) -> None:
        super().__init__(bounds, level=level, side=side)
        self._means = np.linspace(0, 1, grid + 1)
        with np.errstate(divide="ignore"):
            self._most_up = _LARGEST_BET / self._means
            self._most_down = _LARGEST_BET / (1 - self._means)
        self._up, self._down = np.zeros(grid + 1), np.zeros(grid + 1)  # logarithms of capital

    def _wager(self, x: float, bet: float, mean: float) -> None:
        gain = x - self._means
        self._up += np.log1p(np.minimum(bet, self._most_up) * gain)
        self._down += np.log1p(-np.minimum(bet, self._most_down) * gain)

    def _lower(self) -> float:
        rejected = int((self._up >= self._cost).sum())
        return float(self._means[rejected - 1]) if rejected else 0.0

    def _upper(self) -> float:
        rejected = int((self._down >= self._cost).sum())
        return float(self._means[-rejected]) if rejected else 1.0
