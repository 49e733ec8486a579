"""What every metric returns: an estimate with what it takes to trust it, never a bare float.

A `Result` that cannot be had says why instead of being NaN, and one that holds only under a
condition its data do not meet carries a caution. Metrics with several figures return a struct of
results; `frame` turns any of them into a pandas table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95


class Method(StrEnum):
    """How an interval was made."""

    T = "cluster_t"  # jackknife standard error over prompts, Student's t
    PERCENTILE = "percentile_bootstrap"
    BCA = "bca_bootstrap"
    WILSON = "wilson"
    SEEDS = "t_over_seeds"
    SEQUENCE = "confidence_sequence"
    MAX_T = "max_t"  # multivariate t: holds for all checkpoints at once
    SIMULTANEOUS = "simultaneous_bootstrap"  # sup-t over all points of a curve
    BOOTSTRAP_T = "bootstrap_t"  # standard error by bootstrap, Student's t
    EXACT = "exact"  # no sampling error: computed, or a whole population
    NONE = "none"


# code of a caution -> what it means; the code is stable, the text of one result may say more
CAUTIONS = {
    "one_prompt": "a single prompt: no interval can be had",
    "few_prompts": "few prompts: the interval may cover less often than it says",
    "few_seeds": "few seeds: wide, and right only if seeds vary as a normal distribution does",
    "one_seed": "one seed: an anecdote, its interval knows nothing of training noise",
    "heavy_tail": "a few prompts carry the spread, on one side: the interval may cover too little",
    "unstable": "without a value on many resamples of the prompts: no interval can be had",
    "low_ess": "few samples carry the weight; estimates beyond this point are withheld",
    "small_n": "few samples a prompt: the KL is underestimated near its ceiling, log N",
    "bias": "an estimated bias of the estimate, which the interval allows for",
    "winners_curse": "chosen for being the highest, so too high by luck: biased upwards",
    "censored": "the event did not happen within the data: a bound, not a value",
    "saturated": "the scale has run out: nearly all values lie at its end",
    "ties": "many ties: the figure depends on how they count",
    "left_out": "rows or prompts were left out",
    "uneven": "prompts differ in their number of samples",
    "extrapolated": "beyond the range of the data",
    "poor_fit": "the fitted form explains little of the curve",
    "constant": "a variable does not vary",
    "separated": "one variable tells wins from losses: the figure rests on the penalty of the fit",
    "unpaired": "the arms share too few prompts to be paired",
}


class Caution(msgspec.Struct, frozen=True):
    """A reason to trust a result less than its interval says.

    Args:
        code: a key of `CAUTIONS`.
        text: what is the matter here, with figures.
    """

    code: str
    text: str

    def __post_init__(self) -> None:
        if self.code not in CAUTIONS:
            raise ValueError(f"no caution {self.code!r}")


def caution(code: str, detail: str = "") -> Caution:
    """Return a caution with the common text of its code, and a detail before it."""
    return Caution(code, f"{detail}: {CAUTIONS[code]}" if detail else CAUTIONS[code])


def merged(cautions: Iterable[Caution]) -> tuple[Caution, ...]:
    """Return cautions each once, those of a code together.

    Two of one code that say different things are both kept (rows left out for two reasons, say);
    the common text of a code goes where another says more.
    """
    by_code: dict[str, dict[str, Caution]] = {}
    for c in cautions:
        by_code.setdefault(c.code, {})[c.text] = c
    for code, texts in by_code.items():
        if len(texts) > 1:
            texts.pop(CAUTIONS[code], None)
    return tuple(c for texts in by_code.values() for c in texts.values())


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    Args:
        name: of the metric, in the field's words.
        estimate: the point estimate; None where there is none, and `reason` says why.
        low: lower end of the interval; None where there is none.
        high: upper end; None where there is none (of a one-sided interval, one end is None).
        level: confidence level of the interval.
        method: how the interval was made.
        n: how many independent units are behind it.
        unit: what they are: ``prompts`` or ``seeds``.
        items: how many samples, pairs or rows are behind it.
        warnings: reasons to trust it less.
        reason: why there is no estimate; empty where there is one.

    Raises:
        ValueError: a number that is not finite, or neither an estimate nor a reason.
    """

    name: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: Method = Method.NONE
    n: int = 0
    unit: str = "prompts"
    items: int = 0
    warnings: tuple[Caution, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        for number in (self.estimate, self.low, self.high):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{self.name}: {number} is not a result")
        if (self.estimate is None) != bool(self.reason):
            raise ValueError(f"{self.name}: an estimate, or a reason for there being none")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the interval, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def with_warnings(self, more: Iterable[Caution]) -> Result:
        """Return the same result with cautions added, each once (see `merged`)."""
        return msgspec.structs.replace(self, warnings=merged((*self.warnings, *more)))

    def __str__(self) -> str:
        if self.estimate is None:
            return f"{self.name}: not computable ({self.reason})"
        if self.low is None and self.high is None:
            return f"{self.name}: {self.estimate:.4g}"
        low = "(-∞" if self.low is None else f"[{self.low:.4g}"
        high = "∞)" if self.high is None else f"{self.high:.4g}]"
        return f"{self.name}: {self.estimate:.4g} {low}, {high}"


def not_computable(
    name: str, reason: str, *, n: int = 0, items: int = 0, unit: str = "prompts"
) -> Result:
    """Return a result that there is none, and why."""
    return Result(name=name, estimate=None, reason=reason, n=n, items=items, unit=unit)


Results = Result | msgspec.Struct | Mapping[str, Any] | Iterable[Any]


def walk(found: Results) -> Iterator[Result]:
    """Return every `Result` inside a metric's answer, in order."""
    if isinstance(found, Result):
        yield found
    elif isinstance(found, msgspec.Struct):
        for name in found.__struct_fields__:
            yield from walk(getattr(found, name))
    elif isinstance(found, Mapping):
        for value in found.values():
            yield from walk(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from walk(value)


def frame(found: Results) -> pd.DataFrame:
    """Return results as a pandas table, one row each.

    Columns: name, estimate, low, high, level, method, n, unit, items, warnings (codes, each once,
    separated by spaces), reason. A missing number is NaN there, as pandas has it.
    """
    import pandas as pd

    rows = [
        {
            **{name: getattr(r, name) for name in r.__struct_fields__},
            "method": r.method.value,
            "warnings": " ".join(dict.fromkeys(c.code for c in r.warnings)),
        }
        for r in walk(found)
    ]
    table = pd.DataFrame(rows, columns=list(Result.__struct_fields__))
    return table.astype({"estimate": float, "low": float, "high": float})
