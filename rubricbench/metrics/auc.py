"""Area under the gold curve: the mean gain in gold over the same range of √KL for every arm.

(1/D) ∫₀ᴰ [G(d) − G(0)] dd, with d = √KL and D the smallest of the arms' largest d: how much gold an
arm yields for the distance it goes, on average over the way. G is joined by straight lines between
checkpoints. d need not grow from checkpoint to checkpoint: they are put in the order of d, which
makes G a function of distance whatever the order in which it was travelled, and checkpoints of
equal d count as their mean. Step 0 stands at d = 0, where its KL is by definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import LEVEL, Caution, Result, caution, not_computable
from rubricbench.metrics.runs import Seeded, mean_run, not_logged, seeded, starts_at_base
from rubricbench.metrics.trajectory import KL, Trajectory

Floats = NDArray[np.float64]


class Auc(msgspec.Struct, frozen=True, kw_only=True):
    """Area of an arm, per unit of √KL.

    Args:
        area: mean gain in gold reward over d from 0 to D.
        reach: D, in √nats; the same for all arms.
    """

    area: Seeded
    reach: Result


def auc(arms: Mapping[str, Sequence[Trajectory]], *, level: float = LEVEL) -> dict[str, Auc]:
    """Return the area under the gold curve of every arm, over the range that all share.

    Args:
        arms: runs by arm, each arm's of different seeds. Prompts that not all arms have are left
            out, and said.
        level: confidence level.

    Raises:
        InputError: no arm, no shared prompt, or as `runs.mean_run`.
    """
    whole = {arm: mean_run(runs) for arm, runs in arms.items()}
    usable = {arm: run for arm, run in whole.items() if not why_not(run)}
    found = {arm: _none(why_not(run), run) for arm, run in whole.items() if arm not in usable}
    if usable:
        every = [run for arm in usable for run in arms[arm]]
        joint = Joint.of([*usable.values(), *every])
        boot = Bootstrap(joint.prompts, resamples=0, level=level)
        found |= _areas(usable, arms, joint, boot)
    return {arm: found[arm] for arm in arms}


def area(d: Floats, gain: Floats, reach: Floats) -> Floats:
    """Return (1/D) ∫₀ᴰ of a broken line, for rows of curves.

    Args:
        d: √KL, shape ``(rows, T)``, in any order, 0 at one point at least.
        gain: G(d) − G(0), the same shape.
        reach: D of every row, positive, shape ``(rows,)``. Beyond its last point a curve goes on
            level.

    Returns:
        Shape ``(rows,)``; NaN where D is 0.
    """
    order = np.argsort(d, axis=1, kind="stable")
    x = np.take_along_axis(d, order, axis=1)
    y = _tied_means(x, np.take_along_axis(gain, order, axis=1))
    right = np.minimum(x[:, 1:], reach[:, None])
    width = np.maximum(right - x[:, :-1], 0)
    span = np.diff(x, axis=1)
    slope = np.divide(np.diff(y, axis=1), span, out=np.zeros_like(span), where=span > 0)
    inside = (width * (y[:, :-1] + slope * width / 2)).sum(axis=1)
    beyond = np.maximum(reach - x[:, -1], 0) * y[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(reach > 0, (inside + beyond) / reach, np.nan)


def _tied_means(x: Floats, y: Floats) -> Floats:
    """Return y with its mean wherever sorted x is equal."""
    if not (np.diff(x, axis=1) == 0).any():
        return y
    same = x[:, :, None] == x[:, None, :]
    return np.asarray((same * y[:, None, :]).sum(axis=2) / same.sum(axis=2))


@dataclass(frozen=True)
class Joint:
    """Gold and KL of several runs on the prompts they share, as columns of one matrix.

    Args:
        prompts: ids, shape ``(P,)``.
        values: shape ``(P, columns)``: of every run gold, then KL, at its checkpoints.
        widths: checkpoints of every run.
        lost: prompts that not all have.
    """

    prompts: NDArray[np.str_]
    values: Floats
    widths: tuple[int, ...]
    lost: int

    @classmethod
    def of(cls, runs: Sequence[Trajectory]) -> Joint:
        """Put runs with KL side by side."""
        prompts, union = runs[0].prompts, runs[0].prompts
        for run in runs[1:]:
            prompts = np.intersect1d(prompts, run.prompts)
            union = np.union1d(union, run.prompts)
        if not len(prompts):
            raise InputError(
                "the arms share no prompt", hint="evaluate all arms on the same prompts"
            )
        blocks = []
        for run in runs:
            rows = np.searchsorted(run.prompts, prompts)
            assert run.kl is not None
            blocks += [run.gold[:, rows].T, run.kl[:, rows].T]
        lost = len(union) - len(prompts)
        return cls(prompts, np.hstack(blocks), tuple(len(r.steps) for r in runs), lost)

    def curves(self, means: Floats) -> list[tuple[Floats, Floats]]:
        """Return d and gain of every run, each of shape ``(rows, T)``, from column means."""
        found, at = [], 0
        for width in self.widths:
            gold, kl = means[:, at : at + width], means[:, at + width : at + 2 * width]
            d = np.sqrt(np.maximum(kl, 0))
            found.append((np.hstack([np.zeros_like(d[:, :1]), d[:, 1:]]), gold - gold[:, :1]))
            at += 2 * width
        return found

    def areas(self, means: Floats) -> Floats:
        """Return the area of every run over the range all share, and that range, last."""
        curves = self.curves(means)
        reach = np.min([d.max(axis=1) for d, _ in curves], axis=0)
        columns = [area(d, gain, reach) for d, gain in curves]
        return np.stack([*columns, reach], axis=1)


def why_not(run: Trajectory) -> str:
    """Return why a run has no area, or nothing."""
    if run.kl is None:
        return f"{not_logged(run, 'KL', *KL)}: there is no distance to integrate over"
    if not starts_at_base(run):
        return "no step 0: the gain is counted from the initial policy"
    if len(run.steps) < 2:
        return "one checkpoint"
    distance = run.distance()
    if distance is None or not distance[1:].max() > 0:
        return "KL is zero throughout: the policy has not moved"
    return ""


def _areas(
    usable: Mapping[str, Trajectory],
    arms: Mapping[str, Sequence[Trajectory]],
    joint: Joint,
    boot: Bootstrap,
) -> dict[str, Auc]:
    draws = boot.means(joint.values).map(joint.areas)
    items = sum(int(run.samples.sum()) for run in usable.values())
    lost = [caution("unpaired", f"{joint.lost} prompts are not in all arms")] * (joint.lost > 0)
    results = _results(draws, items, lost)
    found, at = {}, len(usable)
    for i, (arm, run) in enumerate(usable.items()):
        each = results[at : at + len(arms[arm])]
        at += len(arms[arm])
        whole = results[i].with_warnings(run.cautions)
        found[arm] = Auc(area=seeded(whole, each), reach=results[-1])
    return found


def _results(draws: Replicates, items: int, more: Sequence[Caution]) -> list[Result]:
    width = draws.point.shape[1]
    names = [*["gold_auc"] * (width - 1), "auc_reach"]
    return draws.results(names, items=items, warnings=more)


def _none(why: str, run: Trajectory) -> Auc:
    n, items = len(run.prompts), int(run.samples.sum())
    none = not_computable("gold_auc", why, n=n, items=items)
    over = not_computable("gold_auc", why, unit="seeds")
    return Auc(
        area=Seeded(over_prompts=none, over_seeds=over),
        reach=msgspec.structs.replace(none, name="auc_reach"),
    )
