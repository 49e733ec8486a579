"""Curves of many prompts over one grid: which points can be shown, by which prompts.

A curve whose prompts change along its axis can turn because of that. So a point is shown where at
least nine prompts in ten support it, and one set of prompts makes the whole curve; the others are
left out of all of it, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Caution, Method, Result, caution

SUPPORT = 0.9  # share of prompts that a point needs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def enough(can: Bools) -> Bools:
    """Return which points are shown, shape ``(K,)``.

    Args:
        can: whether a prompt supports a point, shape ``(P, K)``.
    """
    return np.asarray(can.mean(axis=0) >= SUPPORT - 1e-12)


@dataclass(frozen=True)
class PromptCurves:
    """Values of every prompt at every point shown, for pairing with other arms.

    Args:
        prompts: ids, the rows of every matrix, shape ``(P,)``.
        grid: the points shown, such as n or KL, shape ``(K,)``.
        columns: such as ``gold``, each of shape ``(P, K)``; NaN in the rows of prompts left out.
        replicates: the draws of the means over prompts of each column.
        kept: which prompts make the curve, shape ``(P,)``.
    """

    prompts: NDArray[np.str_]
    grid: Floats
    columns: Mapping[str, Floats]
    replicates: Mapping[str, Replicates]
    kept: Bools

    @classmethod
    def of(
        cls,
        prompts: NDArray[np.str_],
        grid: Floats,
        columns: Mapping[str, Floats],
        kept: Bools,
        boot: Bootstrap | None,
    ) -> PromptCurves:
        """Blank the rows of prompts left out, and draw all columns together."""
        blanked = {name: np.where(kept[:, None], x, np.nan) for name, x in columns.items()}
        draws = (boot or Bootstrap(prompts)).means(np.hstack(list(blanked.values())))
        width = len(grid)
        parts = {
            name: _columns(draws, slice(i * width, (i + 1) * width))
            for i, name in enumerate(blanked)
        }
        return cls(prompts, grid, blanked, parts, kept)

    def left_out(self, why: str) -> list[Caution]:
        """Return the caution that prompts were left out, if any were."""
        out = int((~self.kept).sum())
        detail = f"{out:,} of {len(self.kept):,} prompts {why}"
        return [caution("left_out", detail)] if out else []


def exactly(result: Result, cautions: Iterable[Caution]) -> Result:
    """Return a result that has no sampling error, such as a KL of 0 where nothing is optimised."""
    return Result(
        name=result.name,
        estimate=result.estimate,
        method=Method.EXACT,
        n=result.n,
        items=result.items,
        warnings=tuple(cautions),
    )


def minus(a: Replicates, b: Replicates) -> Replicates:
    """Return the draws of differences, paired; both are drawn from the same prompts."""
    point, resampled, left_out = (
        getattr(a, name) - getattr(b, name) for name in ("point", "resampled", "left_out")
    )
    return Replicates(point, resampled, left_out, np.minimum(a.prompts, b.prompts), a.level)


def _columns(draws: Replicates, at: slice) -> Replicates:
    return Replicates(
        point=draws.point[:, at],
        resampled=draws.resampled[:, at],
        left_out=draws.left_out[:, at],
        prompts=draws.prompts[at],
        level=draws.level,
        cautions=draws.cautions,
    )
