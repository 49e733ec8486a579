"""Figure 2 of "Chasing the Tail", redrawn in full, and its table: win rate at each KL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.metrics.result import Method, Result
from rubricbench.theory import theorem
from rubricbench.theory.maps import (
    IDENTITY,
    REVERSED,
    Misspecification,
    top_wrong,
    worst_wrong,
)
from rubricbench.theory.proposition import UNIFORM, Prediction, exactly, tilt, tilt_at

KLS = (0.5, 1.0, 2.0, 3.0, 4.0)
TABLE_MAPS = (
    IDENTITY,
    top_wrong(0.10),
    top_wrong(0.25),
    top_wrong(0.50),
    worst_wrong(0.50),
    worst_wrong(0.60),
    worst_wrong(0.90),
    REVERSED,
)
_POINTS = 160

KL_AXIS = "KL to the initial policy (nats)"
WIN_AXIS = "win rate over the initial policy"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One map at one point.

    Args:
        map: its name.
        keeps: whether it keeps the uniform distribution, so that Theorem 1 holds for it; for
            another the KL is its own, by Proposition 1.
        kl: nats to the initial policy.
        beta: temperature; None where it is infinite, or where that KL is out of reach.
        gold: gold reward; equal to the win rate, as gold is uniform.
        win_rate: over the initial policy.
    """

    map: str
    keeps: bool
    kl: Result
    beta: float | None
    gold: Result
    win_rate: Result


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Win rates of optimal policies, gold rewards being uniform.

    Args:
        by: ``kl`` or ``beta``: what the rows hold fixed.
        at: the value of each row.
        maps: names of the columns.
        rows: cells, one row a value, one cell a map.
    """

    by: str
    at: tuple[float, ...]
    maps: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def table(
    maps: Sequence[Misspecification] = TABLE_MAPS,
    kls: Sequence[float] = KLS,
    betas: Sequence[float] = (),
) -> Table:
    """Return the win rate of every map at every KL, or at every β where some are given.

    Raises:
        InputError: a negative KL, a β that is not above zero, or a map that fails.
    """
    at = tuple(betas or kls)
    cell = cell_at_beta if betas else cell_at_kl
    rows = tuple(tuple(cell(m, value) for m in maps) for value in at)
    return Table(by="beta" if betas else "kl", at=at, maps=tuple(m.name for m in maps), rows=rows)


def cell_at_kl(map_: Misspecification, kl: float) -> Cell:
    """Return one map at one KL: in closed form where its inverse is straight pieces."""
    if map_.pieces:
        return cell_at_beta(map_, theorem.beta_at(kl))
    return _numeric(map_, tilt_at(map_, UNIFORM, kl))


def cell_at_beta(map_: Misspecification, beta: float) -> Cell:
    """Return one map at one temperature."""
    if not map_.pieces:
        return _numeric(map_, tilt(map_, UNIFORM, beta))
    win = exactly("win_rate", theorem.win_rate(map_, beta))
    return Cell(
        map=map_.name,
        keeps=True,
        kl=exactly("kl", theorem.kl(beta)),
        beta=None if np.isinf(beta) else beta,
        gold=Result(name="gold", estimate=win.estimate, method=Method.EXACT),
        win_rate=win,
    )


def _numeric(map_: Misspecification, found: Prediction) -> Cell:
    return Cell(
        map=map_.name,
        keeps=map_.preserves_uniform(),
        kl=found.kl,
        beta=found.beta,
        gold=found.gold,
        win_rate=found.win_rate,
    )


def curve(map_: Misspecification, last: float, *, style: int = 0, name: str = "") -> Series:
    """Return the win rate of one map from KL 0 to ``last``, closer together where it is steep."""
    kls = last * (np.arange(_POINTS + 1) / _POINTS) ** 2
    wins = [cell_at_kl(map_, float(kl)).win_rate.estimate for kl in kls]
    return Series(name=name or map_.name, x=kls.tolist(), y=wins, style=style)


def figure_2a(more: Sequence[Misspecification] = (), last: float = 8.0) -> Figure:
    """Return Figure 2a: six ways to be wrong, and maps of your own beside them."""
    maps = [IDENTITY, REVERSED, top_wrong(0.25), top_wrong(0.5), worst_wrong(0.5), worst_wrong(0.9)]
    names = {"identity": "correct"}
    known = {m.name for m in maps}
    maps += [m for m in more if m.name not in known]
    return Figure(
        name="figure_2a",
        title="Errors in the top of the gold reward decide the win rate",
        caption=(
            "Theorem 1: win rate of the optimal policy against its KL, gold reward uniform. Where "
            "the proxy is wrong in the top 25% the win rate turns down; wrong in the worst 50%, it "
            "follows the correct reward but for a small loss at small KL."
        ),
        x=Axis(label=KL_AXIS, low=0, high=last),
        y=Axis(label=WIN_AXIS, low=0, high=1, percent=True),
        series=tuple(
            curve(m, last, style=i, name=names.get(m.name, m.name)) for i, m in enumerate(maps)
        ),
    )


def figure_2b(last: float = 4.0) -> Figure:
    """Return Figure 2b: only the top 10, 20, …, 100% ranked correctly."""
    shares = range(10, 101, 10)
    return Figure(
        name="figure_2b",
        title="At large KL it is enough to rank the top correctly",
        caption=(
            "Theorem 1: win rate of the optimal policy where the proxy ranks the top 10%, 20%, …, "
            "100% of the gold rewards correctly and reverses the order of the rest. The curves "
            "meet: from KL 3 on, ten correct percent at the top lose less than half a point."
        ),
        x=Axis(label=KL_AXIS, low=0, high=last),
        y=Axis(label=WIN_AXIS, low=0.4, high=1, percent=True),
        series=tuple(
            curve(worst_wrong((100 - s) / 100), last, style=i, name=f"top {s}% correct")
            for i, s in enumerate(shares)
        ),
    )
