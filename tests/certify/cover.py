"""How often 95% intervals hold the truth, in the worlds of `worlds`.

python tests/certify/cover.py          # the table, 2,000 draws
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from worlds import ScoreWorld, VerdictWorld

from rubricbench.certify.agreement import OVERALL, agreement, confusion, overall
from rubricbench.certify.bridge import Form, learn
from rubricbench.certify.correct import Graded, corrected_mean, error_rates, mean_of_scores
from rubricbench.certify.measure import Measure, Prompts, mean
from rubricbench.certify.ppi import prediction_powered_mean

Truth = dict[str, float]
Draw = Callable[[np.random.Generator], Iterator[tuple[str, Measure, float]]]


@dataclass(frozen=True)
class Covered:
    """Over draws: share of intervals with the truth, mean error of the estimate, mean width."""

    share: float
    bias: float
    width: float
    draws: int


def covered(draw: Draw, draws: int, seed: int) -> dict[str, Covered]:
    """Draw worlds and return the coverage of every measure they yield."""
    found = defaultdict(list)
    for i in range(draws):
        for name, measure, truth in draw(np.random.default_rng([seed, i])):
            assert measure.interval is not None
            low, high = measure.interval
            found[name].append((low <= truth <= high, measure.value - truth, high - low))
    return {
        name: Covered(*(float(x) for x in np.mean(rows, axis=0)), len(rows))
        for name, rows in found.items()
    }


def counts(graded: Graded) -> np.ndarray:
    known = ~np.isnan(graded.credit)
    reference, judged = graded.reference[known] == 1, graded.credit[known] == 1
    return confusion(reference, judged, Prompts(graded.prompts.names[graded.prompts.of[known]]))


def judge_draw(world: VerdictWorld, prompts: int, responses: int) -> Draw:
    met, fp = 0.6, 1 - world.specificity
    cells = [met * world.sensitivity, (1 - met) * fp, met * (1 - world.sensitivity)]
    truths = dict(zip(OVERALL, overall(np.array([*cells, 1 - sum(cells)])), strict=True))
    truths |= {"sensitivity": world.sensitivity, "specificity": world.specificity}
    bias = world.mean_score(cells[0] + cells[1]) - world.mean_score(met)

    def draw(rng: np.random.Generator) -> Iterator[tuple[str, Measure, float]]:
        graded = world.draw(rng, prompts, responses, met)
        found = agreement(counts(graded))
        for name, truth in truths.items():
            yield name, found[name], truth
        judged, prompt = scores(graded, graded.credit)
        yield "score bias", mean(judged - scores(graded, graded.reference)[0], prompt), bias

    return draw


def correction_draw(world: VerdictWorld, labelled: int, target: int, quality: float) -> Draw:
    """Learn the error rates at quality 0.6; correct better responses to other prompts."""

    def draw(rng: np.random.Generator) -> Iterator[tuple[str, Measure, float]]:
        rates = error_rates(world.draw(rng, labelled, 2, 0.6, "labelled"))
        found = corrected_mean(world.draw(rng, target, 1, quality, "target"), rates)
        truth = world.mean_score(quality)
        yield "corrected mean", found.corrected, truth
        yield "judged mean (not corrected)", found.judged, truth

    return draw


def shared_prompts_draw(world: VerdictWorld, prompts: int) -> Draw:
    """Of two responses to each prompt, one is labelled and the other corrected."""

    def draw(rng: np.random.Generator) -> Iterator[tuple[str, Measure, float]]:
        both = world.draw(rng, prompts, 2, 0.6)
        labelled, target = (part(both, both.response % 2 == i) for i in (0, 1))
        found = corrected_mean(target, error_rates(labelled))
        yield "corrected mean", found.corrected, world.mean_score(0.6)

    return draw


def part(graded: Graded, mask: np.ndarray) -> Graded:
    """The responses of a mask alone."""
    return Graded(
        Prompts(graded.prompts.names[graded.prompts.of[mask]]),
        np.unique(graded.response[mask], return_inverse=True)[1],
        graded.share[mask],
        graded.credit[mask],
        graded.reference[mask],
    )


def ppi_draw(world: VerdictWorld, labelled: int, target: int, quality: float) -> Draw:
    """Responses of one population; some prompts have reference verdicts."""

    def draw(rng: np.random.Generator) -> Iterator[tuple[str, Measure, float]]:
        known = world.draw(rng, labelled, 2, quality, "labelled")
        other = world.draw(rng, target, 2, quality, "other")
        reference, prompts = scores(known, known.reference)
        judged, _ = scores(known, known.credit)
        unlabelled, others = scores(other, other.credit)
        found = prediction_powered_mean(reference, judged, prompts, unlabelled, others)
        truth = world.mean_score(quality)
        yield "PPI mean", found.mean, truth
        yield "labelled mean alone", found.labelled, truth
        yield "judged mean (not corrected)", mean_of_scores(other, other.credit), truth

    return draw


def scores(graded: Graded, values: np.ndarray) -> tuple[np.ndarray, Prompts]:
    first = np.unique(graded.response, return_index=True)[1]
    sums = np.bincount(graded.response, graded.share * values, graded.responses)
    return sums, Prompts(graded.prompts.names[graded.prompts.of[first]])


def bridge_draw(world: ScoreWorld, truth: float, both: int, target: int, form: Form) -> Draw:
    def draw(rng: np.random.Generator) -> Iterator[tuple[str, Measure, float]]:
        bridge = learn(*world.draw(rng, both, 3, "both"), form)
        a, _, prompts = world.draw(rng, target, 2, "target")
        yield f"bridge mean, {form}", bridge.mean(a, prompts), truth
        if form is Form.LINEAR and world is LINE:
            yield "bridge slope", bridge.fit.coefficient(1), 0.7

    return draw


LINE = ScoreWorld(lambda a: 0.15 + 0.7 * a)
BENT = ScoreWorld(lambda a: np.sqrt(a))
BENT_MEAN = BENT.mean()
LINE_MEAN = 0.15 + 0.7 * 3 / 5  # the Beta(3, 2) has mean 3/5, and rounding does not shift it

# name -> what is drawn; sizes are those of a real certification, one small
SETTINGS: dict[str, Draw] = {
    "60 prompts x 2, judge .85/.90": judge_draw(VerdictWorld(), 60, 2),
    "60 prompts x 2, judge .95/.97": judge_draw(VerdictWorld(0.95, 0.97), 60, 2),
    "60 prompts x 2, judge .70/.75": judge_draw(VerdictWorld(0.7, 0.75), 60, 2),
    "25 prompts x 1, judge .85/.90": judge_draw(VerdictWorld(), 25, 1),
    "200 prompts x 4, same error everywhere": judge_draw(VerdictWorld(steadiness=1e6), 200, 4),
    "correct 150 by 60, judge .85/.90": correction_draw(VerdictWorld(), 60, 150, 0.75),
    "correct 150 by 60, judge .70/.75": correction_draw(VerdictWorld(0.7, 0.75), 60, 150, 0.75),
    "correct 60 by 30, judge .85/.90": correction_draw(VerdictWorld(), 30, 60, 0.75),
    "correct 80 by the same 80 prompts": shared_prompts_draw(VerdictWorld(), 80),
    "PPI, 50 labelled of 250": ppi_draw(VerdictWorld(), 50, 200, 0.7),
    "PPI, 25 labelled of 325": ppi_draw(VerdictWorld(0.7, 0.75), 25, 300, 0.7),
    "bridge, line, 60 and 100 prompts": bridge_draw(LINE, LINE_MEAN, 60, 100, Form.LINEAR),
    "bridge, line, 20 and 40 prompts": bridge_draw(LINE, LINE_MEAN, 20, 40, Form.LINEAR),
    "bridge, bent, 60 and 100 prompts": bridge_draw(BENT, BENT_MEAN, 60, 100, Form.MONOTONE),
    "bridge, bent, 20 and 40 prompts": bridge_draw(BENT, BENT_MEAN, 20, 40, Form.MONOTONE),
}


def main(draws: int = 2000) -> None:
    for i, (setting, draw) in enumerate(SETTINGS.items()):
        print(setting)
        for name, c in covered(draw, draws, i).items():
            print(f"  {name:28} {c.share:6.1%} bias {c.bias:+.4f} width {c.width:.3f}", flush=True)


if __name__ == "__main__":
    main(*(int(n) for n in sys.argv[1:]))
