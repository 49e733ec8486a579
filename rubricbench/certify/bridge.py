"""A bridge between two judges: what the other judge would have scored.

A leaderboard whose judge changes holds scores of judge A that judge B never saw. On rows both have
graded, the bridge learns ``E[score B | score A]``, as a straight line or as a monotone function
(pool adjacent violators: Barlow et al., *Statistical Inference under Order Restrictions*, 1972,
section 1.2), and maps the rest.

It is a regression, so it says what B would give *on average* to responses like those both graded.
With responses of another kind (a far better system, another domain) it errs towards the mean of the
rows it was learnt from; how far, on a system it has not seen, is measured by leaving each generator
out in turn (`transport`). Scores of A beyond those seen are mapped as the nearest seen one, and
counted: the slope is not trusted out there.
"""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.certify.measure import (
    Floats,
    Influence,
    Measure,
    Prompts,
    spread,
    t_interval,
    t_quantile,
)
from rubricbench.certify.regress import Fit, least_squares
from rubricbench.errors import InputError

LEAST_ROWS = 10
LEAST_GENERATORS = 3  # to say how far a bridge errs on a generator it has not seen


class Form(StrEnum):
    """The form of the map."""

    LINEAR = "linear"
    MONOTONE = "monotone"


class Bridge(msgspec.Struct, frozen=True):
    """The map from judge A's scores to judge B's.

    Args:
        form: straight line, or monotone.
        low: lowest score of A that both graded; what lies below is mapped as this.
        high: highest such score; what lies above is mapped as this.
        starts: of a monotone map: lowest score of each level.
        ends: highest score of each level; between levels the map is interpolated.
        sizes: responses of each level.
        fit: intercept and slope, or the levels.
        residual_sd: standard deviation of B's score about the map: the error on one response.
        rows: how many responses both graded.
    """

    form: Form
    low: float
    high: float
    starts: Floats
    ends: Floats
    sizes: Floats
    fit: Fit
    residual_sd: float
    rows: int

    def map(self, scores: Floats) -> Floats:
        """Return the expected scores of judge B."""
        return self._design(scores) @ self.fit.coefficients

    def outside(self, scores: Floats) -> int:
        """Return how many scores lie outside the range the map was learnt on."""
        return int(((scores < self.low) | (scores > self.high)).sum())

    def mean(self, scores: Floats, prompts: Prompts) -> Measure:
        """Return the mean score judge B would give, with an interval that carries both samples.

        Args:
            scores: judge A's scores of the responses.
            prompts: their prompts; those the map was learnt on too are counted once.
        """
        value, parts = self.mean_influence(scores, prompts)
        return t_interval(value, parts, items=len(scores), prompts=len(prompts))

    def mean_influence(self, scores: Floats, prompts: Prompts) -> tuple[float, list[Influence]]:
        """Return that mean, and what the prompts of either sample add to its error."""
        design = self._design(scores)
        value, learnt = self.fit.combination(design.mean(axis=0))
        added = prompts.sums(design @ self.fit.coefficients - value) / len(scores)
        return value, [learnt, Influence.of(prompts.names, added)]

    def band(self, scores: Floats) -> tuple[Floats, Floats]:
        """Return the 95% band of single scores of judge B: the map's error and the residual's."""
        return self._around(scores, self._variance(scores) + self.residual_sd**2)

    def curve(self, scores: Floats) -> tuple[Floats, Floats]:
        """Return the 95% interval of the map itself at each score."""
        return self._around(scores, self._variance(scores))

    def _around(self, scores: Floats, variance: Floats) -> tuple[Floats, Floats]:
        centre, half = self.map(scores), t_quantile(self._df) * np.sqrt(variance)
        return centre - half, centre + half

    def _variance(self, scores: Floats) -> Floats:
        """Return the variance of the map at each score.

        A level of few responses shows little spread, one of a single response none: it is taken to
        have at least that which all residuals together show.
        """
        design = self._design(scores)
        seen: Floats = ((design @ self.fit.influence.T) ** 2).sum(axis=1)
        if self.form is Form.LINEAR:
            return seen
        least: Floats = design**2 @ (self.residual_sd**2 / self.sizes)
        return np.maximum(seen, least)

    @property
    def _df(self) -> int:
        return max(1, len(self.fit.prompts) - 1)

    def _design(self, scores: Floats) -> Floats:
        inside = np.clip(scores, self.low, self.high)
        if self.form is Form.LINEAR:
            return np.stack([np.ones_like(inside), inside], axis=1)
        return _level_weights(inside, self.starts, self.ends)


def learn(a: Floats, b: Floats, prompts: Prompts, form: Form = Form.LINEAR) -> Bridge:
    """Learn a bridge from responses both judges graded.

    Args:
        a: scores of judge A, shape ``(n,)``.
        b: scores of judge B for the same responses.
        prompts: their prompts.
        form: of the map.

    Raises:
        InputError: too few responses or prompts, or judge A gave all of them one score.
    """
    if len(a) < LEAST_ROWS or len(prompts) < 2:
        raise InputError(
            f"{len(a)} responses to {len(prompts)} prompts were graded by both judges",
            hint=f"a bridge needs {LEAST_ROWS} responses to two prompts",
        )
    low, high = float(a.min()), float(a.max())
    starts, ends, sizes = _levels(a, b) if form is Form.MONOTONE else (np.empty(0),) * 3
    design = (
        np.stack([np.ones_like(a), a], axis=1)
        if form is Form.LINEAR
        else _level_weights(a, starts, ends)
    )
    fit = least_squares(design, b, prompts)
    if low == high or fit is None:
        raise InputError(
            "judge A gave one score to all responses that both graded",
            hint="grade responses of different quality with both",
        )
    free = max(1, len(a) - len(fit.coefficients))
    sd = math.sqrt(float(fit.residuals @ fit.residuals) / free)
    return Bridge(form, low, high, starts, ends, sizes, fit, sd, len(a))


def _levels(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return lowest score, highest score and size of each level of the monotone fit."""
    scores, of, sizes = np.unique(a, return_inverse=True, return_counts=True)
    sums = np.bincount(of, b, len(scores))
    stack: list[list[float]] = []  # start, end, sum, size of each level
    for score, total, size in zip(scores.tolist(), sums.tolist(), sizes.tolist(), strict=True):
        stack.append([score, score, total, size])
        while len(stack) > 1 and stack[-2][2] * stack[-1][3] >= stack[-1][2] * stack[-2][3]:
            _, end, total, size = stack.pop()
            stack[-1][1] = end
            stack[-1][2] += total
            stack[-1][3] += size
    starts, ends, _, counts = np.array(stack, dtype=np.float64).T
    return starts, ends, counts


def _level_weights(scores: Floats, starts: Floats, ends: Floats) -> Floats:
    """Return how much each level counts in the map at each score, shape ``(n, levels)``."""
    edges = np.stack([starts, ends], axis=1).ravel()
    level_of = np.repeat(np.arange(len(starts)), 2)
    right = np.clip(np.searchsorted(edges, scores), 1, len(edges) - 1)
    left = right - 1
    gap = edges[right] - edges[left]
    share = np.where(gap > 0, (scores - edges[left]) / np.where(gap > 0, gap, 1), 1.0)
    share = np.clip(share, 0, 1)
    weights = np.zeros((len(scores), len(starts)))
    rows = np.arange(len(scores))
    np.add.at(weights, (rows, level_of[left]), 1 - share)
    np.add.at(weights, (rows, level_of[right]), share)
    return weights


class Transport(msgspec.Struct, frozen=True):
    """How far a bridge errs on generators it has not seen.

    Args:
        errors: of each generator: bridged mean minus what judge B really gave, the map learnt
            without it.
        sd: standard deviation between generators beyond what sampling explains; None with fewer
            than `LEAST_GENERATORS`.
    """

    errors: dict[str, Measure]
    sd: float | None


def transport(
    a: Floats, b: Floats, prompt_ids: NDArray[np.str_], generators: NDArray[np.str_], form: Form
) -> Transport:
    """Leave each generator out in turn, learn the bridge from the others, and compare.

    Args:
        a: scores of judge A.
        b: scores of judge B for the same responses.
        prompt_ids: the prompt of each.
        generators: who wrote each.
        form: of the map.
    """
    errors: dict[str, Measure] = {}
    variances: list[float] = []
    for name in np.unique(generators).tolist():
        out = generators == name
        try:
            bridge = learn(a[~out], b[~out], Prompts(prompt_ids[~out]), form)
        except InputError:
            continue
        prompts = Prompts(prompt_ids[out])
        value, (learnt, _) = bridge.mean_influence(a[out], prompts)
        residual = bridge.map(a[out]) - b[out]
        error = float(residual.mean())
        added = Influence.of(prompts.names, prompts.sums(residual - error) / len(residual))
        assert math.isclose(value - float(b[out].mean()), error, abs_tol=1e-9)
        errors[name] = t_interval(error, [learnt, added], items=len(residual))
        variances.append(spread([learnt, added])[0] ** 2)
    if len(errors) < LEAST_GENERATORS:
        return Transport(errors, None)
    # Of the mean square of the errors, what sampling does not explain, never below 0.
    squares = [float(e.value or 0.0) ** 2 for e in errors.values()]
    return Transport(errors, math.sqrt(max(0.0, float(np.mean(squares) - np.mean(variances)))))


def unseen(measure: Measure, found: Transport) -> Measure:
    """Widen the interval of a bridged mean for a generator the bridge has not seen.

    The two errors are independent; the quantile of the second is Student's t with as many degrees
    of freedom as generators were left out.
    """
    if found.sd is None or measure.interval is None or measure.value is None:
        return measure
    half = (measure.interval[1] - measure.interval[0]) / 2
    half = math.hypot(half, t_quantile(len(found.errors)) * found.sd)
    return msgspec.structs.replace(measure, low=measure.value - half, high=measure.value + half)
