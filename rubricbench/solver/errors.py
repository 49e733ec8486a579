"""What the solver raises."""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.errors import RubricbenchError


class SolverError(RubricbenchError):
    """No response was found that meets the whole rubric.

    Args:
        unmet: the criteria that the best attempt misses (for a penalty: that it incurs).
        where: id of the rubric's prompt.
    """

    def __init__(self, unmet: Sequence[str], *, where: str) -> None:
        self.unmet = tuple(unmet)
        super().__init__(
            "no response found that meets " + " | ".join(self.unmet),
            where=where,
            hint="the criteria may contradict one another, or need a judge",
        )
