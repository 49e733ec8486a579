"""A judge with a latent truth: what is true is a function of criterion and response alone.

`LatentJudge` finds it with a set sensitivity and specificity. Everything it draws is keyed by the
texts, so the same judge says the same of the same response in every run and order, as a model at
temperature 0 does; above 0 its verdicts vary with the draw, most where it was least sure.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field


def truth(criterion: str, response: str) -> bool:
    """Whether a criterion is met: a fair coin, the same one every time."""
    return _digest(criterion, response)[0] % 2 == 0


@dataclass(frozen=True)
class LatentJudge:
    """A judge that errs at set rates.

    Args:
        sensitivity: probability of the verdict met where that is the truth.
        specificity: probability of the verdict unmet where that is the truth.
        by_criterion: criterion -> its own (sensitivity, specificity).
        margin: how sure it is at most, in log-odds: uniform on (0, margin), whatever the truth.
        noise: what the temperature counts for; 0 makes it certain at every temperature.
        seed: another judge of the same rates.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0
    by_criterion: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    margin: float = 8.0
    noise: float = 0.0
    seed: int = 0

    def verdict(
        self, criterion: str, response: str, *, temperature: float = 0.0, draw: str = ""
    ) -> bool:
        """What it says; ``draw`` names the repetition, which counts only above temperature 0."""
        firm = self._firm(criterion, response)
        heat = temperature * self.noise
        if not heat:
            return firm
        u = _uniform("sample", str(self.seed), draw, criterion, response)
        return u < _sigmoid(self.log_odds(criterion, response) / heat)

    def log_odds(self, criterion: str, response: str) -> float:
        """Log-odds of the verdict met; at temperature 0 their sign is the verdict."""
        sure = self.margin * _uniform("margin", str(self.seed), criterion, response)
        return sure if self._firm(criterion, response) else -sure

    def p_met(self, criterion: str, response: str) -> float:
        """Probability of the verdict met, as logprobs give it."""
        return _sigmoid(self.log_odds(criterion, response))

    def _firm(self, criterion: str, response: str) -> bool:
        is_met = truth(criterion, response)
        rates = self.by_criterion.get(criterion, (self.sensitivity, self.specificity))
        right = rates[0] if is_met else rates[1]
        if right == 1.0:
            return is_met
        return is_met is (_uniform("error", str(self.seed), criterion, response) < right)

    def disturbed(self, temperature: float) -> float:
        """Expected share of verdicts that differ from those at temperature 0.

        The mean of sigmoid(-m/h) over m uniform on (0, M), with h = noise x temperature:
        (h/M)(ln 2 - ln(1 + exp(-M/h))).
        """
        heat = temperature * self.noise
        if not heat:
            return 0.0
        return heat / self.margin * (math.log(2) - math.log1p(math.exp(-self.margin / heat)))

    def flips(self, temperature: float) -> float:
        """Expected share of verdicts that differ between two repetitions.

        The mean of 2 s(m/h) s(-m/h), whose integral is 2h s(m/h): (2h/M)(s(M/h) - 1/2).
        """
        heat = temperature * self.noise
        return 2 * heat / self.margin * (_sigmoid(self.margin / heat) - 0.5) if heat else 0.0


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


def _digest(*texts: str) -> bytes:
    return hashlib.sha256("\x00".join(texts).encode("utf-8", "surrogatepass")).digest()


def _uniform(*texts: str) -> float:
    return int.from_bytes(_digest(*texts)[:8], "big") / 2**64
