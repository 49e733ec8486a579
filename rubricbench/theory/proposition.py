"""Proposition 1, numerically: any misspecification map, any distribution of gold rewards.

"Chasing the Tail" (arXiv 2509.21500, Proposition 1), for one prompt. With ``R ~ π0`` and the
optimal policy ``π ∝ π0 exp(f(R)/β)``::

    gold reward   E[R e^{f/β}] / E[e^{f/β}]
    win rate      E[F(R) e^{f/β}] / E[e^{f/β}]       F the mid-CDF: a tie counts one half
    KL            E[(f/β) e^{f/β}] / E[e^{f/β}] − log E[e^{f/β}]

All of it runs on logarithms shifted by their maximum, so it holds to β = 10⁻⁴ and beyond:

    tilt(top_wrong(0.25), UNIFORM, beta=0.05)
    tilt(Misspecification("clipped", lambda r: np.minimum(r, 1)), scipy.stats.norm(), beta=0.5)
    tilt(IDENTITY, Discrete.of([0, 0.5, 1], [0.2, 0.5, 0.3]), beta=0.1)
    tilt(IDENTITY, Discrete.sampled(gold_rewards), beta=0.1)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from rubricbench.errors import InputError
from rubricbench.metrics.result import Method, Result, not_computable
from rubricbench.theory.maps import Misspecification
from rubricbench.theory.quadrature import Line, Sums, line_of, weighted_means
from rubricbench.theory.theorem import allowed, positive

Floats = NDArray[np.float64]

_MOST_VALUES = 1_000_000  # of a discrete distribution without end
_FLAT = 1e-9
_COLD = 1e-6  # of the proxy's spread: where the KL of a proxy that is level at its top has settled


@runtime_checkable
class Density(Protocol):
    """A continuous distribution; every frozen one of scipy.stats is one."""

    def support(self) -> tuple[float, float]:
        """Return both ends of the values it takes."""

    def logpdf(self, x: Any) -> Any:
        """Return the logarithm of the density."""

    def cdf(self, x: Any) -> Any:
        """Return the distribution function."""

    def ppf(self, q: Any) -> Any:
        """Return the quantiles."""


class _Uniform:
    """The uniform distribution on [0, 1], without loading scipy.stats."""

    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    def logpdf(self, x: Any) -> Any:
        return np.where((x >= 0) & (x <= 1), 0.0, -np.inf)

    def cdf(self, x: Any) -> Any:
        return np.clip(x, 0, 1)

    def ppf(self, q: Any) -> Any:
        return np.asarray(q, dtype=np.float64)


UNIFORM = _Uniform()


@dataclass(frozen=True)
class Discrete:
    """A distribution on finitely many values; build one with `of` or `sampled`.

    Args:
        values: increasing, all different, shape ``(k,)``.
        probabilities: above zero, with sum 1, shape ``(k,)``.
        cut: whether it goes on below and above, with probabilities too small for a number.
    """

    values: Floats
    probabilities: Floats
    cut: tuple[bool, bool] = (False, False)

    @classmethod
    def of(cls, values: Any, probabilities: Any) -> Discrete:
        """Check and sort; equal values are put together, impossible ones left out.

        Raises:
            InputError: no values, unequal lengths, a number that is not finite, a negative
                probability, or probabilities that do not sum to 1.
        """
        x, p = np.asarray(values, np.float64).ravel(), np.asarray(probabilities, np.float64).ravel()
        if not len(x) or len(x) != len(p):
            raise InputError(f"{len(x)} values with {len(p)} probabilities")
        if not (np.isfinite(x).all() and np.isfinite(p).all() and (p >= 0).all()):
            raise InputError(
                "a value or probability is not finite, or a probability negative",
                hint="leave out what is unknown",
            )
        if abs(p.sum() - 1) > 1e-6:
            raise InputError(f"the probabilities sum to {p.sum():g}", hint="they must sum to 1")
        different, group = np.unique(x[p > 0], return_inverse=True)
        return cls(different, np.bincount(group, weights=p[p > 0]) / p.sum())

    @classmethod
    def sampled(cls, values: Any) -> Discrete:
        """Return the empirical distribution of sampled gold rewards, shape ``(N,)``."""
        x = np.asarray(values, np.float64).ravel()
        return cls.of(x, np.full(len(x), 1 / max(len(x), 1)))

    def middle(self) -> Floats:
        """Return the mid-CDF ``P(R < r) + ½P(R = r)`` at each value."""
        return np.asarray(np.cumsum(self.probabilities) - self.probabilities / 2)


Distribution = Discrete | Density


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What Proposition 1 gives at one temperature.

    Args:
        map: name of the map.
        beta: temperature; None where the initial policy itself is meant (β = ∞).
        kl: nats to the initial policy.
        gold: gold reward.
        win_rate: over the initial policy, a tie counting one half.
    """

    map: str
    beta: float | None
    kl: Result
    gold: Result
    win_rate: Result


def tilt(map_: Misspecification, distribution: Any, beta: float) -> Prediction:
    """Return Proposition 1 at one temperature.

    Args:
        map_: from gold to proxy reward.
        distribution: of the gold reward under the initial policy: a frozen distribution of
            scipy.stats, continuous or discrete, `UNIFORM`, or a `Discrete`.
        beta: temperature, above 0; infinity for the initial policy.

    Raises:
        InputError: a beta that is not above zero, something that is no distribution, or a map that
            gives a number that is not finite where there is probability.
    """
    sums = _sums(map_, distribution, positive(beta))
    given = beta if math.isfinite(beta) else None
    if sums.endless:
        why = "the mean of exp(f(R)/beta) is infinite or beyond numbers: there is no optimal policy"
        return _none(map_, given, why)
    exponent, gold, win = sums.means
    why = "the mean gold reward is infinite or not defined"
    return Prediction(
        map=map_.name,
        beta=given,
        kl=exactly("kl", max(0.0, exponent - sums.log_total)),
        gold=not_computable("gold", why) if sums.open[1] else exactly("gold", gold),
        win_rate=exactly("win_rate", min(max(win, 0.0), 1.0)),
    )


def tilt_at(map_: Misspecification, distribution: Any, divergence: float) -> Prediction:
    """Return Proposition 1 at the temperature whose KL is the given one.

    Where no temperature reaches that KL, the three figures say so: with ties at the top of the
    proxy, the KL ends at −log of their probability.

    Raises:
        InputError: as `tilt`, or a KL that is negative or not finite.
    """
    target = allowed(divergence)
    if target == 0:
        return tilt(map_, distribution, math.inf)
    source = distribution if isinstance(distribution, Density) else as_discrete(distribution)

    def distance(log_beta: float) -> float:
        found = tilt(map_, source, math.exp(log_beta)).kl.estimate
        return (math.inf if found is None else found) - target

    low, high = _bracket(distance, math.log(_spread(map_, source)))
    if low is None or high is None:
        return _unreached(map_, source, target)
    root = optimize.brentq(distance, low, high, xtol=1e-12)
    return tilt(map_, source, math.exp(root))


def exactly(name: str, value: float) -> Result:
    """Return a computed figure, without sampling error."""
    return Result(name=name, estimate=float(value), method=Method.EXACT)


def _bracket(distance: Any, start: float) -> tuple[float | None, float | None]:
    """Return logarithms of β between which the KL crosses the target; None where it does not."""
    high = next((x for x in start + np.arange(0, 60, 2.0) if distance(x) < 0), None)
    if high is None:
        return None, None
    for low in high - np.arange(1.0, 31.0):
        gap = distance(low)
        if math.isinf(gap):
            return _creep(distance, low, low + 1)
        if gap >= 0:
            return low, low + 1
    return None, None


def _creep(distance: Any, beyond: float, low: float) -> tuple[float | None, float | None]:
    """Go towards the β below which there is no optimal policy, to where the KL is above target."""
    for _ in range(50):
        middle = (beyond + low) / 2
        gap = distance(middle)
        if math.isinf(gap):
            beyond = middle
        elif gap >= 0:
            return middle, low
        else:
            low = middle
    return None, None


def _spread(map_: Misspecification, source: Any) -> float:
    """Return a scale of the proxy: its range over the middle half of the gold rewards."""
    shares = np.linspace(0.1, 0.9, 81)
    middle = source.values if isinstance(source, Discrete) else source.ppf(shares)
    proxy = map_(np.asarray(middle, np.float64))
    spread = float(np.ptp(proxy))
    return spread if spread > 0 and math.isfinite(spread) else 1.0


def _unreached(map_: Misspecification, source: Any, target: float) -> Prediction:
    if isinstance(source, Discrete):
        proxy = map_(source.values)
        top = float(source.probabilities[proxy >= proxy.max() - _FLAT * np.ptp(proxy)].sum())
        end = max(0.0, -math.log(top))
        why = f"the proxy's best value has probability {top:.4g}: the KL ends at {end:.4g}"
    else:
        last = tilt(map_, source, _spread(map_, source) * _COLD).kl.estimate
        why = f"no beta was found at which the KL is {target:g}"
        if last is not None and last < target:
            why = f"the proxy is level at its best: the KL ends at {last:.4g}"
    return _none(map_, None, why)


def _none(map_: Misspecification, beta: float | None, why: str) -> Prediction:
    none = {name: not_computable(name, why) for name in ("kl", "gold", "win_rate")}
    return Prediction(map=map_.name, beta=beta, **none)


def as_discrete(distribution: Any) -> Discrete:
    """Return a discrete distribution as finitely many values.

    Raises:
        InputError: no distribution, or one that is neither of scipy.stats nor a `Discrete`.
    """
    if isinstance(distribution, Discrete):
        return distribution
    if not hasattr(distribution, "logpmf"):
        raise InputError(
            f"{type(distribution).__name__} is not a distribution",
            hint="a frozen one of scipy.stats, or Discrete.of(values, probabilities)",
        )
    if hasattr(distribution.dist, "xk"):  # scipy.stats.rv_discrete(values=…): any numbers
        return Discrete.of(distribution.dist.xk, distribution.dist.pk)
    low, high = (_reach(distribution, float(end)) for end in distribution.support())
    if high - low > _MOST_VALUES:
        raise InputError(f"a distribution on more than {_MOST_VALUES:,} values")
    values = np.arange(low, high + 1)
    found = Discrete.of(values, distribution.pmf(values))
    below, above = (not math.isfinite(end) for end in distribution.support())
    return Discrete(found.values, found.probabilities, (below, above))


def _reach(distribution: Any, end: float) -> float:
    """Return an end of the support, or of what has a probability that a number can hold."""
    if math.isfinite(end):
        return end
    middle, sign = float(distribution.ppf(0.5)), math.copysign(1.0, end)
    distances = 2.0 ** np.arange(1, 40)
    held = distribution.pmf(middle + sign * distances) > 0
    return middle + sign * float(distances[~held][0] if (~held).any() else distances[-1])


def _sums(map_: Misspecification, distribution: Any, beta: float) -> Sums:
    if isinstance(distribution, Density):
        return _continuous(map_, distribution, beta)
    found = as_discrete(distribution)
    exponent = _finite(map_, found.values, np.zeros(len(found.values))) / beta
    logs = exponent + np.log(found.probabilities)
    total = float(special.logsumexp(logs))
    weights = np.exp(logs - total)
    # Measured from the greatest, which keeps the digits of the KL where the exponents are huge.
    top = float(exponent.max())
    about_top = exponent - top
    means = [float(weights @ x) for x in (about_top, found.values, found.middle())]
    ends = zip(found.cut, (weights[0], weights[-1]), strict=True)
    endless = any(cut and weight > _FLAT for cut, weight in ends)
    return Sums(total - top, means, endless=endless)


def _continuous(map_: Misspecification, density: Density, beta: float) -> Sums:
    line: Line = line_of(density)

    def at(t: Floats) -> tuple[Floats, Floats]:
        r, log_stretch = line.place(t)
        with np.errstate(all="ignore"):
            log_density = np.asarray(density.logpdf(r)) + log_stretch
            exponent = _finite(map_, r, log_density) / beta
            logs = np.where(np.isfinite(log_density), exponent + log_density, -np.inf)
        return logs, np.stack([exponent, r, np.asarray(density.cdf(r), np.float64)])

    return weighted_means(at, line, line.edges(map_.breaks), centred=(0,))


def _finite(map_: Misspecification, gold: Floats, log_density: Floats) -> Floats:
    """Return the proxy rewards; where there is no probability to speak of, any will do."""
    proxy = map_(gold)
    certain = log_density > -700  # e^-700 is nearly the least number there is
    wrong = np.isnan(proxy) | (~np.isfinite(proxy) & certain)
    if wrong.any():
        if (wrong & certain).any():
            first = float(gold[wrong & certain][0])
            raise InputError(
                f"the map {map_.name} gives no finite proxy reward at {first:g}",
                hint="it must be finite wherever the gold reward can be",
            )
        proxy = np.where(wrong, 0.0, proxy)
    return proxy
