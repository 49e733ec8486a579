"""Least squares with errors that are correlated within prompts."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.certify.measure import Floats, Influence, Measure, Prompts, t_interval

SINGULAR = 1e-10  # of the normal matrix, relative: columns that say the same


class Fit(msgspec.Struct, frozen=True):
    """A least-squares fit.

    Args:
        coefficients: shape ``(k,)``.
        influence: what each prompt adds to the error of each, shape ``(prompts, k)``, with the
            small-sample factors.
        prompts: names of the prompts.
        residuals: shape ``(n,)``.
    """

    coefficients: Floats
    influence: Floats
    prompts: NDArray[np.str_]
    residuals: Floats

    def combination(self, weights: Floats) -> tuple[float, Influence]:
        """Return a linear combination of the coefficients and its influence."""
        return float(self.coefficients @ weights), Influence(self.prompts, self.influence @ weights)

    def coefficient(self, index: int) -> Measure:
        """Return a coefficient with its cluster-robust interval."""
        weights = np.zeros(len(self.coefficients))
        weights[index] = 1.0
        value, influence = self.combination(weights)
        return t_interval(value, [influence], items=len(self.residuals))


def least_squares(design: Floats, outcome: Floats, prompts: Prompts) -> Fit | None:
    """Fit ``outcome = design·coefficients``; None where the columns are not independent.

    Prompt g adds ``(X'X)^-1 Σ_{i in g} x_i e_i`` (Liang and Zeger, *Biometrika* 73, 1986), times
    the root of the usual ``G/(G-1)·(n-1)/(n-k)`` for what the fit itself took from the errors.

    Args:
        design: shape ``(n, k)``.
        outcome: shape ``(n,)``.
        prompts: the prompt of each row.
    """
    normal = design.T @ design
    scale = np.sqrt(np.maximum(np.diag(normal), np.finfo(float).tiny))
    if np.linalg.eigvalsh(normal / np.outer(scale, scale))[0] < SINGULAR:
        return None
    inverse = np.linalg.inv(normal)
    coefficients = inverse @ design.T @ outcome
    residuals = outcome - design @ coefficients
    added = np.stack([prompts.sums(column) for column in (design * residuals[:, None]).T], axis=1)
    rows, columns = design.shape
    groups = len(prompts) / max(1, len(prompts) - 1)
    factor = math.sqrt(groups * (rows - 1) / max(1, rows - columns))
    return Fit(coefficients, added @ inverse * factor, prompts.names, residuals)
