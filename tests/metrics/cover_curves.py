"""Coverage, false alarms and power of peak, drop, onset, AUC and fits, by simulation.

    python tests/metrics/cover_curves.py [DRAWS] [SECTION ...]

Sections: ``peak`` (with onset), ``power``, ``rules`` (simpler ones for an onset), ``area`` (AUC, α,
β), ``pairs`` (of arms), ``seeds``. One prompt's gold is the curve plus a prompt's level (sd 1) plus
noise (sd 1), independent at every checkpoint unless said otherwise. Eleven checkpoints; KL grows as
the square of the step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from coverage_table import coverage, header
from scipy import stats

from rubricbench.metrics.auc import auc
from rubricbench.metrics.compare import compare_arms
from rubricbench.metrics.fits import fit_rl
from rubricbench.metrics.holm import holm
from rubricbench.metrics.onset import onset
from rubricbench.metrics.peak import crossfit, peak_and_drop
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Result
from rubricbench.metrics.trajectory import Trajectory

CHECKPOINTS = 11
AT = np.linspace(0, 1, CHECKPOINTS)
SHAPES = {
    "flat": np.zeros(CHECKPOINTS),
    "rises, then flat": np.minimum(AT / 0.3, 1.0),
    "rising": AT,
    "peaked": 1 - 4 * (AT - 0.5) ** 2,
    "one high checkpoint": np.where(np.arange(CHECKPOINTS) == 4, 1.0, 0.0),
}
REACH = 4.0  # √KL of the last checkpoint
ALPHA, BETA = 1.0, 0.6


def run_of(
    mean: np.ndarray,
    prompts: int,
    rng: np.random.Generator,
    *,
    seed: int = 0,
    level: float = 1.0,
    levels: np.ndarray | None = None,
) -> Trajectory:
    """Draw a run around a mean curve."""
    shape = (len(mean), prompts)
    levels = level * rng.standard_normal(prompts) if levels is None else levels
    spread = rng.gamma(4.0, 0.25, size=shape)  # mean 1: prompts differ in KL
    return Trajectory(
        arm="arm",
        seed=seed,
        steps=np.arange(len(mean)) * 20,
        prompts=np.array([f"p{i:04d}" for i in range(prompts)]),
        columns={
            "gold": mean[:, None] + levels + rng.standard_normal(shape),
            "proxy": np.linspace(0, 3, len(mean))[:, None] + rng.standard_normal(shape),
            "kl": (REACH * np.linspace(0, 1, len(mean))[:, None]) ** 2 * spread,
        },
        samples=np.ones(shape, dtype=np.int64),
        base={"gold": (0.0, 1.0), "proxy": (0.0, 1.0)},
    )


def peaks(draws: int) -> None:
    """Print coverage of peak and drop, the bias of naive ones, and the rate of onsets."""
    header()
    more = []
    for name, mean in SHAPES.items():
        for prompts in (50, 200):
            naive: list[float] = []
            onsets: list[bool] = []

            def estimate(run: Trajectory, naive: list[float] = naive, onsets=onsets):  # type: ignore[no-untyped-def]
                naive.append(float(run.gold.mean(axis=1).max()))
                onsets.append(onset([run]).step.over_prompts.estimate is not None)
                found = peak_and_drop([run])
                return {"peak": found.peak.over_prompts, "drop": found.drop.over_prompts}

            table = coverage(
                name,
                lambda rng, mean=mean, prompts=prompts: run_of(mean, prompts, rng),
                estimate,
                {"peak": mean.max(), "drop": mean.max() - mean[-1]},
                draws,
            )
            bias = np.mean(naive) - mean.max()
            more.append(
                f"| {name} | {prompts} | {bias:+.3f} | {table['peak'].bias:+.3f} "
                f"| {np.mean(onsets):.1%} |"
            )
    print("\n| gold | prompts | bias of the naive peak | of the cross-fitted | onsets found |")
    print("|---|---|---|---|---|\n" + "\n".join(more))


def power(draws: int) -> None:
    """Print how often, and how late, a fall is found by its size."""
    print("| fall | prompts | found | median delay (checkpoints) | found before | detectable |")
    print("|---|---|---|---|---|---|")
    start = 6
    for prompts in (50, 200):
        for fall in (0.2, 0.4, 0.6, 0.8, 1.0):
            mean = np.where(np.arange(CHECKPOINTS) < start, np.minimum(AT / 0.3, 1.0), 1 - fall)
            found, limits = [], []
            for i in range(draws):
                run = run_of(mean, prompts, np.random.default_rng([7, i]))
                result = onset([run])
                limits.append(result.detectable.over_prompts.estimate)
                step = result.step.over_prompts.estimate
                found.append(np.nan if step is None else step / 20 - start)
            late = np.array(found)
            seen = late[~np.isnan(late)]
            print(
                f"| {fall} | {prompts} | {len(seen) / draws:.1%} | "
                f"{np.median(seen) if len(seen) else np.nan:.0f} | {np.mean(late < 0):.1%} | "
                f"{np.mean(limits):.2f} |",
                flush=True,
            )


def rules(draws: int) -> None:
    """Print what simpler rules for an onset do, on flat gold and on a fall of 0.4."""
    print("| rule | prompts | onsets in flat gold | a fall of 0.4 found |")
    print("|---|---|---|---|")
    fallen = np.where(np.arange(CHECKPOINTS) < 6, np.minimum(AT / 0.3, 1.0), 0.6)
    for name, rule in RULES.items():
        for prompts in (50, 200):
            shares = [
                np.mean(
                    [
                        rule(run_of(mean, prompts, np.random.default_rng([8, i])).gold.T)
                        for i in range(draws)
                    ]
                )
                for mean in (SHAPES["flat"], fallen)
            ]
            print(f"| {name} | {prompts} | {shares[0]:.1%} | {shares[1]:.1%} |", flush=True)
    print("\n| checkpoints | noise | Holm: onsets in flat gold | ours |\n|---|---|---|---|")
    for count in (5, 40):
        for memory in (0.0, 0.8):
            runs = [_lasting(count, memory, np.random.default_rng([9, i])) for i in range(draws)]
            simple = np.mean([_running(r.gold.T, r.gold.T, correct=True) for r in runs])
            ours = np.mean([onset([r]).step.over_prompts.estimate is not None for r in runs])
            print(f"| {count} | {memory} | {simple:.1%} | {ours:.1%} |", flush=True)


def _lasting(count: int, memory: float, rng: np.random.Generator) -> Trajectory:
    """Return a flat run whose noise at a checkpoint is in part that of the one before."""
    run = run_of(np.zeros(count), 100, rng, level=0.0)
    gold = run.gold.copy()
    for t in range(1, count):
        gold[t] = memory * gold[t - 1] + np.sqrt(1 - memory**2) * gold[t]
    return replace(run, columns={**run.columns, "gold": gold})


def _running(chosen: np.ndarray, measured: np.ndarray, *, correct: bool) -> bool:
    """Return whether gold is below its peak at two checkpoints running, each tested at 5%."""
    top = int(chosen.mean(axis=0).argmax())
    if top > chosen.shape[1] - 3:
        return False
    fall = measured[:, [top]] - measured[:, top + 1 :]
    p = stats.ttest_1samp(fall, 0.0, alternative="greater").pvalue
    clear = (holm(p) if correct else p) < 0.05
    return bool((clear[:-1] & clear[1:]).any())


RULES = {
    "single bounds at 95%": lambda gold: _running(gold, gold, correct=False),
    "Holm": lambda gold: _running(gold, gold, correct=True),
    "t* on half, Holm on the other": lambda gold: _running(gold[::2], gold[1::2], correct=True),
}


def areas(draws: int) -> None:
    """Print coverage of AUC, and of α, β and d* of Gao's RL form."""
    header()
    d = REACH * AT
    with np.errstate(divide="ignore", invalid="ignore"):
        gao = np.where(d > 0, d * (ALPHA - BETA * np.log(d)), 0.0)
    top = float(np.exp(ALPHA / BETA - 1))
    for name, mean in {"flat": SHAPES["flat"], "rising": AT, "Gao's form": gao}.items():
        for prompts in (50, 200):
            truth = float(np.trapezoid(mean - mean[0], d) / REACH)
            coverage(
                name,
                lambda rng, mean=mean, prompts=prompts: run_of(mean, prompts, rng),
                lambda run: {"AUC": auc({"arm": [run]})["arm"].area.over_prompts},
                {"AUC": truth},
                draws,
            )
            if name == "Gao's form":
                coverage(
                    name,
                    lambda rng, mean=mean, prompts=prompts: run_of(mean, prompts, rng),
                    _fitted,
                    {"α": ALPHA, "β": BETA, "d*": top},
                    draws,
                )


def _fitted(run: Trajectory) -> dict[str, Result]:
    fit = fit_rl([run], resamples=1000)
    return {
        "α": fit.alpha.over_prompts,
        "β": fit.beta.over_prompts,
        "d*": fit.turnover.over_prompts,
    }


def pairs(draws: int) -> None:
    """Print the coverage of differences of peak and drop, also with the choice taken as given."""
    header()
    for one, other in (("flat", "flat"), ("peaked", "rising")):
        for prompts in (50, 200):
            means = (SHAPES[one], SHAPES[other])
            tops = means[0].max() - means[1].max()

            def simulate(rng: np.random.Generator, means=means, prompts=prompts):  # type: ignore[no-untyped-def]
                levels = rng.standard_normal(prompts)
                a, b = (run_of(mean, prompts, rng, levels=levels) for mean in means)
                return {"arm": [a], "b": [replace(b, arm="b")]}

            coverage(
                f"{one} less {other}",
                simulate,
                _differences,
                {
                    "peak": tops,
                    "drop": tops - (means[0][-1] - means[1][-1]),
                    "peak, choice taken as given": tops,
                },
                draws,
            )


def _differences(arms: dict[str, list[Trajectory]]) -> dict[str, Result]:
    found = {
        c.figure.removeprefix("gold_"): c.difference.over_prompts
        for c in compare_arms(arms, resamples=200)
    }
    chosen = [crossfit(runs[0].gold.T, runs[0].prompts) for runs in arms.values()]
    boot = Bootstrap(arms["arm"][0].prompts, resamples=0)
    found["peak, choice taken as given"] = boot.means(chosen[0] - chosen[1]).results(["peak"])[0]
    return found


def seeds(draws: int) -> None:
    """Print the coverage over three seeds that differ (sd 0.2) in a whole curve's height.

    The seeds share their prompts: with prompts that differ in level, and without.
    """
    header()
    for level in (1.0, 0.0):
        _seeds(level, draws)


def _seeds(level: float, draws: int) -> None:
    mean = SHAPES["peaked"]

    def simulate(rng: np.random.Generator) -> list[Trajectory]:
        levels = level * rng.standard_normal(100)
        return [
            run_of(mean * (1 + 0.2 * rng.standard_normal()), 100, rng, seed=s, levels=levels)
            for s in range(3)
        ]

    def estimate(runs: list[Trajectory]) -> dict[str, Result]:
        found = peak_and_drop(runs)
        area = auc({"arm": runs})["arm"].area
        return {
            "peak over seeds": found.peak.over_seeds,
            "peak over prompts": found.peak.over_prompts,
            "drop over seeds": found.drop.over_seeds,
            "AUC over seeds": area.over_seeds,
            "AUC over prompts": area.over_prompts,
        }

    area = float(np.trapezoid(mean, AT))
    truth = {"peak": 1.0, "drop": 1.0, "AUC": area}
    names = ("peak over seeds", "peak over prompts", "drop over seeds")
    names = (*names, "AUC over seeds", "AUC over prompts")
    coverage(
        f"3 seeds, prompts' sd {level:.0f}",
        simulate,
        estimate,
        {n: truth[n.split()[0]] for n in names},
        draws,
    )


def main(arguments: Sequence[str]) -> None:
    """Run the sections named, or all."""
    draws = int(arguments[0]) if arguments else 2000
    sections = {
        "peak": peaks,
        "power": power,
        "rules": rules,
        "area": areas,
        "pairs": pairs,
        "seeds": seeds,
    }
    for name in arguments[1:] or sections:
        print(f"\n{name}, {draws:,} draws\n")
        sections[name](draws)


if __name__ == "__main__":
    main(sys.argv[1:])
