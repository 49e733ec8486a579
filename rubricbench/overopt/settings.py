"""How an analysis is made: what every command of ``overopt`` lets its user choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.resample import RESAMPLES, Bootstrap
from rubricbench.metrics.result import LEVEL

FEWEST_RESAMPLES = 100
Say = Callable[[str], None]  # told what is being done, and what could not be


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of an analysis.

    Args:
        seed: of the resampling.
        resamples: bootstrap draws.
        level: confidence level.
        unknown: ``refuse`` rows without a reward, or ``drop`` and count them.

    Raises:
        InputError: a value out of range.
    """

    seed: int = 0
    resamples: int = RESAMPLES
    level: float = LEVEL
    unknown: str = "refuse"

    def __post_init__(self) -> None:
        if not 0.5 <= self.level < 1:
            raise InputError(f"a confidence level of {self.level:g}", hint="from 0.5 to below 1")
        if self.resamples < FEWEST_RESAMPLES:
            raise InputError(
                f"{self.resamples} resamples", hint=f"at least {FEWEST_RESAMPLES}, better 2,000"
            )
        if self.unknown not in ("refuse", "drop"):
            raise InputError(f"unknown={self.unknown!r}", hint="refuse or drop")

    def boot(self, prompts: Sequence[str] | NDArray[np.str_]) -> Bootstrap:
        """Return the draws over these prompts."""
        return Bootstrap(prompts, seed=self.seed, resamples=self.resamples, level=self.level)
