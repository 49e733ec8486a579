"""What a quickstart run is made of."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rubricbench.errors import InputError

TASK = "rubricbench_verifiable"
SMALL_LIMIT = 8
SMALL_TOKENS = 192


@dataclass(frozen=True)
class Settings:
    """The choices of a run.

    Args:
        out: the run directory.
        limit: prompts of the test split to ask.
        max_gen_toks: tokens a response may have.
        model: a model folder; None for SmolLM2-135M-Instruct, fetched on first use.
        batch_size: prompts generated, and stored, together.
        seed: key of the choice of prompts and of the report's bootstrap.

    Raises:
        InputError: a number that is not positive.
    """

    out: str | Path
    limit: int = 40
    max_gen_toks: int = 384
    model: str | Path | None = None
    batch_size: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("limit", "max_gen_toks", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def generation(self) -> dict[str, Any]:
        """lm-eval's generation settings: greedy, to the end of the response or the limit."""
        return {
            "until": [],
            "do_sample": False,
            "temperature": 0.0,
            "max_gen_toks": self.max_gen_toks,
        }

    @property
    def command(self) -> str:
        """The command line that makes this run."""
        parts = ["rubricbench", "quickstart", "--limit", str(self.limit)]
        parts += ["--max-gen-toks", str(self.max_gen_toks), "--out", str(self.out)]
        if self.model:
            parts += ["--model", str(self.model)]
        return shlex.join(parts)
