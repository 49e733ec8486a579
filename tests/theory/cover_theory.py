"""How often the predictions' intervals hold the truth; prints a markdown table.

``PYTHONPATH=tests/theory python tests/theory/cover_theory.py [draws] [resamples]``; with resamples
above 0 the bootstrap intervals stand beside the t interval.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from dataclasses import dataclass, field

from theory_worlds import WORLDS, World

from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Method
from rubricbench.theory.optimum import ExactTilt, RankTilt

KLS = (0.5, 1.0)
# Prompts and samples a prompt; a proxy with a normal distribution carries KL 0.5 there, not 1.
SETTINGS = ((50, 128), (20, 128))
Key = tuple[str, float, Method]


@dataclass
class Tally:
    methods: tuple[Method, ...]
    hits: Counter[Key] = field(default_factory=Counter)
    total: Counter[Key] = field(default_factory=Counter)
    error: Counter[tuple[str, float]] = field(default_factory=Counter)

    def add(self, name: str, kl: float, draws: Replicates, column: int, truth: float) -> None:
        self.error[name, kl] += float(draws.point[0, column]) - truth
        for method in self.methods:
            low, high = draws.interval(method)
            self.total[name, kl, method] += 1
            self.hits[name, kl, method] += bool(low[column] <= truth <= high[column])


def one(world: World, seed: int, prompts: int, each: int, resamples: int, tally: Tally) -> None:
    samples = world.samples(seed, prompts, each)
    boot = Bootstrap(samples.prompts, seed=seed, resamples=resamples)
    exact, ranks = ExactTilt(samples, KLS), RankTilt(samples)
    draws, reached = exact.replicates(boot), exact.at_each()
    for i, kl in enumerate(KLS):
        gold, win = world.truth(kl)
        if reached[i].shown:
            tally.add("gold", kl, draws["gold"], i, gold)
            tally.add("win rate", kl, draws["win"], i, win)
        if world.name.startswith("rubric"):  # by ranks a policy that breaks ties is meant
            continue
        found, at = ranks.at(kl)
        if at.shown:
            tally.add("rank win rate", kl, boot.means(found["win"]), 0, win)


def main(draws: int, resamples: int) -> None:
    methods = (Method.T, Method.PERCENTILE, Method.BCA) if resamples else (Method.T,)
    print("| world | prompts × samples | figure | KL | draws | mean error |", end="")
    print("".join(f" {m.value} |" for m in methods))
    print("|---" * (6 + len(methods)) + "|")
    for world, (prompts, each) in itertools.product(WORLDS, SETTINGS):
        tally = Tally(methods)
        for seed in range(draws):
            one(world, seed, prompts, each, resamples, tally)
        for name, kl in tally.error:
            n = tally.total[name, kl, Method.T]
            cells = [f"{tally.hits[name, kl, m] / n:.1%}" for m in methods]
            error = tally.error[name, kl] / n
            start = f"| {world.name} | {prompts} × {each} | {name} | {kl:g} | {n:,}"
            print(f"{start} | {error:+.4f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*(int(x) for x in (*sys.argv[1:], *("2000", "0")[len(sys.argv) - 1 :])))
