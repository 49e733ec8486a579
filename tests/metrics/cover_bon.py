"""Coverage of best-of-n, tilt and equal-KL intervals, and biases by N. Prints markdown tables.

    python tests/metrics/cover_bon.py [divergence] [bias] [selection] [best-of-n] [tilt]

All of it by default: about ten minutes on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from coverage_table import coverage, header
from numpy.typing import NDArray
from scipy import integrate, optimize, special, stats

from rubricbench.metrics import Bootstrap, Result, Samples
from rubricbench.metrics.bestofn import best_of_n
from rubricbench.metrics.divergence import best_of_n_bound, best_of_n_kl, best_of_n_kl_of_levels
from rubricbench.metrics.equal_kl import tilt_at_kl
from rubricbench.metrics.tilt import Tilted, tilt

Floats = NDArray[np.float64]

N, DRAWS = 64, 2_000
LEVELS = 5  # of the tied proxies, equally likely
CORRELATION = 0.8


def samples_of(proxy: Floats, gold: Floats) -> Samples:
    """Return samples from matrices of shape (prompts, samples)."""
    ids = np.repeat([f"{i:04}" for i in range(len(proxy))], proxy.shape[1])
    return Samples.of(ids, proxy.ravel(), gold.ravel())


def world(prompts: int, kind: str, count: int = N) -> Callable[[np.random.Generator], Samples]:
    """Return a simulation: a normal score seen as a proxy of some kind; gold correlates with it.

    Gold is 0.8·score + 0.6·noise + an effect of the prompt, N(0, 1) (t with 2.5 degrees of freedom
    for ``heavy``: one prompt in some decides).
    """

    def draw(rng: np.random.Generator) -> Samples:
        score = rng.normal(size=(prompts, count))
        of_prompt = (
            rng.standard_t(2.5, (prompts, 1)) if kind == "heavy" else rng.normal(size=(prompts, 1))
        )
        noise = np.sqrt(1 - CORRELATION**2) * rng.normal(size=score.shape)
        return samples_of(_seen(score, kind), CORRELATION * score + noise + of_prompt)

    return draw


def _seen(score: Floats, kind: str) -> Floats:
    uniform = special.ndtr(score)
    if kind == "ties":
        return np.floor(LEVELS * uniform)
    return score if kind == "normal" else uniform


def best_of_n_truth(n: int, kind: str) -> float:
    """Return the gold of best-of-n: 0.8 times the expected score of the choice."""
    if kind != "ties":

        def integrand(x: float) -> float:
            return float(x * n * stats.norm.pdf(x) * special.ndtr(x) ** (n - 1))

        return CORRELATION * integrate.quad(integrand, -10, 10)[0]
    mass = np.diff((np.arange(LEVELS + 1) / LEVELS) ** n)
    return CORRELATION * float(mass @ _scores_of_levels())


def _scores_of_levels() -> Floats:
    """Return the mean score on each level: 5·(φ(a) − φ(b)) between its ends a and b."""
    ends = stats.norm.pdf(special.ndtri(np.arange(LEVELS + 1) / LEVELS))
    return np.asarray(LEVELS * (ends[:-1] - ends[1:]))


def tilt_truth(beta: float, kind: str) -> tuple[float, float]:
    """Return gold and KL under the tilt."""
    if kind == "ties":
        weight = special.softmax(np.arange(LEVELS) / beta)
        kl = float(stats.entropy(weight, np.full(LEVELS, 1 / LEVELS)))
        return CORRELATION * float(weight @ _scores_of_levels()), kl
    if kind == "normal":
        return CORRELATION / beta, 0.5 / beta**2
    a = 1 / beta
    density = a / np.expm1(a)

    def integrand(u: float) -> float:
        return float(special.ndtri(u) * density * np.exp(a * u))

    gold = integrate.quad(integrand, 0, 1)[0]
    return CORRELATION * gold, float(a / -np.expm1(-a) - 1 - np.log(np.expm1(a) / a))


def best_of_n_coverage() -> None:
    """Print the coverage of best-of-n."""
    header()
    for prompts in (20, 50, 200):
        for kind in ("normal", "ties", "heavy"):
            for n in (4, 32):
                name = f"best of {n}, {kind}"
                coverage(
                    name,
                    world(prompts, kind),
                    lambda s, n=n: _best(s, n),
                    {"gold": best_of_n_truth(n, kind), "gain": best_of_n_truth(n, kind)},
                    DRAWS,
                )


def tilt_coverage() -> None:
    """Print the coverage of the tilt, at equal β and at equal KL."""
    header()
    for prompts in (50, 200):
        for kind, beta in (("uniform", 0.3), ("ties", 1.0), ("normal", 2.0), ("normal", 1.2)):
            gold, kl = tilt_truth(beta, kind)
            coverage(
                f"tilt at β = {beta:g} (KL {kl:.2f}), {kind}",
                world(prompts, kind),
                lambda s, beta=beta: _tilt(s, beta),
                {"gold": gold, "gain": gold, "kl": kl},
                DRAWS,
            )
        for kind in ("uniform", "normal"):
            at = optimize.brentq(lambda b, kind=kind: tilt_truth(b, kind)[1] - 0.4, 0.05, 5)
            coverage(
                f"tilt at 0.4 nats, {kind}",
                world(prompts, kind),
                _at_kl,
                dict.fromkeys(("gold", "gain"), tilt_truth(at, kind)[0]),
                DRAWS,
            )


def _best(samples: Samples, n: int) -> dict[str, Result]:
    point = best_of_n(samples, [n], Bootstrap(samples.prompts, resamples=0)).points[-1]
    return {"gold": point.gold, "gain": point.gain}


def _tilt(samples: Samples, beta: float) -> dict[str, Result]:
    point = tilt(samples, [beta], Bootstrap(samples.prompts, resamples=0)).points[-1]
    return {"gold": point.gold, "gain": point.gain, "kl": point.kl}


def _at_kl(samples: Samples) -> dict[str, Result]:
    point = tilt_at_kl(samples, [0.4], Bootstrap(samples.prompts, resamples=0)).points[-1]
    return {"gold": point.gold, "gain": point.gain}


def tilt_biases(prompts: int = 4_000) -> None:
    """Print what the tilt misses of KL and of the proxy, by N, and what it estimates to miss."""
    print("\n| proxy | true KL | N | ESS | KL missed | estimated | proxy missed | estimated |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, strengths in (("uniform", (4.0, 20.0, 148.4)), ("normal", (1.0, 1.6))):
        for a in strengths:
            kl = tilt_truth(1 / a, kind)[1]
            mean = 1 / -np.expm1(-a) - 1 / a if kind == "uniform" else a
            for count in (16, 64, 256, 1_024):
                rng = np.random.default_rng([count, int(10 * a)])
                proxy = rng.random((prompts, count))
                proxy = special.ndtri(proxy) if kind == "normal" else proxy
                found = Tilted.of(samples_of(proxy, proxy)).at(np.full(prompts, a))
                row = [found[x].mean() for x in ("ess", "kl", "bias of kl", "proxy")]
                print(
                    f"| {kind} | {kl:.2f} | {count} | {row[0]:.0f} | {row[1] - kl:+.4f} | "
                    f"{row[2]:+.4f} | {row[3] - mean:+.4f} | {found['bias of gold'].mean():+.4f} |"
                )


def divergence_biases(prompts: int = 2_000) -> None:
    """Print the error of the estimated KL of best-of-n, by N and n."""
    print("\n| equal levels | N | n = 4 | n = N/4 | n = N/2 |\n|---|---|---|---|---|")
    for levels in (5, 21, 0):
        for count in (16, 64, 256):
            rng = np.random.default_rng([count, levels])
            size = (prompts, count)
            proxy = rng.integers(0, levels, size) if levels else rng.random(size)
            cells = []
            for n in (4, count // 4, count // 2):
                p = np.full(max(levels, 1), 1 / max(levels, 1))
                truth = (best_of_n_kl_of_levels(p, [n]) if levels else best_of_n_bound([n]))[0]
                found = best_of_n_kl(samples_of(proxy, proxy), [n]).mean()
                cells.append(f"{found - truth:+.3f} of {truth:.2f}")
            print(f"| {levels or 'continuous'} | {count} | {' | '.join(cells)} |")


def selection_bias(prompts: int = 4_000) -> None:
    """Print what leaving out prompts of uneven weights would do, beside keeping all."""
    print("\n| N | 1/β | true KL | missed by all | by prompts of ESS ≥ 20 | their share |")
    print("|---|---|---|---|---|---|")
    for count, a in ((128, 1.0), (128, 1.2), (512, 1.6)):
        proxy = np.random.default_rng(count).normal(size=(prompts, count))
        found = Tilted.of(samples_of(proxy, proxy)).at(np.full(prompts, a))
        even, truth = found["ess"] >= 20, a * a / 2
        print(
            f"| {count} | {a} | {truth:.2f} | {found['kl'].mean() - truth:+.3f} | "
            f"{found['kl'][even].mean() - truth:+.3f} | {even.mean():.0%} |"
        )


PARTS = {
    "divergence": divergence_biases,
    "bias": tilt_biases,
    "selection": selection_bias,
    "best-of-n": best_of_n_coverage,
    "tilt": tilt_coverage,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
        print()
