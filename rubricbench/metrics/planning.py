"""How many prompts, and samples a prompt, a comparison needs before it is run.

A mean over ``P`` prompts with ``m`` samples each has the variance ``(b² + w²/m) / P``: more samples
a prompt lessen the noise within prompts, ``w``, only more prompts the spread between them, ``b``.
Both come from a pilot, or are given::

    pilot = Spread.of_difference(arm_a, arm_b)        # or Spread.of(samples), Spread.given(.2, .4)
    minimal_detectable_effect(pilot, prompts=200, samples=4)
    prompts_needed(pilot, effect=0.03, samples=4)

The test is the t test over prompts that the intervals of this package amount to; its power is the
noncentral t distribution's (Cohen 1988, chapter 2). The interval of an answer is the pilot's: how
far it can be wrong because the pilot was small.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import LEVEL, Method, Result, not_computable
from rubricbench.metrics.samples import Samples

POWER = 0.8
MOST_PROMPTS = 10_000_000  # beyond this nobody is planning any more

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Standard deviations of a metric, between and within prompts.

    Args:
        between: of the prompts' own values (their means over endless samples).
        within: of one sample about its prompt's value; of a difference of arms, that of one sample
            of each.
    """

    between: Result
    within: Result
    _parts: Replicates | None = None  # of the squares of both

    @classmethod
    def given(cls, between: float, within: float = 0.0) -> Spread:
        """Return a spread from numbers; all in ``between`` where the two are not known apart.

        Raises:
            InputError: a negative or infinite number, or both zero.
        """
        for name, sd in (("between", between), ("within", within)):
            if not (math.isfinite(sd) and sd >= 0):
                raise InputError(f"a standard deviation {name} prompts of {sd:g}")
        if between == within == 0:
            raise InputError("without any spread one prompt is enough", hint="give a deviation")
        return cls(_exact(_NAMES[0], between), _exact(_NAMES[1], within))

    @classmethod
    def of_rate(cls, rate: float, between: float = 0.0) -> Spread:
        """Return the spread of a win rate (or another share) of which only a guess is known.

        A comparison that is won or lost has the variance ``r (1 - r)``; ties lessen it.

        Args:
            rate: the win rate that is expected.
            between: standard deviation of the prompts' own win rates.

        Raises:
            InputError: a rate outside (0, 1), or more spread than a rate can have.
        """
        if not 0 < rate < 1:
            raise InputError(f"a rate of {rate:g}", hint="it lies between 0 and 1")
        left = rate * (1 - rate) - between**2
        if left < 0:
            raise InputError(
                f"prompts' rates with a mean of {rate:g} cannot have a deviation of {between:g}",
                hint=f"the most is {math.sqrt(rate * (1 - rate)):.3g}",
            )
        return cls.given(between, math.sqrt(left))

    @classmethod
    def of(cls, samples: Samples, values: Floats | None = None, *, seed: int = 0) -> Spread:
        """Return the spread of a sample variable, by analysis of variance of a pilot.

        Args:
            samples: of the pilot; two or more a prompt in at least two prompts.
            values: shape ``(N,)``, the gold reward if not given.
            seed: of the bootstrap over the pilot's prompts.

        Raises:
            InputError: too few prompts or samples to tell the two apart.
        """
        moments = _moments(samples, samples.gold if values is None else values)
        return _split(moments, samples.prompts, samples.size, seed)

    @classmethod
    def of_difference(cls, first: Samples, second: Samples, *, seed: int = 0) -> Spread:
        """Return the spread of ``second - first`` in gold reward, over the prompts of both.

        Raises:
            InputError: too few shared prompts, or samples, to tell between and within apart.
        """
        shared, a, b = np.intersect1d(first.prompts, second.prompts, return_indices=True)
        one, other = _moments(first, first.gold)[a], _moments(second, second.gold)[b]
        moments = one + other
        moments[:, 0] = other[:, 0] - one[:, 0]
        return _split(moments, shared, first.size + second.size, seed)

    def deviation(self, samples: int) -> Result:
        """Return the standard deviation of a prompt's mean over so many samples."""
        name = f"sd of a prompt's mean of {samples}"
        if self._parts is None:
            between, within = (r.estimate or 0.0 for r in (self.between, self.within))
            return _exact(name, math.sqrt(between**2 + within**2 / samples))
        root = self._parts.map(lambda v: np.sqrt(np.maximum(v[:, 0], 0) + v[:, 1] / samples))
        return root.results([name], items=self.between.items, method=Method.BCA)[0]


class Detectable(msgspec.Struct, frozen=True):
    """What so many samples a prompt can show.

    Args:
        samples: a prompt and arm.
        effect: the smallest that is found.
    """

    samples: int
    effect: Result


class Design(msgspec.Struct, frozen=True):
    """One way to reach a power.

    Args:
        samples: a prompt and arm.
        prompts: needed with so many.
        total: samples in all, of each arm.
    """

    samples: int
    prompts: Result
    total: Result


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to both questions of planning, at the power and level of the test.

    Args:
        between: standard deviation between prompts.
        within: standard deviation of one sample within its prompt.
        power: of the test.
        level: of the test.
        target: the effect that is to be found; None where none was given.
        designs: prompts needed for it, at each number of samples a prompt.
        prompts: how many there are; None where that was not given.
        detectable: the smallest effects that so many can show.
    """

    between: Result
    within: Result
    power: float
    level: float
    target: float | None
    designs: tuple[Design, ...]
    prompts: int | None
    detectable: tuple[Detectable, ...]


def plan(
    spread: Spread,
    *,
    effect: float | None = None,
    prompts: int | None = None,
    samples: Sequence[int] = (1, 2, 4, 8, 16),
    power: float = POWER,
    level: float = LEVEL,
) -> Plan:
    """Return what an effect needs, what a number of prompts can show, or both.

    Raises:
        InputError: neither of the two is given, or a number cannot be.
    """
    if effect is None and prompts is None:
        raise InputError("nothing to plan for", hint="give an effect, or a number of prompts")
    sought = () if effect is None else designs(spread, effect, samples, power=power, level=level)
    shown = () if prompts is None else samples
    return Plan(
        between=spread.between,
        within=spread.within,
        power=power,
        level=level,
        target=effect,
        designs=tuple(sought),
        prompts=prompts,
        detectable=tuple(
            Detectable(
                m,
                minimal_detectable_effect(spread, prompts or 0, m, power=power, level=level),
            )
            for m in shown
        ),
    )


def power_of(effect: float, deviation: float, prompts: int, level: float = LEVEL) -> Result:
    """Return the probability that the two-sided t test over prompts finds an effect.

    Args:
        effect: true difference from what is tested against.
        deviation: standard deviation of the prompts' values, above 0.
        prompts: how many, at least two.
        level: one minus the probability of a false claim.

    Raises:
        InputError: an effect that is not finite, a deviation not above 0, fewer than two prompts,
            or a level not between 0 and 1.
    """
    if not (math.isfinite(effect) and math.isfinite(deviation) and deviation > 0):
        raise InputError(f"an effect of {effect:g} with a deviation of {deviation:g}")
    if prompts < 2 or not 0 < level < 1:
        raise InputError(f"{prompts} prompts at a level of {level:g}", hint="two, between 0 and 1")
    power = _power(effect / deviation * math.sqrt(prompts), prompts - 1, level)
    return _exact("power", min(power, 1.0))


def minimal_detectable_effect(
    spread: Spread,
    prompts: int,
    samples: int = 1,
    *,
    power: float = POWER,
    level: float = LEVEL,
) -> Result:
    """Return the smallest effect that is found with the power wanted.

    Args:
        spread: of the mean or of the paired difference that is tested.
        prompts: how many there will be, at least two.
        samples: a prompt (and arm).
        power: probability of finding it.
        level: of the test.

    Raises:
        InputError: fewer than two prompts or one sample, a power not between 1 - level and 1.
    """
    _check(power, level, samples)
    if prompts < 2:
        raise InputError(f"{prompts} prompts", hint="a test over prompts needs two at least")
    distance = _distance(prompts - 1, power, level)
    return _scaled(
        spread.deviation(samples),
        "minimal detectable effect",
        lambda sd: sd * distance / math.sqrt(prompts),
    )


def prompts_needed(
    spread: Spread,
    effect: float,
    samples: int = 1,
    *,
    power: float = POWER,
    level: float = LEVEL,
) -> Result:
    """Return how many prompts find an effect with the power wanted.

    Args:
        spread: of the mean or of the paired difference that is tested.
        effect: the difference that matters, in the metric's unit; its sign does not count.
        samples: a prompt (and arm).
        power: probability of finding it.
        level: of the test.

    Raises:
        InputError: no effect, less than one sample, a power not between 1 - level and 1.
    """
    _check(power, level, samples)
    if not (math.isfinite(effect) and effect != 0):
        raise InputError(f"an effect of {effect:g}", hint="give the difference that matters")
    deviation = spread.deviation(samples)
    if (
        deviation.estimate is not None
        and _prompts(deviation.estimate, effect, power, level) is None
    ):
        return not_computable(
            "prompts needed", f"more than {MOST_PROMPTS:,} for an effect of {effect:g}"
        )
    return _scaled(
        deviation, "prompts needed", lambda sd: _prompts(sd, effect, power, level) or MOST_PROMPTS
    )


def designs(
    spread: Spread,
    effect: float,
    samples: Iterable[int] = (1, 2, 4, 8, 16),
    *,
    power: float = POWER,
    level: float = LEVEL,
) -> list[Design]:
    """Return the prompts needed, and the samples in all, for each number of samples a prompt."""
    found = []
    for m in samples:
        prompts = prompts_needed(spread, effect, m, power=power, level=level)
        total = _scaled(prompts, "samples needed", functools.partial(operator.mul, m))
        found.append(Design(m, prompts, total))
    return found


_NAMES = ("sd between prompts", "sd within prompts")


def _exact(name: str, value: float) -> Result:
    return Result(name=name, estimate=value, method=Method.EXACT)


def _moments(samples: Samples, values: Floats) -> Floats:
    """Return of every prompt the mean, the variance of a sample and that of the mean, ``(P, 3)``.

    The last two are NaN where a prompt has one sample.
    """
    mean = samples.means(values)
    squares = samples.means((values - mean[samples.of_prompt]) ** 2)
    counts = samples.counts
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(counts > 1, squares * counts / (counts - 1), np.nan)
    return np.column_stack([mean, variance, variance / counts])


def _split(moments: Floats, prompts: NDArray[np.str_], size: int, seed: int) -> Spread:
    kept = ~np.isnan(moments).any(axis=1)
    n = int(kept.sum())
    if n < 2:
        raise InputError(
            f"{n} prompts with two samples or more: between and within cannot be told apart",
            hint="sample the pilot's prompts twice or more, or give the deviations",
        )
    moments = moments[kept]
    centred = moments[:, 0] - moments[:, 0].mean()
    columns = np.column_stack([centred, centred**2, moments[:, 1:]])
    boot = Bootstrap(prompts[kept], seed=seed)
    parts = boot.means(columns).map(
        lambda m: np.column_stack([(m[:, 1] - m[:, 0] ** 2) * n / (n - 1) - m[:, 3], m[:, 2]])
    )
    roots = parts.map(lambda v: np.sqrt(np.maximum(v, 0)))
    between, within = roots.results(_NAMES, items=size, method=Method.BCA)
    if within.estimate and not between.estimate:
        between = _none_seen(between)
    return Spread(between, within, parts)


def _none_seen(between: Result) -> Result:
    """Return a spread of 0, estimated as less than that: it is no constant variable."""
    kept = tuple(c for c in between.warnings if c.code != "constant")
    return msgspec.structs.replace(between, warnings=kept)


def _check(power: float, level: float, samples: int) -> None:
    if not 0 < level < 1 or not 1 - level < power < 1:
        raise InputError(
            f"a power of {power:g} at a level of {level:g}",
            hint="the power lies between 1 - level and 1",
        )
    if samples < 1:
        raise InputError(f"{samples} samples a prompt", hint="one at least")


def _power(distance: float, df: int, level: float) -> float:
    """Return the power at so many standard errors from the null."""
    edge = special.stdtrit(df, (1 + level) / 2)
    distance = abs(distance)
    found = 1 - special.nctdtr(df, distance, edge)
    # The other tail, of effects found with the wrong sign; scipy gives NaN for some below 1e-20.
    wrong = special.nctdtr(df, distance, -edge)
    return float(found + (wrong if np.isfinite(wrong) else 0.0))


def _distance(df: int, power: float, level: float) -> float:
    """Return how many standard errors an effect must be away to be found with a power."""
    high = 1.0
    while _power(high, df, level) < power:
        high *= 2
    return float(optimize.brentq(lambda d: _power(d, df, level) - power, 0, high, xtol=1e-10))


def _prompts(deviation: float, effect: float, power: float, level: float) -> int | None:
    """Return the smallest number of prompts with the power; None beyond `MOST_PROMPTS`."""
    if deviation == 0:
        return 2

    def enough(prompts: int) -> bool:
        distance = effect / deviation * math.sqrt(prompts)
        return _power(distance, prompts - 1, level) >= power

    low, high = 1, 2
    while not enough(high):
        if high >= MOST_PROMPTS:
            return None
        low, high = high, min(2 * high, MOST_PROMPTS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _scaled(result: Result, name: str, function: Callable[[float], float]) -> Result:
    """Pass a result and its ends through a rising function."""
    ends = {
        end: None if (value := getattr(result, end)) is None else float(function(value))
        for end in ("estimate", "low", "high")
    }
    return msgspec.structs.replace(result, name=name, **ends)
