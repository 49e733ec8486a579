r"""The one scoring function: verdicts and a rubric in, a `Score` out.

``value = Σ w·v / Σ_{w>0} w`` over the criteria, ``v`` in [0, 1]. With weights 1-3 this is the
reward of "Chasing the Tail" (arXiv 2509.21500, section 3); with negative weights it is
HealthBench's score before clipping. RL reward, lm-eval metric, builder and leaderboard all call
`score` or, for many responses to one prompt, `score_matrix`; both evaluate the same formula in
the same order, so their results are equal to the last bit.

Unknown is not unmet. A score with unknown verdicts has no value, only bounds: the low bound takes
every unknown positive criterion as unmet and every unknown penalty as met, the high bound the
reverse. Every aggregation here never falls when a positive criterion is met or a penalty is not,
so these two fillings are the extremes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from rubricbench.errors import InputError
from rubricbench.schema import Criterion, Rubric, Status, Verdict
from rubricbench.validity import weight_sum

CRITICAL_TAG = "critical"

# A column holds one criterion's credit: a float for one response, an array (n,) for n of them.
# The strategies below are written once for both.
Column = Any


class Contribution(msgspec.Struct, frozen=True):
    """What one criterion did to a score.

    Args:
        criterion_id: id of the criterion.
        weight: its weight.
        status: its verdict.
        credit: 0 to 1, None if unknown.
        amount: ``weight * credit / total_weight``, None if unknown. Under the default strategy the
            amounts of a fully known score add up to its value.
    """

    criterion_id: str
    weight: int | float
    status: Status
    credit: float | None
    amount: float | None


class Score(msgspec.Struct, frozen=True):
    """A response's score.

    Args:
        raw: ``Σ w·v``, None if any verdict is unknown.
        value: the normalised score, never clipped; None if any verdict is unknown.
        low: the score with every unknown turned against the response.
        high: the score with every unknown turned in its favour.
        coverage: share of the absolute weight whose verdict is known, 0 to 1.
        strategy: the aggregation, with its parameters.
        total_weight: ``Σ_{w>0} w``.
        contributions: one entry per criterion, in the rubric's order.
    """

    raw: float | None
    value: float | None
    low: float
    high: float
    coverage: float
    strategy: str
    total_weight: int | float
    contributions: tuple[Contribution, ...]

    @property
    def all_met(self) -> bool | None:
        """True if every criterion is met and no penalty is; None while that is undecided."""
        fine = [
            None if c.credit is None else c.credit >= 0.5 if c.weight > 0 else c.credit < 0.5
            for c in self.contributions
        ]
        if False in fine:
            return False
        return None if None in fine else True


@dataclass(frozen=True)
class ScoreArray:
    """The scores of ``n`` responses to one prompt; fields as in `Score`, arrays of shape ``(n,)``.

    ``raw`` and ``value`` are NaN where a verdict is unknown.
    """

    raw: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    coverage: NDArray[np.float64]
    strategy: str


@dataclass(frozen=True)
class _Weights:
    """What a strategy sees of a rubric."""

    weights: tuple[int | float, ...]
    critical: tuple[bool, ...]
    total: int | float


@dataclass(frozen=True)
class Strategy:
    """A named aggregation.

    Args:
        name: one of `STRATEGIES`.
        params: its parameters; anything it does not name is refused.
    """

    name: str = "weighted_mean"
    params: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in STRATEGIES:
            raise InputError(
                f"unknown aggregation {self.name!r}", hint="choose from " + ", ".join(STRATEGIES)
            )
        allowed = _PARAMS[self.name]
        for key, value in self.params.items():
            if key not in allowed:
                raise InputError(
                    f"aggregation {self.name!r} has no parameter {key!r}",
                    hint="it takes: " + (", ".join(allowed) or "none"),
                )
            if not _is_share(value):
                raise InputError(f"parameter {key!r} of {self.name!r} must lie in [0, 1]")

    def __str__(self) -> str:
        params = {**_PARAMS[self.name], **self.params}
        inner = ",".join(f"{key}={value:g}" for key, value in sorted(params.items()))
        return f"{self.name}({inner})" if inner else self.name

    def aggregate(self, rubric: _Weights, columns: Sequence[Column]) -> Column:
        """Apply the aggregation to one credit per criterion, scalars or arrays."""
        return STRATEGIES[self.name](rubric, columns, **{**_PARAMS[self.name], **self.params})


def _is_share(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= 1


def _weighted_sum(weights: Iterable[int | float], columns: Iterable[Column]) -> Column:
    total: Column = 0.0
    for weight, column in zip(weights, columns, strict=True):
        total = total + weight * column
    return total


def _weighted_mean(rubric: _Weights, columns: Sequence[Column]) -> Column:
    return _weighted_sum(rubric.weights, columns) / rubric.total


def _critical_gate(rubric: _Weights, columns: Sequence[Column]) -> Column:
    """Weighted mean, times the credit of every critical criterion (a penalty's: one minus it).

    The gate scales only what lies above zero: penalties are not forgiven by a failed criterion.
    """
    mean = _weighted_mean(rubric, columns)
    gate: Column = 1.0
    for weight, critical, column in zip(rubric.weights, rubric.critical, columns, strict=True):
        if critical:
            gate = gate * (column if weight > 0 else 1.0 - column)
    return np.minimum(mean, 0.0) + np.maximum(mean, 0.0) * gate


def _minimum(rubric: _Weights, columns: Sequence[Column]) -> Column:
    """The least satisfied criterion decides, whatever its weight."""
    lowest: Column = 1.0
    for weight, column in zip(rubric.weights, columns, strict=True):
        lowest = np.minimum(lowest, column if weight > 0 else 1.0 - column)
    return lowest


def _capped_penalties(rubric: _Weights, columns: Sequence[Column], *, cap: float) -> Column:
    """Weighted mean in which all penalties together take off at most ``cap`` of the scale."""
    gain = _weighted_sum((max(w, 0) for w in rubric.weights), columns) / rubric.total
    loss = _weighted_sum((max(-w, 0) for w in rubric.weights), columns) / rubric.total
    return gain - np.minimum(loss, cap)


def _implicit(rubric: _Weights, columns: Sequence[Column]) -> Column:
    """The verifier's own overall grade in [0, 1]; the rubric only informed it."""
    (grade,) = columns
    return grade


STRATEGIES: dict[str, Callable[..., Column]] = {
    "weighted_mean": _weighted_mean,
    "critical_gate": _critical_gate,
    "minimum": _minimum,
    "capped_penalties": _capped_penalties,
    "implicit": _implicit,
}
_PARAMS: dict[str, dict[str, float]] = {
    "weighted_mean": {},
    "critical_gate": {},
    "minimum": {},
    "capped_penalties": {"cap": 0.5},
    "implicit": {},
}
WEIGHTED_MEAN = Strategy()


@functools.lru_cache(maxsize=4096)
def _weights_of(criteria: tuple[tuple[int | float, bool], ...]) -> _Weights:
    weights = tuple(weight for weight, _ in criteria)
    return _Weights(weights, tuple(c for _, c in criteria), weight_sum(w for w in weights if w > 0))


def _weights(criteria: Iterable[Criterion]) -> _Weights:
    return _weights_of(tuple((c.weight, CRITICAL_TAG in c.tags) for c in criteria))


def score(
    rubric: Rubric,
    verdicts: Iterable[Verdict],
    *,
    strategy: Strategy = WEIGHTED_MEAN,
    grade: float | None = None,
) -> Score:
    """Score one response.

    Args:
        rubric: the rubric.
        verdicts: one per criterion, in any order. A criterion without a verdict is unknown.
        strategy: the aggregation; the weighted mean unless a study says otherwise.
        grade: the verifier's overall grade in [0, 1], for the ``implicit`` strategy only.

    Raises:
        InputError: a verdict for a criterion the rubric does not have, or two for one; a grade
            for a strategy that has no use for it.
    """
    if grade is not None and strategy.name != "implicit":
        raise InputError(f"the {strategy.name} aggregation takes no grade")
    by_id = _by_criterion(rubric, verdicts)
    found = [by_id.get(c.id) for c in rubric.criteria]
    credits = [None if v is None else v.credit for v in found]
    weights = _weights(rubric.criteria)
    known = None not in credits
    low, high = _bounds(weights, credits, strategy, grade)
    exact = grade is not None if strategy.name == "implicit" else known
    return Score(
        raw=float(_weighted_sum(weights.weights, credits)) if known else None,
        value=low if exact else None,
        low=low,
        high=high,
        coverage=_coverage(weights, credits),
        strategy=str(strategy),
        total_weight=weights.total,
        contributions=tuple(
            _contribution(c, v, weights.total) for c, v in zip(rubric.criteria, found, strict=True)
        ),
    )


def _by_criterion(rubric: Rubric, verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    by_id: dict[str, Verdict] = {}
    for verdict in verdicts:
        if verdict.criterion_id in by_id:
            raise InputError(f"two verdicts for criterion {verdict.criterion_id}")
        by_id[verdict.criterion_id] = verdict
    strangers = by_id.keys() - {c.id for c in rubric.criteria}
    if strangers:
        raise InputError(
            f"verdicts for criteria the rubric does not have: {', '.join(sorted(strangers)[:3])}",
            where=f"rubric {rubric.id}",
            hint="were they made with another version of the rubric?",
        )
    return by_id


def _bounds(
    weights: _Weights, credits: Sequence[float | None], strategy: Strategy, grade: float | None
) -> tuple[float, float]:
    if strategy.name == "implicit":
        if grade is None:
            return 0.0, 1.0
        if not _is_share(grade):
            raise InputError(f"grade is {grade!r:.40}, not in [0, 1]")
        return float(grade), float(grade)
    if None not in credits:
        value = float(strategy.aggregate(weights, credits))
        return value, value
    worst = [
        float(w < 0) if v is None else v for w, v in zip(weights.weights, credits, strict=True)
    ]
    best = [float(w > 0) if v is None else v for w, v in zip(weights.weights, credits, strict=True)]
    return float(strategy.aggregate(weights, worst)), float(strategy.aggregate(weights, best))


def _coverage(weights: _Weights, credits: Sequence[float | None]) -> float:
    known = _weighted_sum(
        (abs(w) for w in weights.weights), [0.0 if v is None else 1.0 for v in credits]
    )
    return float(known / weight_sum(map(abs, weights.weights)))


def _contribution(criterion: Criterion, verdict: Verdict | None, total: float) -> Contribution:
    credit = verdict.credit if verdict else None
    # + 0.0: a penalty that is not met takes off nothing, rather than a negative zero.
    amount = None if credit is None else criterion.weight * credit / total + 0.0
    status = verdict.status if verdict else Status.UNKNOWN
    return Contribution(criterion.id, criterion.weight, status, credit, amount)


def score_matrix(
    rubric: Rubric, credits: ArrayLike, *, strategy: Strategy = WEIGHTED_MEAN
) -> ScoreArray:
    """Score many responses to one prompt.

    Args:
        rubric: the rubric, with ``c`` criteria.
        credits: shape ``(n, c)``, columns in the rubric's order; 1 met, 0 unmet, anything between
            for soft verdicts, NaN for unknown.
        strategy: the aggregation (``implicit`` needs `score`).

    Raises:
        InputError: wrong shape, values outside [0, 1], or the ``implicit`` strategy.
    """
    weights = _weights(rubric.criteria)
    matrix = _credit_matrix(credits, len(weights.weights))
    if strategy.name == "implicit":
        raise InputError(
            "the implicit strategy has no matrix form", hint="call score() per response"
        )
    unknown = np.isnan(matrix)
    signs = np.asarray(weights.weights)
    worst = np.where(unknown, (signs < 0).astype(np.float64), matrix)
    best = np.where(unknown, (signs > 0).astype(np.float64), matrix)
    low = np.asarray(strategy.aggregate(weights, list(worst.T)), dtype=np.float64)
    high = np.asarray(strategy.aggregate(weights, list(best.T)), dtype=np.float64)
    holes = unknown.any(axis=1)
    raw = np.asarray(_weighted_sum(weights.weights, list(matrix.T)), dtype=np.float64)
    known = _weighted_sum((abs(w) for w in weights.weights), list((~unknown).astype(np.float64).T))
    return ScoreArray(
        raw=raw,
        value=np.where(holes, np.nan, low),
        low=low,
        high=high,
        coverage=known / weight_sum(map(abs, weights.weights)),
        strategy=str(strategy),
    )


def _credit_matrix(credits: ArrayLike, criteria: int) -> NDArray[np.float64]:
    try:
        matrix = np.asarray(credits, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("credits must be a matrix of numbers, NaN where unknown") from None
    if matrix.ndim != 2 or matrix.shape[1] != criteria:
        raise InputError(
            f"expected credits of shape (n, {criteria}), got {matrix.shape}",
            hint="one column per criterion, in the rubric's order",
        )
    if ((matrix < 0) | (matrix > 1)).any():
        raise InputError("credits must lie in [0, 1], or be NaN where unknown")
    return matrix
