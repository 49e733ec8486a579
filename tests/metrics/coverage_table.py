"""How often intervals hold the truth: draw data, estimate, count.

Every room's script ``tests/metrics/cover_<room>.py`` prints a table with it (run it as
``python tests/metrics/cover_<room>.py``; the folder of the script is on the path, so this import
works there, and in pytest too)::

    from coverage_table import coverage, header

    header()
    coverage(
        "normal, T",                                    # the setting: first column of the row
        simulate=lambda rng: rng.normal(size=50),       # data of one draw
        estimate=lambda x: mean_of(x),                  # a Result, or {name: Result}
        truth=0.0,                                      # a float, or {name: float}
        draws=2000,
    )

An ordinary test calls it with ``show=False`` and few draws, and compares `Covered.share` with
bounds that the binomial allows: ``abs(found.share - 0.95) < 4 * found.error``.

Draw i uses ``default_rng([seed, i])``: the figures repeat, and more draws only add to them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rubricbench.metrics.result import Result

Data = TypeVar("Data")

_COLUMNS = ("setting", "n", "coverage", "below", "above", "width", "bias", "warned", "none")


@dataclass(frozen=True)
class Covered:
    """What became of the intervals of one estimator.

    Args:
        setting: first column of the row.
        n: independent units of a result (the mean over draws).
        share: of the draws with an interval, those whose interval holds the truth.
        error: Monte Carlo standard error of the share.
        below: share of draws in which the whole interval lies below the truth.
        above: share in which it lies above.
        width: mean width; infinite where an end is open.
        bias: mean of the estimate minus the truth.
        warned: share of draws whose result carries a caution.
        codes: share of draws with each caution.
        none: share of draws without an estimate or an interval.
        draws: how many.
    """

    setting: str
    n: float
    share: float
    error: float
    below: float
    above: float
    width: float
    bias: float
    warned: float
    codes: Mapping[str, float]
    none: float
    draws: int

    def row(self) -> str:
        """Return the figures as a row of a markdown table."""
        cells = (
            self.setting,
            f"{self.n:.0f}",
            f"{self.share:.1%} ± {self.error:.1%}",
            f"{self.below:.1%}",
            f"{self.above:.1%}",
            f"{self.width:.3g}",
            f"{self.bias:+.2g}",
            f"{self.warned:.0%}",
            f"{self.none:.1%}" if self.none else "0",
        )
        return f"| {' | '.join(cells)} |"


def header() -> None:
    """Print the first two lines of the table."""
    print(f"| {' | '.join(_COLUMNS)} |")
    print(f"|{'---|' * len(_COLUMNS)}", flush=True)


def coverage(
    setting: str,
    simulate: Callable[[np.random.Generator], Data],
    estimate: Callable[[Data], Result | Mapping[str, Result]],
    truth: float | Mapping[str, float],
    draws: int = 2000,
    *,
    seed: int = 0,
    show: bool = True,
) -> dict[str, Covered]:
    """Draw data, estimate, and count how often the interval holds the truth; print a row each.

    Args:
        setting: what is simulated.
        simulate: makes one draw's data from a generator.
        estimate: makes a result of them, or several by name; a missing end counts as open.
        truth: what the interval should hold; by name where there are several results.
        draws: how many.
        seed: of the draws.
        show: print the rows.

    Returns:
        By name (``""`` for a single result), what became of the intervals.
    """
    truths = truth if isinstance(truth, Mapping) else {"": truth}
    found: dict[str, list[Result]] = defaultdict(list)
    for i in range(draws):
        result = estimate(simulate(np.random.default_rng([seed, i])))
        results = {"": result} if isinstance(result, Result) else result
        for name in truths:
            found[name].append(results[name])
    table = {
        name: _covered(f"{setting}, {name}" if name else setting, results, truths[name])
        for name, results in found.items()
    }
    if show:
        for row in table.values():
            print(row.row(), flush=True)
    return table


def _covered(setting: str, results: list[Result], truth: float) -> Covered:
    given = [r for r in results if r.estimate is not None and (r.low, r.high) != (None, None)]
    low = np.array([-math.inf if r.low is None else r.low for r in given])
    high = np.array([math.inf if r.high is None else r.high for r in given])
    estimates = np.array([r.estimate for r in results if r.estimate is not None])
    # An interval of one point computed in floats may miss an equal truth by rounding.
    slack = 1e-12 * max(1.0, abs(truth))
    below, above = high < truth - slack, low > truth + slack
    share = float(1 - (below | above).mean()) if given else math.nan
    codes = {c.code for r in results for c in r.warnings}
    return Covered(
        setting=setting,
        n=float(np.mean([r.n for r in results])),
        share=share,
        error=math.sqrt(share * (1 - share) / len(given)) if given else math.nan,
        below=float(below.mean()) if given else math.nan,
        above=float(above.mean()) if given else math.nan,
        width=float((high - low).mean()) if given else math.nan,
        bias=float(estimates.mean() - truth) if len(estimates) else math.nan,
        warned=float(np.mean([bool(r.warnings) for r in results])),
        codes={
            c: float(np.mean([c in {w.code for w in r.warnings} for r in results])) for c in codes
        },
        none=1 - len(given) / len(results),
        draws=len(results),
    )
