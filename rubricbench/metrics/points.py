"""Published curves: means at checkpoints, without the prompts behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.columnar import Table, columns_of, read_table
from rubricbench.metrics.keys import combined, first_repeated, require_named
from rubricbench.metrics.tables import POINTS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """One arm, one seed, of which only means are known.

    Args:
        arm: its name.
        seed: training seed.
        steps: optimiser steps, increasing, shape ``(T,)``.
        gold: mean gold reward, shape ``(T,)``.
        proxy: mean proxy reward, or None.
        kl: mean sequence KL in nats, or None.
    """

    arm: str
    seed: int
    steps: NDArray[np.int64]
    gold: Floats
    proxy: Floats | None = None
    kl: Floats | None = None


def read_points(path: str | Path) -> list[Points]:
    """Read published curves, one entry an arm and seed, sorted by both.

    Args:
        path: a file of layout *points*.

    Raises:
        InputError: it cannot be read, lacks a column or a gold value, or has a step twice.
    """
    path = Path(path)
    there = set(columns_of(path))
    wanted = {c.name: c for c in POINTS.columns if c.required or c.name in there}
    table = read_table(path, wanted)
    require_named(table, "arm")
    _require_gold(table)
    arms = table.labels["arm"]
    seeds = table.numbers.get("seed", np.zeros(table.rows)).astype(np.int64)
    steps = table.numbers["step"].astype(np.int64)
    again = first_repeated(combined([arms.codes, seeds, steps]))
    if again is not None:
        raise InputError(
            f"arm {arms.text()[again[0]]!r:.60} has step {steps[again[0]]} twice "
            f"(first in row {again[1] + 1:,})",
            where=f"{table.path}, column step, row {again[0] + 1:,}",
            hint="a column seed tells runs of one arm apart",
        )
    curves = combined([arms.codes, seeds])
    return [_curve(table, seeds, np.flatnonzero(curves == c)) for c in np.unique(curves)]


def _require_gold(table: Table) -> None:
    missing = np.flatnonzero(np.isnan(table.numbers["gold"]))
    if len(missing):
        raise InputError(
            "a point has no gold",
            where=f"{table.path}, column gold, row {missing[0] + 1:,}",
            hint="leave the row out where it is not known",
        )


def _curve(table: Table, seeds: NDArray[np.int64], rows: NDArray[np.int64]) -> Points:
    rows = rows[np.argsort(table.numbers["step"][rows], kind="stable")]

    def known(name: str) -> Floats | None:
        values = table.numbers.get(name)
        return None if values is None or np.isnan(values[rows]).any() else values[rows]

    return Points(
        arm=str(table.labels["arm"].text()[rows[0]]),
        seed=int(seeds[rows[0]]),
        steps=table.numbers["step"][rows].astype(np.int64),
        gold=table.numbers["gold"][rows],
        proxy=known("proxy"),
        kl=known("kl"),
    )
