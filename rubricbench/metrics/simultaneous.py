"""Statements about all checkpoints at once: which may be the best, and how good the best is.

The greatest of noisy means is too great, and the checkpoint it was seen at was chosen by its noise.
What holds all the same is had from the joint distribution of the noise of all the means: they are
means over the same prompts, so their noise is taken to be multivariate t with the covariance over
prompts (Hothorn, Bretz and Westfall 2008, Biometrical Journal 50; "max-t"), and quantiles of its
maxima are had by drawing from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.draws import generator
from rubricbench.metrics.resample import FEW_PROMPTS_BOOTSTRAP
from rubricbench.metrics.result import Caution, caution

DRAWS = 2000
_FLAT = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Means:
    """Means over prompts at T checkpoints, and draws of their joint noise.

    Args:
        mean: shape ``(T,)``.
        error: standard errors, shape ``(T,)``.
        pair_error: standard errors of the paired differences, shape ``(T, T)``.
        noise: draws of estimated less true mean, multivariate t, shape ``(draws, T)``.
        n: prompts.
    """

    mean: Floats
    error: Floats
    pair_error: Floats
    noise: Floats
    n: int

    @classmethod
    def of(cls, values: Floats, prompts: NDArray[np.str_], *, seed: int = 0) -> Means:
        """Return the means of a matrix ``(P, T)`` with P of at least 2.

        Args:
            values: one row a prompt.
            prompts: their ids, sorted; the draws depend on them and on the seed.
            seed: the analysis's seed.
        """
        n, width = values.shape
        # Centred first: a constant's rounding would pass for spread.
        centred = values - values.mean(axis=0)
        covariance = centred.T @ centred / ((n - 1) * n)
        variance = np.diag(covariance)
        pairs = variance[:, None] + variance[None, :] - 2 * covariance
        scale = float(variance.max(initial=0.0))
        rounding = max(_FLAT * scale, (1e-13 * float(np.abs(values).max(initial=0.0))) ** 2)
        standard = _standard(tuple(prompts.tolist()), width, seed)
        # Cholesky, not eigenvectors: it does not jump when the data move by a rounding error.
        root = np.linalg.cholesky(covariance + (1e-10 * scale + 1e-300) * np.eye(width))
        return cls(
            mean=values.mean(axis=0),
            error=_root(variance, rounding),
            pair_error=_root(pairs, rounding),
            noise=np.where(variance > rounding, standard @ root.T, 0.0),
            n=n,
        )

    def cautions(self) -> list[Caution]:
        """Return what is to be said of intervals from these means."""
        few = self.n < FEW_PROMPTS_BOOTSTRAP
        found = [caution("few_prompts", f"{self.n} prompts")] if few else []
        if not self.pair_error.any():
            detail = f"no spread of the differences among {self.n} prompts, so no width"
            found.append(caution("constant", detail))
        return found

    def above(self, t: int) -> Floats:
        """Return the studentized differences ``mean - mean[t]``, shape ``(T,)``."""
        return _studentized(self.mean - self.mean[t], self.pair_error[:, t])

    def noise_above(self, t: int) -> Floats:
        """Return their draws where all true means are equal, shape ``(draws, T)``."""
        error = self.pair_error[:, t]
        scale = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0)
        return np.asarray((self.noise - self.noise[:, [t]]) * scale)

    def p_greatest(self) -> Floats:
        """Return the p-value of each checkpoint's having the greatest true mean, shape ``(T,)``.

        Each is tested against all others at once, so those above 0.05 hold the best checkpoint with
        a probability of 95%: a test inverted, valid without a correction for their number.
        """
        found = np.ones(len(self.mean))
        for t in range(len(self.mean)):
            found[t] = np.mean(self.noise_above(t).max(axis=1) >= self.above(t).max())
        return found

    def less_last(self) -> Means:
        """Return the paired differences to the last checkpoint."""
        return Means(
            mean=self.mean - self.mean[-1],
            error=self.pair_error[:, -1],
            pair_error=self.pair_error,
            noise=np.where(self.pair_error[:, -1] > 0, self.noise - self.noise[:, [-1]], 0.0),
            n=self.n,
        )

    def greatest(self, level: float, p_greatest: Floats) -> tuple[float, float]:
        """Return a confidence interval for the greatest true mean.

        Low end: the greatest of the simultaneous lower bounds of those that may be the greatest
        (Chernozhukov, Lee and Rosen 2013, Econometrica 81, with their selection by a test at a
        tenth of the error). High end: the greatest of the upper bounds, of which the best
        checkpoint's own is one. It covers with at least the level: exactly where one checkpoint
        stands out, and more where several tie, because then the high end is hardly ever missed.

        Args:
            level: of confidence.
            p_greatest: of these means, or of the ones they are differences of.
        """
        tail = (1 - level) / 2
        may = p_greatest > tail / 5
        may[self.mean.argmax()] = True
        worst = _studentized(self.noise[:, may], self.error[may]).max(axis=1)
        bound = float(np.quantile(worst, 1 - tail + tail / 5))
        high = float(special.stdtrit(self.n - 1, 1 - tail))
        return (
            float((self.mean - bound * self.error)[may].max()),
            float((self.mean + high * self.error).max()),
        )


@lru_cache(maxsize=16)
def _standard(prompts: tuple[str, ...], width: int, seed: int) -> Floats:
    """Return draws of uncorrelated t variables, which share their spread within a draw."""
    rng = generator(seed, "noise of means", prompts)
    freedom = len(prompts) - 1
    normal = rng.standard_normal((DRAWS, width))
    return np.asarray(normal * np.sqrt(freedom / rng.chisquare(freedom, size=(DRAWS, 1))))


def _root(variance: Floats, rounding: float) -> Floats:
    """Return square roots, exactly 0 where only rounding is left."""
    return np.where(variance > rounding, np.sqrt(np.maximum(variance, 0)), 0.0)


def _studentized(difference: Floats, error: Floats) -> Floats:
    """Divide; a difference without any spread is infinitely clear, and none is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = difference / error
        without = np.where(np.abs(difference) > _FLAT, np.sign(difference) * np.inf, 0.0)
    return np.where(error > 0, ratio, without)
