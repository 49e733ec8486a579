"""Simulated judges whose true error rates are set: worlds to test intervals in.

The world of verdicts. Every prompt has one of `TEMPLATES` as its rubric, drawn at random, and its
own difficulty: the chance that a criterion is met, Beta with mean ``quality`` and concentration 4.
The judge finds what is met with a sensitivity, and passes what is not with one minus a specificity,
that are the prompt's own too: Beta with the set means and concentration ``steadiness``. So verdicts
of a prompt go together, the sensitivity over all verdicts is the set one (it is independent of how
many are met), and the mean true score is ``quality·(1 - E[penalties/merits])``, over templates.

The world of scores. Judge B's score is a function of judge A's, plus a prompt's own effect (sd
0.05), plus noise whose sd (0.05 to 0.15) grows with A's score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rubricbench.certify.correct import Graded
from rubricbench.certify.measure import Prompts

TEMPLATES = (
    (3, 3, 2, 1),
    (3, 2, 2, 1, 1, -2),
    (1, 2, 3, 3, 2, 1, -1, -3),
    (2, 2, 1, 3, 1, 1, 2, 3, 1, 2),
)
SIZES = np.array([len(t) for t in TEMPLATES])
FLAT = np.concatenate([np.array(t) / sum(w for w in t if w > 0) for t in TEMPLATES])
STARTS = np.concatenate([[0], np.cumsum(SIZES)[:-1]])
# Mean over templates of (1 + sum of negative shares): the mean weight there is.
MEAN_WEIGHT = float(np.mean([sum(t) / sum(w for w in t if w > 0) for t in TEMPLATES]))


@dataclass(frozen=True)
class VerdictWorld:
    sensitivity: float = 0.85
    specificity: float = 0.9
    steadiness: float = 20.0
    unknown: float = 0.0

    def draw(
        self,
        rng: np.random.Generator,
        prompts: int,
        responses: int = 1,
        quality: float = 0.6,
        name: str = "p",
    ) -> Graded:
        """Return verdicts on ``responses`` responses to each of ``prompts`` prompts."""
        template = rng.integers(0, len(TEMPLATES), prompts)
        met = self._beta(rng, quality, 4.0, prompts)
        finds = self._beta(rng, self.sensitivity, self.steadiness, prompts)
        passes = self._beta(rng, 1 - self.specificity, self.steadiness, prompts)
        prompt = np.repeat(np.arange(prompts), responses)
        sizes = SIZES[template[prompt]]
        response = np.repeat(np.arange(len(prompt)), sizes)
        place = np.arange(len(response)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        of = prompt[response]
        truth = rng.random(len(of)) < met[of]
        credit = rng.random(len(of)) < np.where(truth, finds[of], passes[of])
        credit = np.where(rng.random(len(of)) < self.unknown, np.nan, credit.astype(float))
        share = FLAT[STARTS[template[of]] + place]
        names = np.array([f"{name}{i:06d}" for i in range(prompts)])
        return Graded(Prompts(names[of]), response, share, credit, truth.astype(float))

    @staticmethod
    def _beta(rng: np.random.Generator, mean: float, weight: float, size: int) -> np.ndarray:
        return rng.beta(mean * weight, (1 - mean) * weight, size)

    @staticmethod
    def mean_score(quality: float) -> float:
        """The mean true score of responses of a quality: every criterion is met that often."""
        return quality * MEAN_WEIGHT


@dataclass(frozen=True)
class ScoreWorld:
    expected: Callable[[np.ndarray], np.ndarray]

    def draw(self, rng: np.random.Generator, prompts: int, responses: int, name: str):
        """Return (A's scores, B's scores, prompts)."""
        ids = np.array([f"{name}{i:06d}" for i in range(prompts)]).repeat(responses)
        a = np.round(rng.beta(3, 2, len(ids)), 2)  # scores come in steps, so some are equal
        effect = rng.normal(0, 0.05, prompts).repeat(responses)
        b = self.expected(a) + effect + rng.normal(0, 0.05 + 0.1 * a)
        return a, b, Prompts(ids)

    def mean(self) -> float:
        """The mean of B's score over all of A's: by fine quadrature of the Beta's quantiles."""
        rng = np.random.default_rng(1)
        return float(self.expected(np.round(rng.beta(3, 2, 4_000_000), 2)).mean())
