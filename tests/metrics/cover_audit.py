"""Coverage of the largest safe KL, by simulation; prints a markdown table.

    python tests/metrics/cover_audit.py [DRAWS] [skewed]

Two worlds. *Curves*: every prompt's gold is A·d - B·d²/2 over d = √KL, A and B normal over prompts,
so that the population turns at d* = E[A] / E[B]; B = 0 never turns, and A = B = 0 is flat, where a
false "declines" is likeliest. *Samples*: 64 responses a prompt with uniform gold and a proxy that
is wrong about the top share of the prompt's responses; the truth is the greatest point of the mean
curve over 40,000 prompts. *Skewed*: 64 responses with lognormal gold and a proxy that is noise:
flat again, but with rare great values. ``skewed`` prints that world alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rubricbench.metrics.bestofn import best_of_n
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.safe_kl import Safety, safe_kl
from rubricbench.metrics.samples import Samples

RESAMPLES = 400  # a draw's own noise in its critical values is small beside the draw's
GRID = np.array([0, 0.19, 0.43, 0.64, 0.96, 1.2, 1.5, 1.84, 2.16, 2.5])  # best of 1, 2, 3, 4, 6, …

Rng = np.random.Generator


@dataclass
class Tally:
    """Counts over draws."""

    draws: int = 0
    declines: int = 0
    covered: int = 0
    low_misses: int = 0
    high_misses: int = 0
    onset: int = 0
    skewed: int = 0

    def add(self, found, truth: float) -> None:
        """Count one draw."""
        self.draws += 1
        self.declines += found.safety is Safety.DECLINES
        self.onset += found.onset.estimate is not None
        low = found.safe_up_to.estimate
        high = found.largest.high
        below = low is not None and truth < low - 1e-9
        above = found.safety is Safety.DECLINES and high is not None and truth > high + 1e-9
        self.low_misses += below
        self.high_misses += above
        self.covered += not (below or above)


def curves(prompts: int, a: float, b: float, heavy: bool = False) -> Callable[[Rng], np.ndarray]:
    """Return a maker of gold matrices of the world of curves."""

    def make(rng: Rng) -> np.ndarray:
        noise = (
            (lambda: rng.standard_t(3, prompts)) if heavy else (lambda: rng.normal(size=prompts))
        )
        slope, bend = a + noise(), b + 0.5 * noise()
        d = np.sqrt(GRID)
        return (
            slope[:, None] * d - bend[:, None] * d**2 / 2 + 0.1 * rng.normal(size=(prompts, len(d)))
        )

    return make


def run_curves(
    prompts: int, a: float, b: float, draws: int, seed: int, heavy: bool = False
) -> Tally:
    """Return the counts for one setting of the world of curves."""
    d = np.sqrt(GRID)
    truth = float(GRID[int(np.argmax(a * d - b * d**2 / 2))]) if a or b else float(GRID[-1])
    make, rng, tally = curves(prompts, a, b, heavy), np.random.default_rng(seed), Tally()
    for draw in range(draws):
        names = [f"p{i:04}" for i in range(prompts)]
        boot = Bootstrap(names, seed=draw, resamples=RESAMPLES)
        tally.add(safe_kl(names, make(rng), GRID, boot=boot), truth)
    return tally


def samples(rng: Rng, prompts: int, wrong: float, count: int = 64) -> Samples:
    """Return samples of the world of samples."""
    gold = rng.uniform(size=(prompts, count))
    share = np.clip(wrong + 0.2 * rng.normal(size=(prompts, 1)), 0, 1)
    proxy = np.where(gold <= 1 - share, gold, 2 - share - gold)
    proxy = proxy + 0.05 * rng.normal(size=gold.shape)
    names = np.repeat([f"p{i:05}" for i in range(prompts)], count)
    return Samples.of(names, proxy.ravel(), gold.ravel())


def run_samples(prompts: int, wrong: float, draws: int, seed: int) -> Tally:
    """Return the counts for one setting of the world of samples."""
    rng, tally = np.random.default_rng(seed), Tally()
    whole = samples(np.random.default_rng(1), 40_000, wrong)
    curve = best_of_n(whole, boot=Bootstrap(whole.prompts, resamples=2)).curves
    gold, kl = curve.columns["gold"].mean(axis=0), curve.columns["kl"].mean(axis=0)
    peak = int(np.argmax(gold))
    for draw in range(draws):
        found = samples(rng, prompts, wrong)
        boot = Bootstrap(found.prompts, seed=draw, resamples=RESAMPLES)
        curve = best_of_n(found, boot=Bootstrap(found.prompts, resamples=2)).curves
        axis = curve.columns["kl"].mean(axis=0)
        assert np.allclose(axis, kl, atol=0.02)
        tally.add(safe_kl(found.prompts, curve.columns["gold"], kl, boot=boot), kl[peak])
    return tally


def run_unrelated(prompts: int, draws: int, seed: int) -> Tally:
    """Return the counts where the proxy is noise and gold lognormal: no n changes gold's mean."""
    rng, tally = np.random.default_rng(seed), Tally()
    names = np.repeat([f"p{i:05}" for i in range(prompts)], 64)
    for draw in range(draws):
        gold = np.exp(rng.normal(size=(prompts, 64)))
        found = Samples.of(names, rng.normal(size=gold.size), gold.ravel())
        boot = Bootstrap(found.prompts, seed=draw, resamples=RESAMPLES)
        curve = best_of_n(found, boot=Bootstrap(found.prompts, resamples=2)).curves
        kl = curve.columns["kl"].mean(axis=0)
        safe = safe_kl(found.prompts, curve.columns["gold"], kl, boot=boot)
        tally.add(safe, float(kl[-1]))
        tally.skewed += any(c.code == "heavy_tail" for c in safe.largest.warnings)
    return tally


def row(name: str, prompts: int, tally: Tally) -> str:
    """Return a line of the table."""
    share = [
        f"{100 * x / tally.draws:.1f}"
        for x in (
            tally.declines,
            tally.onset,
            tally.covered,
            tally.low_misses,
            tally.high_misses,
        )
    ]
    return f"| {name} | {prompts} | " + " | ".join(share) + " |"


def main() -> None:
    """Print the table."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| world | prompts | declines % | onset % | covered % | below % | above % |")
    print("|---|---|---|---|---|---|---|")
    if "skewed" not in sys.argv:
        print_smooth(draws)
    for prompts in (50, 100, 200, 400):
        tally = run_unrelated(prompts, draws, 4)
        name = f"skewed gold, flat (warned {tally.skewed / tally.draws:.0%})"
        print(row(name, prompts, tally), flush=True)


def print_smooth(draws: int) -> None:
    """Print the rows of the other worlds."""
    for prompts in (20, 50, 100, 300):
        for name, a, b in (
            ("curves, flat", 0.0, 0.0),
            ("curves, rising", 0.3, 0.0),
            ("curves, turn at 1.20", 0.5, 0.5 / np.sqrt(1.2)),
            ("curves, turn at 0.43", 0.5, 0.5 / np.sqrt(0.43)),
            ("curves, sharp turn at 0.64", 2.0, 2.0 / np.sqrt(0.64)),
        ):
            print(row(name, prompts, run_curves(prompts, a, b, draws, 1)), flush=True)
    print(row("curves, heavy tails, flat", 100, run_curves(100, 0, 0, draws, 2, heavy=True)))
    print(
        row(
            "curves, heavy tails, turn at 0.43",
            100,
            run_curves(100, 0.5, 0.5 / np.sqrt(0.43), draws, 2, heavy=True),
        ),
        flush=True,
    )
    for prompts in (50, 100):
        for wrong in (0.1, 0.4):
            name = f"samples, proxy wrong in the top {wrong:.0%}"
            print(row(name, prompts, run_samples(prompts, wrong, draws, 3)), flush=True)


if __name__ == "__main__":
    main()
