"""How often the package's basic intervals hold the truth; the tables of docs/metrics.md.

python tests/metrics/cover_stats.py [means|methods|functions|seeds|sequences|planned]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
from coverage_table import Covered, coverage, header

from rubricbench.metrics.planning import Spread, minimal_detectable_effect
from rubricbench.metrics.resample import Bootstrap, Function
from rubricbench.metrics.result import Method, Result
from rubricbench.metrics.seeds import over_seeds, over_seeds_and_prompts
from rubricbench.metrics.sequence import EmpiricalBernstein, HedgedBetting

DRAWS = 2000
RESAMPLES = 1000
Rng = np.random.Generator
Draw = Callable[[Rng, int], np.ndarray]

LEVELS, SHARES = np.linspace(0, 1, 5), np.array([0.05, 0.05, 0.1, 0.3, 0.5])
WORLDS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
    "five levels, skewed": (lambda rng, n: rng.choice(LEVELS, n, p=SHARES), float(LEVELS @ SHARES)),
    "won or lost, half": (lambda rng, n: 1.0 * (rng.random(n) < 0.5), 0.5),
    "won or lost, 90%": (lambda rng, n: 1.0 * (rng.random(n) < 0.9), 0.9),
    "t with 3 df": (lambda rng, n: rng.standard_t(3, size=n), 0.0),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "lognormal": (lambda rng, n: np.exp(rng.normal(size=n)), float(np.exp(0.5))),
    "Pareto 2.1": (lambda rng, n: rng.pareto(2.1, size=n), 1 / 1.1),
}


def estimate(methods: list[Method], function: Function | None = None, resamples: int = RESAMPLES):
    """Return an estimator that gives a result for every method, from one set of draws."""

    def of(values: np.ndarray) -> dict[str, Result]:
        # The data's own bytes seed the resampling: draws do not share it.
        seed = int.from_bytes(np.ascontiguousarray(values).tobytes()[:7], "big")
        ids = [str(i) for i in range(len(values))]
        found = Bootstrap(ids, seed=seed, resamples=resamples).means(values)
        found = found.map(function) if function else found
        return {m.value: found.results(["x"], method=m)[0] for m in methods}

    return of


def means() -> None:
    """Print Student's t for means over prompts, and how often it carries a caution."""
    header()
    rows: list[Covered] = []
    for n in (10, 25, 50, 100, 200, 400):
        for name, (draw, truth) in WORLDS.items():
            of = estimate([Method.T], resamples=0)
            rows += coverage(
                name, lambda rng, d=draw, n=n: d(rng, n), of, {"cluster_t": truth}, DRAWS
            ).values()
    short = [r for r in rows if r.share < 0.93]
    right = [r for r in rows if 0.93 <= r.share <= 0.97]
    for what, group in (("below 93%", short), ("93-97%", right)):
        warned = np.mean([r.warned for r in group])
        print(f"{len(group)} settings with coverage {what}: {warned:.0%} of results with a caution")


def methods() -> None:
    """Print the three intervals of a mean beside each other."""
    header()
    three = [Method.T, Method.PERCENTILE, Method.BCA]
    for n in (10, 25, 50, 200):
        for name in ("normal", "five levels, skewed", "lognormal"):
            draw, truth = WORLDS[name]
            truths = {m.value: truth for m in three}
            coverage(name, lambda rng, d=draw, n=n: d(rng, n), estimate(three), truths, DRAWS)


def functions() -> None:
    """Print the three intervals of functions of means, at 50 prompts."""
    header()
    three = [Method.T, Method.PERCENTILE, Method.BCA]
    for name, (simulate, function, truth) in _functions(50).items():
        coverage(name, simulate, estimate(three, function), {m.value: truth for m in three}, DRAWS)


def _functions(n: int) -> dict[str, tuple[Callable[[Rng], np.ndarray], Function, float]]:
    curve = 0.4 * np.sin(np.linspace(0, 2.4, 11))

    def arms(rng: Rng) -> np.ndarray:
        prompt = rng.exponential(size=(n, 1))
        return prompt + [0, 0.2] + 0.3 * rng.normal(size=(n, 2))

    def curves(rng: Rng) -> np.ndarray:
        return curve + 0.5 * rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, 11))

    def pairs(rng: Rng) -> np.ndarray:
        x = rng.normal(size=n)
        y = 0.6 * x + 0.8 * rng.normal(size=n)
        return np.column_stack([x, y, x * x, y * y, x * y])

    def weights(rng: Rng) -> np.ndarray:
        x = rng.random(n)
        return np.column_stack([np.exp(4 * x) * x, np.exp(4 * x)])

    tilted = 1 / (1 - np.exp(-4)) - 1 / 4  # of Theorem 1: a uniform reward at 1/beta = 4
    return {
        "paired difference": (arms, lambda m: m[:, 1] - m[:, 0], 0.2),
        "area under a curve": (
            curves,
            lambda m: (m - m[:, :1]).mean(axis=1),
            float((curve - curve[0]).mean()),
        ),
        "tilted mean": (weights, lambda m: m[:, 0] / m[:, 1], float(tilted)),
        "correlation": (
            pairs,
            lambda m: (
                (m[:, 4] - m[:, 0] * m[:, 1])
                / np.sqrt((m[:, 2] - m[:, 0] ** 2) * (m[:, 3] - m[:, 1] ** 2))
            ),
            0.6,
        ),
        "highest of a curve": (curves, lambda m: m.max(axis=1), float(curve.max())),
    }


def seeds() -> None:
    """Print the t interval over seeds, and the one for seeds and prompts."""
    header()
    for n in (3, 5, 10, 20):
        for name in ("normal", "uniform", "exponential", "lognormal"):
            draw, truth = WORLDS[name]
            coverage(
                f"{name} seeds",
                lambda rng, d=draw, n=n: d(rng, n),
                lambda x: over_seeds(x, "x"),
                truth,
                DRAWS,
            )
        for sd in (0.0, 0.05, 0.5):
            coverage(
                f"{n} seeds (sd {sd}) x 100 prompts (sd 1), rest 1",
                lambda rng, n=n, sd=sd: (
                    sd * rng.normal(size=(n, 1))
                    + rng.normal(size=(1, 100))
                    + rng.normal(size=(n, 100))
                ),
                lambda x: over_seeds_and_prompts(x, "x"),
                0.0,
                DRAWS,
            )


def sequences() -> None:
    """Print how often a sequence of 1,000 looks ever errs, and its width beside t's."""
    print(
        "| values | kind | ever wrong | width at 100 (t) | width at 1,000 (t) |\n"
        "|---|---|---|---|---|"
    )
    worlds: dict[str, tuple[Draw, float]] = {
        "won or lost, half": WORLDS["won or lost, half"],
        "won or lost, 90%": WORLDS["won or lost, 90%"],
        "Beta(8, 2)": (lambda rng, n: rng.beta(8, 2, size=n), 0.8),
    }
    for name, (draw, truth) in worlds.items():
        for kind in (EmpiricalBernstein, HedgedBetting):
            wrong, widths = 0, []
            for i in range(DRAWS):
                x = draw(np.random.default_rng([0, i]), 1000)
                sequence = kind()
                sequence.update(x[:100])
                first = sequence.high - sequence.low
                sequence.update(x[100:])
                wrong += not sequence.low <= truth <= sequence.high
                widths.append((first, sequence.high - sequence.low))
            at = np.mean(widths, axis=0)
            sd = float(np.std(draw(np.random.default_rng(0), 100_000)))
            t = [2 * 1.984 * sd / 10, 2 * 1.962 * sd / 1000**0.5]
            print(
                f"| {name} | {kind.__name__} | {wrong / DRAWS:.1%} | {at[0]:.3f} ({t[0]:.3f}) "
                f"| {at[1]:.3f} ({t[1]:.3f}) |",
                flush=True,
            )


def planned() -> None:
    """Print how often the effect promised to be found is found."""
    from scipy import stats

    print("| prompts | samples | effect | found |\n|---|---|---|---|")
    for prompts, samples in ((20, 1), (50, 4), (200, 8)):
        spread = Spread.given(0.3, 0.5)
        effect = minimal_detectable_effect(spread, prompts, samples).estimate
        rng = np.random.default_rng(prompts)
        own = 0.3 * rng.normal(size=(DRAWS, prompts))
        noise = 0.5 / samples**0.5 * rng.normal(size=(DRAWS, prompts))
        p = stats.ttest_1samp(own + noise + effect, 0, axis=1).pvalue
        print(f"| {prompts} | {samples} | {effect:.3f} | {(p < 0.05).mean():.1%} |")


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    parts = {f.__name__: f for f in (means, methods, functions, seeds, sequences, planned)}
    for part in sys.argv[1:] or parts:
        print(f"\n{part}\n")
        parts[part]()
