"""Axes: the range that data need, round ticks, and labels just long enough to tell them apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rubricbench.figures.figure import Axis
from rubricbench.report.formats import MINUS

WANTED = 6  # ticks
MOST = 8
PAD = 0.04  # of the range, on either side
HUGE = 1e300  # beyond, differences overflow
_FLAT = 1e-10  # a range this small beside its values is noise of the arithmetic
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """An axis with its range.

    Args:
        low: value at its start.
        high: value at its end.
        log: whether it is logarithmic.
        ticks: values to be labelled, inside the range.
        labels: their texts.
    """

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the start, 1 at the end, outside where it is beyond."""
        if self.log:
            if value <= 0:
                return -1.0
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def holds(self, value: float | None) -> bool:
        """Whether there is a value that lies in the range."""
        return value is not None and math.isfinite(value) and -1e-9 <= self.share(value) <= 1 + 1e-9


def fit(axis: Axis, values: Iterable[float | None], *, zero: bool = False) -> Scale:
    """Return the scale that shows these values.

    Args:
        axis: its limits, where given, are kept.
        values: data; what is None, not finite, or not positive on a logarithmic axis is left out.
        zero: whether zero must be in sight, as for bars.
    """
    log = axis.scale == "log"
    found = [
        min(max(float(v), -HUGE), HUGE)
        for v in values
        if v is not None and math.isfinite(v) and (v > 0 or not log)
    ]
    if log:
        return _logarithmic(axis, found)
    return _linear(axis, [*found, 0.0] if zero else found)


def _linear(axis: Axis, values: Sequence[float]) -> Scale:
    low, high = _padded(values, percent=axis.percent)
    low = low if axis.low is None else axis.low
    high = high if axis.high is None else axis.high
    if high - low <= _FLAT * max(abs(low), abs(high), 1e-290):
        low, high = low - (abs(low) or 1.0) * 0.1, high + (abs(high) or 1.0) * 0.1
    ticks = linear_ticks(low, high)
    return Scale(low, high, False, ticks, labels(ticks, percent=axis.percent))


def _padded(values: Sequence[float], *, percent: bool) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if high - low <= _FLAT * max(abs(low), abs(high)):
        around = abs(low) * 0.1 or (0.05 if percent else 0.5)
        wide = low - around, high + around
    else:
        pad = PAD * (high - low)
        # Zero is an edge of its own: counts, distances and shares end there.
        wide = low - pad if low else 0.0, high + pad if high else 0.0
        wide = (0.0 if low > 0 > wide[0] else wide[0]), (0.0 if high < 0 < wide[1] else wide[1])
    if percent and low >= 0 and high <= 1:
        return max(wide[0], 0.0), min(wide[1], 1.0)
    return wide


def linear_ticks(low: float, high: float, wanted: int = WANTED) -> tuple[float, ...]:
    """Return round values from ``low`` to ``high``, about ``wanted`` of them."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in _STEPS if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(i * step for i in range(first, last + 1))


def _logarithmic(axis: Axis, values: Sequence[float]) -> Scale:
    low, high = (min(values), max(values)) if values else (1.0, 10.0)
    span = math.log(high / low)
    pad = math.exp(PAD / 2 * span) if span > _FLAT else 2.0
    low = axis.low if axis.low is not None and axis.low > 0 else max(low / pad, 1e-300)
    high = axis.high if axis.high is not None and axis.high > low else max(high * pad, low * 1.01)
    ticks = log_ticks(low, high, values)
    return Scale(low, high, True, ticks, labels(ticks, percent=axis.percent))


def log_ticks(low: float, high: float, values: Sequence[float] = ()) -> tuple[float, ...]:
    """Return values to label on a logarithmic axis: powers of 2 where all data are, else of 10."""
    if len(set(values)) > 2 and all(v >= 1 and math.frexp(v)[0] == 0.5 for v in values):
        powers = sorted({math.frexp(v)[1] - 1 for v in values})
        stride = math.ceil((powers[-1] - powers[0] + 1) / MOST)
        return tuple(2.0**k for k in range(powers[0], powers[-1] + 1, stride))
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for multiples in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        ticks = [m * 10.0**k for k in range(first, last + 1) for m in multiples]
        inside = tuple(t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9))
        if len(inside) >= 4:
            return inside[:: math.ceil(len(inside) / MOST)]
    return linear_ticks(low, high)


def labels(ticks: Sequence[float], *, percent: bool = False) -> tuple[str, ...]:
    """Return the texts of ticks, as short as tells them apart."""
    values = [100 * t for t in ticks] if percent else list(ticks)
    largest = max((abs(v) for v in values), default=0.0)
    least = min((abs(v) for v in values if v), default=1.0)
    if largest >= 1e6 or largest < 1e-3 or least < 1e-5:
        texts = [_scientific(v) for v in values]
    else:
        texts = _decimals(values)
    return tuple(t.replace("-", MINUS) + ("%" if percent else "") for t in texts)


def _decimals(values: Sequence[float]) -> list[str]:
    """Print all with the decimals of the finest; of values over decades, each with its own."""
    gaps = [abs(b - a) for a, b in itertools.pairwise(values)] or [abs(values[0])]
    uneven = max(gaps) > 1.5 * min(gaps)
    if uneven:
        return [f"{v:,.6g}" for v in values]
    places = next(
        (d for d in range(12) if all(abs(round(v, d) - v) <= 1e-3 * min(gaps) for v in values)), 12
    )
    return [f"{v + 0.0:,.{places}f}" if v else "0" for v in values]


def _scientific(value: float) -> str:
    if not value:
        return "0"
    mantissa, exponent = f"{value:.10e}".split("e")
    return f"{float(mantissa):.6g}e{int(exponent)}"
