"""How often the intervals of win rates, agreement, tail accuracy and Spearman hold the truth.

Run: python tests/metrics/cover_preference.py [DRAWS [PART ...]], the parts being those of `PARTS`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import numpy as np
from coverage_table import Covered, coverage, header
from scipy import special

from rubricbench.metrics.agreement import agreement, pair_agreement
from rubricbench.metrics.comparisons import Comparisons
from rubricbench.metrics.length_controlled import length_controlled_win_rate
from rubricbench.metrics.rank import rank_correlation
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tail import tail_accuracy
from rubricbench.metrics.winrate import win_rate

SIZES = (10, 50, 200)
SAMPLES = 40

Run = Callable[..., dict[str, Covered]]  # `coverage`, but for the number of draws


def ids(n: int) -> list[str]:
    return [f"p{i:05}" for i in range(n)]


def judged(rng: np.random.Generator, n: int, rate: float) -> Comparisons:
    """Both orders of one pair a prompt; a fair judge apart from a taste for the first place."""
    p = rng.beta(2 * rate, 2 * (1 - rate), n)
    bias = np.minimum(p, 1 - p) / 3
    votes = rng.random((2, n)) < np.stack([p + bias, p - bias])
    first = np.repeat([True, False], n)
    return Comparisons.of(ids(n) * 2, votes.ravel().astype(float), first=first)


def lengthy(rng: np.random.Generator, n: int) -> Comparisons:
    """Preferences of log-odds 0.5 + 1.5 tanh(difference / its standard deviation)."""
    delta = rng.normal(0.5, 1, n)
    p = special.expit(0.5 + 1.5 * np.tanh(delta))
    wins = rng.beta(2 * p, 2 * (1 - p))
    return Comparisons.of(ids(n), wins, length=1000 + 300 * delta, other_length=np.full(n, 1000.0))


def preferred(rng: np.random.Generator, n: int, pairs: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Pairs whose reward is right, wrong or tied at rates that vary from prompt to prompt."""
    right = np.repeat(rng.beta(4, 2, n), pairs)
    side = np.where(rng.random(n * pairs) < 0.2, 0, np.where(rng.random(n * pairs) < right, 1, -1))
    return np.repeat(ids(n), pairs), side


def sampled(rng: np.random.Generator, n: int, steps: float) -> Samples:
    """Samples whose proxy is gold with noise that varies by prompt, rounded."""
    gold = rng.normal(size=(n, SAMPLES))
    noise = rng.normal(size=(n, SAMPLES)) * rng.choice([0.3, 1.5], (n, 1))
    proxy = np.rint((gold + noise) * steps) / steps
    return Samples.of(np.repeat(ids(n), SAMPLES), proxy.ravel(), gold.ravel())


def of_samples(samples: Samples) -> dict:
    tail, rank = tail_accuracy(samples), rank_correlation(samples)
    return {
        "tail accuracy": tail.accuracy,
        "ties as wrong": tail.ties_as_wrong,
        "tie rate": tail.tie_rate,
        "Spearman": rank.overall,
        "Spearman at the top": rank.top,
        "agreement of all pairs": pair_agreement(samples).ties_half,
    }


@functools.cache
def truths(steps: float) -> dict[str, float]:
    """Return the estimates of 20,000 prompts: their error is a fortieth of 50 prompts' or less."""
    found = of_samples(sampled(np.random.default_rng(99), 20_000, steps))
    return {name: result.estimate for name, result in found.items()}


def agreed(data) -> dict:
    prompts, side = data
    found = agreement(prompts, side.astype(float), np.zeros(len(side)), np.ones(len(side)))
    return {
        "ties half": found.ties_half,
        "ties as wrong": found.ties_as_wrong,
        "decided": found.decided,
    }


def verdicts(run: Run, n: int) -> None:
    for rate in (0.5, 0.9, 0.03):
        data = functools.partial(judged, n=n, rate=rate)
        run(f"win rate {rate}", data, lambda v: win_rate(v).win_rate, rate)


def controlled(run: Run, n: int) -> None:
    run(
        "length-controlled win rate",
        functools.partial(lengthy, n=n),
        lambda v: length_controlled_win_rate(v).length_controlled,
        float(special.expit(0.5)),
    )


def pairs(run: Run, n: int) -> None:
    # right 2/3 of the 80% decided: half .8 * 2/3 + .1, strict .8 * 2/3
    truth = {"ties half": 19 / 30, "ties as wrong": 8 / 15, "decided": 2 / 3}
    run("agreement", functools.partial(preferred, n=n), agreed, truth)


def fine(run: Run, n: int) -> None:
    run("fine proxy", functools.partial(sampled, n=n, steps=20.0), of_samples, truths(20.0))


def coarse(run: Run, n: int) -> None:
    run("coarse proxy", functools.partial(sampled, n=n, steps=1.0), of_samples, truths(1.0))


PARTS = {f.__name__: f for f in (verdicts, controlled, pairs, fine, coarse)}

if __name__ == "__main__":
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    header()
    for part in sys.argv[2:] or PARTS:
        for size in SIZES:
            PARTS[part](functools.partial(coverage, draws=draws), size)
