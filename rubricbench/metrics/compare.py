"""Arms compared in pairs: the differences of peak, drop, area and final gold, on the same prompts.

Prompts that all arms have are resampled together, so that their difficulty cancels. Final gold and
area have Student's t from the prompts' influences. Peak and drop do not: which checkpoint a half of
the prompts chooses depends on all of it, and a standard error that takes the choice as given
(the spread of the prompts' gold at checkpoints chosen without them) is too small, so that its 95%
intervals cover 80 to 90%. Theirs is the standard deviation of the whole procedure, choice included,
over resamples of the prompts (docs/metrics.md). The p-values of all pairs and figures are corrected
together by Holm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from rubricbench.errors import InputError
from rubricbench.metrics.auc import Joint, why_not
from rubricbench.metrics.holm import holm
from rubricbench.metrics.peak import ROUNDING, crossfit_of, halves
from rubricbench.metrics.resample import FEW_PROMPTS_BOOTSTRAP, Bootstrap
from rubricbench.metrics.result import LEVEL, Caution, Method, Result, caution, not_computable
from rubricbench.metrics.runs import Seeded, mean_run, restricted
from rubricbench.metrics.seeds import seed_difference
from rubricbench.metrics.trajectory import Trajectory

RESAMPLES = 1000
_FLAT = 1e-12
FIGURES = ("final_gold", "gold_peak", "gold_drop", "gold_auc")

Floats = NDArray[np.float64]
Arms = Mapping[str, Sequence[Trajectory]]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of two arms.

    Args:
        figure: ``final_gold``, ``gold_peak``, ``gold_drop`` or ``gold_auc``.
        first: an arm.
        second: another.
        difference: of first less second; over seeds, of the seeds that both have.
        p: two-sided, over prompts; None where there is no interval.
        p_holm: corrected for all comparisons made together.
    """

    figure: str
    first: str
    second: str
    difference: Seeded
    p: float | None = None
    p_holm: float | None = None


@dataclass(frozen=True)
class _Figure:
    """A figure of every arm on the same prompts, and values whose spread gives standard errors."""

    point: dict[str, float]
    draws: dict[str, Floats]  # each (R,): bootstrap draws, or values without each prompt in turn
    method: Method
    n: int

    def difference(self, first: str, second: str) -> tuple[float, float]:
        """Return first less second and its standard error."""
        spread = self.draws[first] - self.draws[second]
        if self.method is Method.T:
            error = np.sqrt((self.n - 1) / self.n * ((spread - spread.mean()) ** 2).sum())
        else:  # a bootstrap mean varies by (n − 1)/n of what a sample mean does
            error = spread.std(ddof=1) * np.sqrt(self.n / (self.n - 1))
        return self.point[first] - self.point[second], float(error)


def compare_arms(
    arms: Arms, *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[Comparison, ...]:
    """Return the paired difference of every figure for every pair of arms.

    Args:
        arms: two or more, runs by arm, each arm's of different seeds. Areas are taken over the
            range of √KL that all arms with KL share.
        seed: of the splits and the bootstrap.
        resamples: of the bootstrap.
        level: confidence level.

    Raises:
        InputError: one arm only, no shared prompt, or as `runs.mean_run`.
    """
    if len(arms) < 2:
        raise InputError("one arm", hint="give two or more to compare")
    whole = {arm: mean_run(runs) for arm, runs in arms.items()}
    prompts = reduce(np.intersect1d, [run.prompts for run in whole.values()])
    if not len(prompts):
        raise InputError("the arms share no prompt", hint="evaluate all on the same prompts")
    lost = sum(len(run.prompts) > len(prompts) for run in whole.values())
    more = (caution("left_out", f"{lost} arms have prompts that not all have"),) * (lost > 0)
    whole = {arm: restricted(run, run.steps, prompts) for arm, run in whole.items()}
    boot = Bootstrap(prompts, seed=seed, resamples=resamples, level=level)
    figures = _figures(whole, boot, seed) if len(prompts) > 1 else {}
    each = _of_seeds(arms, seed)
    found = [
        _comparison(name, first, second, figures.get(name), each, boot, more)
        for name in FIGURES
        for first, second in combinations(arms, 2)
    ]
    return _corrected(found)


def _figures(whole: Mapping[str, Trajectory], boot: Bootstrap, seed: int) -> dict[str, _Figure]:
    found = {"final_gold": _means({a: run.gold[-1] for a, run in whole.items()}, boot)}
    curves = {a: np.ascontiguousarray(r.gold.T) for a, r in whole.items() if len(r.steps) > 1}
    found |= _peaks(curves, next(iter(whole.values())).prompts, boot, seed)
    known = {arm: run for arm, run in whole.items() if not why_not(run)}
    if known:
        joint = Joint.of(list(known.values()))
        draws = Bootstrap(joint.prompts, resamples=0).means(joint.values).map(joint.areas)
        found["gold_auc"] = _Figure(
            point=dict(zip(known, draws.point[0].tolist(), strict=False)),
            draws=dict(zip(known, draws.left_out.T, strict=False)),
            method=Method.T,
            n=boot.n,
        )
    return found


def _means(values: Mapping[str, Floats], boot: Bootstrap) -> _Figure:
    n = boot.n
    return _Figure(
        point={arm: float(x.mean()) for arm, x in values.items()},
        draws={arm: (x.sum() - x) / (n - 1) for arm, x in values.items()},
        method=Method.T,
        n=n,
    )


def _peaks(
    curves: Mapping[str, Floats], prompts: NDArray[np.str_], boot: Bootstrap, seed: int
) -> dict[str, _Figure]:
    """Return peak and drop, the whole choice of the checkpoint repeated in every resample."""
    first = halves(prompts, seed)
    whole = np.ones((1, boot.n))
    counts = list(boot.counts())
    point, draws = {}, {}
    for arm, x in curves.items():
        last = x[:, -1]
        point[arm] = (float(crossfit_of(whole, x, first)[0]), float(last.mean()))
        peaks = np.concatenate([crossfit_of(c, x, first) for c in counts])
        draws[arm] = (peaks, np.concatenate([c @ last / boot.n for c in counts]))
    tops = {arm: p for arm, (p, _) in point.items()}
    falls = {arm: _fall(p, end, curves[arm]) for arm, (p, end) in point.items()}
    return {
        "gold_peak": _Figure(
            tops, {a: p for a, (p, _) in draws.items()}, Method.BOOTSTRAP_T, boot.n
        ),
        "gold_drop": _Figure(
            falls, {a: p - end for a, (p, end) in draws.items()}, Method.BOOTSTRAP_T, boot.n
        ),
    }


def _of_seeds(arms: Arms, seed: int) -> dict[str, dict[str, dict[int, float]]]:
    """Return figure -> arm -> seed -> value, of every run by itself."""
    found: dict[str, dict[str, dict[int, float]]] = {name: {} for name in FIGURES}
    usable = {
        (arm, run.seed): run for arm, runs in arms.items() for run in runs if not why_not(run)
    }
    areas: list[float] = []
    if usable:
        joint = Joint.of(list(usable.values()))
        areas = joint.areas(joint.values.mean(axis=0)[None, :])[0].tolist()
    by_run = dict(zip(usable, areas, strict=False))
    for arm, runs in arms.items():
        for run in runs:
            for name, value in _of_run(run, seed).items():
                found[name].setdefault(arm, {})[run.seed] = value
            if (arm, run.seed) in by_run:
                found["gold_auc"].setdefault(arm, {})[run.seed] = by_run[arm, run.seed]
    return found


def _of_run(run: Trajectory, seed: int) -> dict[str, float]:
    end = float(run.gold[-1].mean())
    if len(run.steps) < 2 or len(run.prompts) < 2:
        return {"final_gold": end}
    values = np.ascontiguousarray(run.gold.T)
    every = np.ones((1, len(run.prompts)))
    top = float(crossfit_of(every, values, halves(run.prompts, seed))[0])
    return {"final_gold": end, "gold_peak": top, "gold_drop": _fall(top, end, values)}


def _fall(top: float, end: float, values: Floats) -> float:
    """Return what is lost since the peak; 0 where both are one mean, summed in another order."""
    fall = top - end
    return 0.0 if abs(fall) <= ROUNDING * float(np.abs(values).max()) else fall


def _comparison(
    name: str,
    first: str,
    second: str,
    figure: _Figure | None,
    each: Mapping[str, Mapping[str, Mapping[int, float]]],
    boot: Bootstrap,
    more: Sequence[Caution],
) -> Comparison:
    label = f"{name}, {first} - {second}"
    of = each[name]
    # `seed_difference` is of its second argument less its first.
    seeds = seed_difference(of.get(second, {}), of.get(first, {}), label, level=boot.level)
    difference, p = _over_prompts(label, name, first, second, figure, boot)
    if difference.estimate is not None:
        difference = difference.with_warnings(more)
    both = Seeded(over_prompts=difference, over_seeds=seeds)
    return Comparison(figure=name, first=first, second=second, difference=both, p=p)


def _over_prompts(
    label: str, name: str, first: str, second: str, figure: _Figure | None, boot: Bootstrap
) -> tuple[Result, float | None]:
    if figure is None or first not in figure.point or second not in figure.point:
        why = "not every arm has KL and step 0" if name == "gold_auc" else "one checkpoint"
        return not_computable(label, "one prompt" if boot.n < 2 else why, n=boot.n), None
    value, error = figure.difference(first, second)
    half = float(special.stdtrit(boot.n - 1, (1 + boot.level) / 2)) * error
    few = boot.n < FEW_PROMPTS_BOOTSTRAP
    result = Result(
        name=label,
        estimate=value,
        low=value - half,
        high=value + half,
        level=boot.level,
        method=figure.method,
        n=boot.n,
        warnings=(caution("few_prompts", f"{boot.n} prompts"),) * few,
    )
    if error <= _FLAT * max(1.0, abs(value)):
        # Prompts that do not vary are no evidence, however large the difference.
        return result.with_warnings([caution("constant")]), 1.0
    return result, float(min(1.0, 2 * special.stdtr(boot.n - 1, -abs(value) / error)))


def _corrected(found: Sequence[Comparison]) -> tuple[Comparison, ...]:
    tested = [c.p for c in found if c.p is not None]
    adjusted = iter(holm(tested).tolist() if tested else ())
    return tuple(
        c if c.p is None else msgspec.structs.replace(c, p_holm=next(adjusted)) for c in found
    )
