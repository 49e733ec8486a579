"""Means under an exponential tilt by adaptive quadrature, whatever the scale of the exponent.

Gauss-Kronrod rules on a line that reaches every part of the support, cells halved wherever the two
rules differ; weights are kept as logarithms, so that a tilt by e^{10,000} is as good as any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Integrand = Callable[[Floats], tuple[Floats, Floats]]

CELLS = 400  # at the start; features narrower than this are found by halving, or from `breaks`
_ROUNDS = 90
_TOLERANCE = 1e-14  # of the whole, in one cell
_FAR = 40.0  # sinh(40) is 10^17 quartile ranges
_CLOSE = 36.0  # 1/(1+e^-36) is the last number below 1

# QUADPACK's qk15: nodes on [0, 1), weights of the 15- and of the embedded 7-point rule.
_X = [0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
      0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
      0.586087235467691130294144858693600, 0.405845151377397166906606412076961,
      0.207784955007898467600689403773245, 0.0]  # fmt: skip
_K = [0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
      0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
      0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
      0.204432940075298892414161999234649, 0.209482141084727828012999174891714]  # fmt: skip
_G = [0.0, 0.129484966168869693270611432679082, 0.0, 0.279705391489276667901467771423780,
      0.0, 0.381830050505118944950369775488975, 0.0, 0.4179591836734693877551020408163]  # fmt: skip
NODES = np.array([-x for x in _X] + _X[-2::-1])
KRONROD = np.array(_K + _K[-2::-1])
GAUSS = np.array(_G + _G[-2::-1])


@dataclass(frozen=True)
class Line:
    """A change of variable from ``t`` in [low, high] to every value of a distribution.

    Args:
        kind: of the support: ``bounded``, ``above``, ``below`` or ``whole``.
        origin: its lower end, upper end, or middle.
        scale: its width, or the distance that counts as one.
        endless: whether the values go on beyond ``low`` and ``high``.
    """

    kind: str
    origin: float
    scale: float

    @property
    def ends(self) -> tuple[float, float]:
        """The range of ``t``."""
        far = _CLOSE if self.kind == "bounded" else _FAR
        return -far, far

    def place(self, t: Floats) -> tuple[Floats, Floats]:
        """Return the value at each ``t`` and the logarithm of the stretch there."""
        log_scale = math.log(self.scale)
        if self.kind == "bounded":
            stretch = special.log_expit(t) + special.log_expit(-t)
            return self.origin + self.scale * special.expit(t), stretch + log_scale
        if self.kind == "whole":
            return self.origin + self.scale * np.sinh(t), np.log(np.cosh(t)) + log_scale
        sign = 1 if self.kind == "above" else -1
        return self.origin + sign * self.scale * np.exp(t), t + log_scale

    def back(self, value: float) -> float:
        """Return the ``t`` of a value; not finite outside the support."""
        x = (value - self.origin) / self.scale
        with np.errstate(all="ignore"):
            if self.kind == "bounded":
                return float(special.logit(x))
            if self.kind == "whole":
                return float(np.arcsinh(x))
            return float(np.log(x if self.kind == "above" else -x))

    def edges(self, breaks: Sequence[float]) -> Floats:
        """Return the edges of the first cells, with places where the integrand may jump."""
        low, high = self.ends
        extra = [t for t in map(self.back, breaks) if low < t < high]
        return np.unique(np.concatenate([np.linspace(low, high, CELLS + 1), extra]))

    def unbounded(self) -> tuple[bool, bool]:
        """Return whether the support has no end at ``low`` and at ``high`` of ``t``."""
        return self.kind == "whole", self.kind != "bounded"


def line_of(density: Any) -> Line:
    """Return the line that covers the support of a distribution."""
    low, high = (float(x) for x in density.support())
    q25, q50, q75 = (float(x) for x in density.ppf(np.array([0.25, 0.5, 0.75])))
    if math.isfinite(low) and math.isfinite(high):
        return Line("bounded", low, high - low)
    if math.isfinite(low):
        return Line("above", low, max(q50 - low, np.finfo(float).tiny))
    if math.isfinite(high):
        return Line("below", high, max(high - q50, np.finfo(float).tiny))
    return Line("whole", q50, max(q75 - q25, np.finfo(float).tiny))


@dataclass(frozen=True)
class Sums:
    """Means under the tilt.

    Args:
        log_total: logarithm of the sum of the weights; where a value is centred, on its centre.
        means: of the values, in their order; a centred one about its centre.
        endless: whether the weights themselves do not sum.
        open: for each value, whether its mean does not exist.
    """

    log_total: float
    means: list[float]
    endless: bool = False
    open: list[bool] = field(default_factory=lambda: [False, False, False])


def weighted_means(at: Integrand, line: Line, edges: Floats, centred: Sequence[int] = ()) -> Sums:
    """Return the means of values under weights given by their logarithms.

    Args:
        at: gives at ``t`` of shape ``(n, 15)`` the log weights, same shape, and the values, shape
            ``(k, n, 15)``.
        line: the line integrated over.
        edges: of the first cells, increasing.
        centred: values to be measured from where the weight is greatest (the log weights' own
            exponent, whose centre is taken from ``log_total`` as well).
    """
    cells = _Cells(at, edges[:-1], edges[1:])
    for _ in range(_ROUNDS):
        if np.isposinf(cells.logs).any():
            return Sums(math.inf, [math.nan] * len(cells.values), endless=True)
        wrong = cells.wrong(centred)
        if not wrong.any():
            break
        cells = cells.halved(wrong)
    return cells.sums(line, centred)


class _Cells:
    """Cells with what the integrand is at their nodes."""

    def __init__(self, at: Integrand, low: Floats, high: Floats) -> None:
        self.at, self.low, self.high = at, low, high
        half = (high - low) / 2
        self.logs, self.values = at(((high + low) / 2)[:, None] + half[:, None] * NODES)
        self.logs = self.logs + np.log(half)[:, None]

    def weights(self) -> Floats:
        """Return weights relative to the greatest, of shape ``(cells, 15)``."""
        return np.asarray(np.exp(self.logs - self.logs.max()))

    def centres(self, centred: Sequence[int]) -> Floats:
        """Return what each value is measured from."""
        place = np.unravel_index(np.argmax(self.logs), self.logs.shape)
        found = np.zeros(len(self.values))
        for i in centred:
            found[i] = self.values[i][place]
        return found

    def products(self, centred: Sequence[int]) -> Floats:
        """Return weight times one and times each value, of shape ``(1 + k, cells, 15)``."""
        weights = self.weights()
        values = self.values - self.centres(centred)[:, None, None]
        with np.errstate(invalid="ignore", over="ignore"):
            products = np.where(weights > 0, weights * values, 0.0)
        return np.concatenate([weights[None], products])

    def wrong(self, centred: Sequence[int]) -> NDArray[np.bool_]:
        """Return which cells need halving."""
        products = self.products(centred)
        scale = (np.abs(products) @ KRONROD).sum(axis=1)
        error = np.abs(products @ KRONROD - products @ GAUSS)
        # No closer than the rounding of the exponents, or noise would be halved for ever.
        exponent = np.abs(self.centres(centred)[list(centred)]).sum()
        close = max(_TOLERANCE, 8 * np.finfo(float).eps * float(exponent))
        bad = (error > close * np.maximum(scale, np.finfo(float).tiny)[:, None]).any(axis=0)
        width = np.finfo(float).eps * 4 * np.maximum(np.abs(self.low), np.abs(self.high))
        return np.asarray(bad & (self.high - self.low > width))

    def halved(self, which: NDArray[np.bool_]) -> _Cells:
        """Return all cells, some of them halved."""
        low, high = self.low[which], self.high[which]
        middle = (low + high) / 2
        new = _Cells(self.at, np.concatenate([low, middle]), np.concatenate([middle, high]))
        for name, axis in (("low", 0), ("high", 0), ("logs", 0), ("values", 1)):
            kept = np.compress(~which, getattr(self, name), axis=axis)
            setattr(new, name, np.concatenate([kept, getattr(new, name)], axis=axis))
        return new

    def sums(self, line: Line, centred: Sequence[int]) -> Sums:
        """Return the means."""
        cells = self.products(centred) @ KRONROD
        total = cells.sum(axis=1)
        shift = float(self.logs.max()) - float(self.centres(centred)[list(centred)].sum())
        first, last = line.unbounded()
        low, high = line.ends
        outer = (first & (self.high < low + 2)) | (last & (self.low > high - 2))
        magnitude = np.abs(cells)
        share = magnitude[:, outer].sum(axis=1) / np.maximum(magnitude.sum(axis=1), 1e-300)
        return Sums(
            log_total=math.log(total[0]) + shift,
            means=(total[1:] / total[0]).tolist(),
            endless=bool(share[0] > 1e-9),
            open=(share[1:] > 1e-9).tolist(),
        )
