"""Theorem 1 in closed form: gold rewards uniform on [0, 1], a map that keeps them uniform.

"Chasing the Tail" (arXiv 2509.21500, Theorem 1). The KL depends on β alone, whatever the map; the
gold reward equals the win rate. Everything is written in ``a = 1/β`` and exponentials that cannot
overflow, so it holds from β = 10⁻³⁰⁰ up.

    beta = beta_at(2.0)                     # of the optimal policy at KL 2
    win_rate(top_wrong(0.25), beta)         # .7975
"""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, optimize, special

from rubricbench.errors import InputError
from rubricbench.theory.maps import Misspecification, Piece

MAX_KL = 600.0  # β is then about 10⁻²⁶¹
_SERIES = 0.03  # below this a, the closed form of the KL loses digits to cancellation


def kl(beta: float) -> float:
    """Return the KL in nats of the optimal policy at a temperature, whatever the map.

    ``a/(eᵃ−1) − 1 + ln a − ln(1−e⁻ᵃ)``: Theorem 1's expression, rearranged; near β = ∞ its series
    ``a²/24 − a⁴/960 + a⁶/36288``.

    Raises:
        InputError: a beta that is not above zero.
    """
    a = 1 / positive(beta)
    if a < _SERIES:
        return a**2 / 24 - a**4 / 960 + a**6 / 36288
    rest = -math.expm1(-a)
    return a * math.exp(-a) / rest - 1 + math.log(a) - math.log(rest)


def beta_at(divergence: float) -> float:
    """Return the β at which the optimal policy has a given KL; infinite at KL 0.

    Raises:
        InputError: a KL that is negative, not a number, or above 600 nats.
    """
    target = allowed(divergence)
    if target == 0:
        return math.inf
    if target > MAX_KL:
        raise InputError(f"a KL of {target:g} nats", hint=f"give one up to {MAX_KL:g}")
    low, high = math.log(math.sqrt(24 * target)) - 1, target + 2
    root = optimize.brentq(lambda x: kl(math.exp(-x)) - target, low, high, xtol=1e-14, rtol=1e-15)
    return math.exp(-root)


def win_rate(map_: Misspecification, beta: float) -> float:
    """Return the win rate over the initial policy, equal to the gold reward.

    ``∫₀¹ f⁻¹(u) a e^{au} du / (eᵃ−1)``: exact where the inverse is made of straight pieces, else by
    quadrature over the tilted distribution's quantiles.

    Raises:
        InputError: a beta that is not above zero, or a map without an inverse.
    """
    a = 1 / positive(beta)
    if map_.pieces:
        return sum(_piece(p, a) for p in map_.pieces)
    inverse = map_.inverse
    if inverse is None:
        raise InputError(f"the map {map_.name} has no inverse", hint="use Proposition 1 for it")
    value, _ = integrate.quad(
        lambda q: float(inverse(np.asarray(_quantile(q, a)))), 0, 1, epsabs=1e-11, limit=500
    )
    return float(value)


def ideal_win_rate(beta: float) -> float:
    """Return the win rate of a perfect proxy, ``1/(1−e⁻ᵃ) − β``: the most any reward can have."""
    a = 1 / positive(beta)
    if a < _SERIES:
        return 0.5 + a / 12 - a**3 / 720 + a**5 / 30240
    return -1 / math.expm1(-a) - 1 / a


def _quantile(q: float, a: float) -> float:
    """Return the quantile of the density ``a e^{au}/(eᵃ−1)``."""
    return q if a == 0 else max(0.0, 1 + math.log(q + (1 - q) * math.exp(-a)) / a)


def _piece(p: Piece, a: float) -> float:
    """Return ``∫ (straight line) × (tilted density)`` over one piece.

    With ``x = a × length``, measured from the piece's right end where the weight is greatest:
    ``∫e^{-xy}dy = P(1, x)/x`` and ``∫y e^{-xy}dy = P(2, x)/x²``, P the regularised incomplete
    gamma function, which loses no digits at either end.
    """
    length = p.u1 - p.u0
    x = a * length
    flat = special.exprel(-x)
    rising = special.gammainc(2, x) / x**2 if x > 1e-6 else 0.5 - x / 3
    density = math.exp(a * (p.u1 - 1)) / special.exprel(-a)
    return float(density * length * (p.r1 * flat + (p.r0 - p.r1) * rising))


def positive(beta: float) -> float:
    """Return a beta that is above zero; infinity stands for the initial policy."""
    if not beta > 0:
        raise InputError(f"a beta of {beta}", hint="give one above 0")
    return beta


def allowed(divergence: float) -> float:
    """Return a KL that is finite and not negative."""
    if not (math.isfinite(divergence) and divergence >= 0):
        raise InputError(f"a KL of {divergence}", hint="a KL is finite and 0 or more nats")
    return divergence
