"""One column of an arm's checkpoints as a line over √KL, or over steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rubricbench.figures.figure import Series
from rubricbench.metrics.result import Result
from rubricbench.overopt.document import ArmCurve


@dataclass(frozen=True)
class Course:
    """A column over an axis.

    Args:
        x: places, increasing.
        values: results there; None where there is none.
        sorted: whether the order of the steps had to be given up for that.
        base: which of them is the initial policy; None for none.
    """

    x: Sequence[float]
    values: Sequence[Result | None]
    sorted: bool = False
    base: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to draw."""
        return any(r is not None and r.estimate is not None for r in self.values)

    @property
    def results(self) -> list[Result]:
        """The results that there are."""
        return [r for r in self.values if r is not None]

    def told(self, *, fixed: bool) -> list[Result]:
        """Return the results whose cautions say something.

        Args:
            fixed: whether the initial policy's is what it is by definition, such as a KL of 0:
                that it does not vary is then no caution.
        """
        left_out = self.base if fixed else None
        return [r for i, r in enumerate(self.values) if r is not None and i != left_out]

    @property
    def banded(self) -> bool:
        """Whether any has an interval."""
        return any(r.interval for r in self.results)

    def heights(self) -> Iterator[float]:
        """Return everything the y axis must have room for."""
        for r in self.results:
            yield from (v for v in (r.estimate, r.low, r.high) if v is not None)

    def series(self, name: str, style: int) -> Series:
        """Return it as a line."""
        return Series(
            name=name,
            x=self.x,
            y=[r.estimate if r else None for r in self.values],
            low=[r.low if r else None for r in self.values] if self.banded else (),
            high=[r.high if r else None for r in self.values] if self.banded else (),
            style=style,
        )


def course_of(arm: ArmCurve, column: str, *, distance: bool | None = None) -> Course:
    """Return a column of an arm.

    Args:
        arm: the arm.
        column: field of its checkpoints.
        distance: over √KL; None to take it where every checkpoint has it.
    """
    known = bool(arm.checkpoints) and all(c.distance is not None for c in arm.checkpoints)
    by_distance = known if distance is None else distance and known
    places = [(c.distance or 0.0) if by_distance else float(c.step) for c in arm.checkpoints]
    order = sorted(range(len(places)), key=lambda i: places[i])
    found = [arm.checkpoints[i] for i in order]
    return Course(
        x=[places[i] for i in order],
        values=[getattr(c, column) for c in found],
        sorted=order != list(range(len(places))),
        base=next((i for i, c in enumerate(found) if c.step == 0), None),
    )


def root(kl: Result) -> float | None:
    """Return √KL of an estimate; one below zero counts as 0."""
    return None if kl.estimate is None else math.sqrt(max(kl.estimate, 0.0))
