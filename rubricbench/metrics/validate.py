"""What a table allows: which analyses can be made of it, and what each of the others lacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from rubricbench.errors import InputError
from rubricbench.metrics.columnar import columns_of
from rubricbench.metrics.points import Points, read_points
from rubricbench.metrics.run_files import RUN_FILE, read_trajectories, run_files
from rubricbench.metrics.sample_files import arms_of, read_samples, sample_file
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tables import kind_of
from rubricbench.metrics.trajectory import Trajectory

ESS = 20  # effective samples a prompt below which the tilt is withheld
TAIL_SAMPLES = 10  # of a prompt, for its best tenth to hold one
FIT_POINTS = 3


class Analysis(msgspec.Struct, frozen=True):
    """One analysis.

    Args:
        name: in the field's words.
        missing: what is missing for it; empty where it can be made.
    """

    name: str
    missing: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it can be made."""
        return not self.missing


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What one file holds and allows.

    Args:
        path: as it was given.
        layout: ``samples``, ``trajectory`` or ``points``; empty where it cannot be told.
        fault: why it cannot be read; empty where it can.
        rows: with all rewards.
        left_out: rows without a reward.
        prompts: how many.
        arms: their names.
        seeds: how many, of the arm that has fewest.
        steps: checkpoints, of the run that has fewest.
        per_prompt: least and greatest number of samples a prompt (a checkpoint).
        analyses: each with what it lacks.
        remarks: what else is worth knowing.
    """

    path: str
    layout: str = ""
    fault: str = ""
    rows: int = 0
    left_out: int = 0
    prompts: int = 0
    arms: tuple[str, ...] = ()
    seeds: int = 0
    steps: int = 0
    per_prompt: tuple[int, int] = (0, 0)
    analyses: tuple[Analysis, ...] = ()
    remarks: tuple[str, ...] = ()


def validate(path: str | Path, *, proxy: str = "proxy", gold: str = "gold") -> Validation:
    """Read a file as the analyses would, and say what it allows.

    Args:
        path: a file or a run folder.
        proxy: column of the proxy, in a samples file.
        gold: column of the gold reward, in a samples file.

    Returns:
        A file that cannot be used has a ``fault``; nothing is raised for it.
    """
    layout = ""
    try:
        layout = layout_of(path)
        if layout == "samples":
            return _of_samples(path, proxy, gold)
        if layout == "trajectory":
            return _of_runs(path)
        return _of_points(path)
    except InputError as error:
        return Validation(path=str(path), layout=layout, fault=str(error))


def layout_of(path: str | Path) -> str:
    """Return which layout a file has by its columns: samples, trajectory or points.

    Raises:
        InputError: it cannot be read.
    """
    if not Path(path).is_dir():
        return kind_of(set(columns_of(path))).name
    if (Path(path) / RUN_FILE).is_file() or any(Path(path).glob(f"*/{RUN_FILE}")):
        return "trajectory"
    return kind_of(set(columns_of(sample_file(path)))).name


def _of_samples(path: str | Path, proxy: str, gold: str) -> Validation:
    arms = arms_of(path)
    names: Sequence[str | None] = arms or [None]
    sets = [read_samples(path, proxy=proxy, gold=gold, unknown="drop", arm=a) for a in names]
    counts = np.concatenate([s.counts for s in sets])
    return Validation(
        path=str(path),
        layout="samples",
        rows=sum(s.size for s in sets),
        left_out=sum(s.left_out for s in sets),
        prompts=len(set().union(*(s.prompts.tolist() for s in sets))),
        arms=tuple(arms),
        per_prompt=(int(counts.min()), int(counts.max())),
        analyses=tuple(_sample_analyses(sets)),
        remarks=tuple(_sample_remarks(sets, path)),
    )


def _sample_analyses(sets: Sequence[Samples]) -> list[Analysis]:
    most = max(int(s.counts.max()) for s in sets)
    prompts = min(len(s.prompts) for s in sets)
    flat = all(np.ptp(s.gold) == 0 or np.ptp(s.proxy) == 0 for s in sets)
    two = "" if most >= 2 else "two samples a prompt (there is one)"
    constant = "rewards that vary" if flat else ""
    tail = f"{TAIL_SAMPLES} samples a prompt (there are at most {most})"
    tail = "" if most >= TAIL_SAMPLES else tail
    tilt = f"{ESS} samples a prompt (there are at most {most})"
    length = all("length" in s.columns for s in sets)
    return [
        Analysis("confidence intervals", "" if prompts > 1 else "two prompts (there is one)"),
        Analysis("best-of-n curve", two),
        Analysis("exact tilt", "" if most >= ESS else tilt),
        Analysis("proxy-gold agreement", two or constant),
        Analysis("within-prompt Spearman", two or constant),
        Analysis("tail accuracy", tail or constant),
        Analysis("best-of-n fit (α, β, γ)", "" if most >= 6 else _few(6, most)),
        Analysis("prediction of Theorem 1", tail or constant),
        Analysis("correlation with length", "" if length else "a column length"),
        Analysis("comparison of arms", "" if len(sets) > 1 else "a column arm with two arms"),
    ]


def _few(needed: int, most: int) -> str:
    return f"{needed} samples a prompt (there are at most {most})"


def _sample_remarks(sets: Sequence[Samples], path: str | Path) -> list[str]:
    remarks = []
    left_out = sum(s.left_out for s in sets)
    if left_out:
        remarks.append(f"{left_out:,} rows lack a reward: --unknown drop leaves them out")
    if "response_id" not in columns_of(sample_file(path)):
        remarks.append("no column response_id: a response that stands twice cannot be noticed")
    for name in ("proxy", "gold"):
        if any(np.ptp(getattr(s, name)) == 0 for s in sets):
            remarks.append(f"the {name} does not vary")
    prompts = min(len(s.prompts) for s in sets)
    if prompts < 50:
        remarks.append(f"{prompts} prompts: intervals may cover less often than they say")
    return remarks


def _of_runs(path: str | Path) -> Validation:
    runs = read_trajectories(path, unknown="drop")
    arms = sorted({r.arm for r in runs})
    samples = np.concatenate([r.samples.ravel() for r in runs])
    return Validation(
        path=str(path),
        layout="trajectory",
        rows=int(samples.sum()),
        prompts=len(set().union(*(r.prompts.tolist() for r in runs))),
        arms=tuple(arms),
        seeds=min(sum(r.arm == a for r in runs) for a in arms),
        steps=min(len(r.steps) for r in runs),
        per_prompt=(int(samples.min()), int(samples.max())),
        analyses=tuple(_run_analyses(runs, len(arms))),
        remarks=tuple(_run_remarks(runs, arms, len(run_files(path)))),
    )


def _run_analyses(runs: Sequence[Trajectory], arms: int) -> list[Analysis]:
    steps = min(len(r.steps) for r in runs)
    prompts = min(len(r.prompts) for r in runs)
    base = "" if all(r.base for r in runs) else "rows of step 0, the initial policy"
    proxy = "" if all(r.proxy is not None for r in runs) else "a column proxy"
    kl = "" if all(r.kl is not None for r in runs) else "a column kl or kl_k1"
    two = "" if steps >= 2 else "two checkpoints (there is one)"
    three = "" if steps >= FIT_POINTS else f"three checkpoints (there are {steps})"
    pairs = "" if prompts >= 2 else "two prompts (there is one)"
    drift = [n for n in ("length", "ended", "repetition") if all(n in r.columns for r in runs)]
    win = all("win" in r.columns for r in runs)
    return [
        Analysis("confidence intervals", pairs),
        Analysis("gold peak and drop", two or pairs),
        Analysis("proxy-gold gap", proxy or base),
        Analysis("onset of over-optimization", proxy or three or pairs),
        Analysis("area under gold over √KL", kl or base or two),
        Analysis("RL fit (α, β)", kl or base or three),
        Analysis("win-rate curve", "" if win else "a column win"),
        Analysis("drift", "" if drift else "a column length, ended or repetition"),
        Analysis("comparison of arms", "" if arms > 1 else "a second arm"),
    ]


def _run_remarks(runs: Sequence[Trajectory], arms: Sequence[str], files: int) -> list[str]:
    remarks = [c.text for r in runs for c in r.cautions]
    seeds = min(sum(r.arm == a for r in runs) for a in arms)
    if seeds < 3:
        remarks.append(f"{seeds} seed{'s' if seeds > 1 else ''} an arm: three at least for a claim")
    prompts = min(len(r.prompts) for r in runs)
    if prompts < 50:
        remarks.append(f"{prompts} prompts: intervals may cover less often than they say")
    if files > 1:
        remarks.append(f"read from {files} files")
    return list(dict.fromkeys(remarks))


def _of_points(path: str | Path) -> Validation:
    curves = read_points(path)
    arms = sorted({c.arm for c in curves})
    return Validation(
        path=str(path),
        layout="points",
        rows=sum(len(c.steps) for c in curves),
        arms=tuple(arms),
        seeds=min(sum(c.arm == a for c in curves) for a in arms),
        steps=min(len(c.steps) for c in curves),
        analyses=tuple(_point_analyses(curves)),
    )


def _point_analyses(curves: Sequence[Points]) -> list[Analysis]:
    steps = min(len(c.steps) for c in curves)
    kl = "" if all(c.kl is not None for c in curves) else "a column kl"
    three = "" if steps >= FIT_POINTS else f"three checkpoints (there are {steps})"
    base = "" if all(0 in c.steps for c in curves) else "a point at step 0"
    prompts = "prompts: points are means, nothing can be resampled"
    return [
        Analysis("confidence intervals", prompts),
        Analysis("gold peak and drop", "" if steps >= 2 else "two points"),
        Analysis("proxy-gold gap", "spreads over samples of the initial policy"),
        Analysis("onset of over-optimization", prompts),
        Analysis("area under gold over √KL", kl or base),
        Analysis("RL fit (α, β)", kl or base or three),
    ]
