"""What a run over files is told to do, and what it tells in the end."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.price.budget import Caps, Spent
from rubricbench.judging.summary import Summary
from rubricbench.judging.usage import Tally
from rubricbench.readers import MatchReport


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to grade, and where.

    Args:
        responses: a parquet, JSONL or CSV file (`readers.read_responses`).
        rubrics: a file, or the name of an embedded dataset (`readers.read_rubrics`).
        out: the run directory.
        config: the judge; None where every criterion has a check.
        further: more judges, or replicates of the first, that grade the same responses
            (`rubricbench.judging.panel`).
        caps: the most that this start of the run may spend.
        prices: a price file; that of rubricbench if not given.
        vote: how the verdicts of several become one (`rubricbench.judging.vote`).
        store: the completion store; ``store.sqlite`` in the run directory if not given.
        limit: grade only the first so many responses that have a rubric.
        strategy: name of the aggregation of verdicts to a score.
        previous: sources of rubrics that these replace, the oldest first; used where the judge is
            to ask about what changed (`JudgeConfig.rejudge`).
    """

    responses: Path
    rubrics: str
    out: Path
    config: JudgeConfig | None = None
    store: Path | None = None
    limit: int | None = None
    strategy: str = "weighted_mean"
    previous: tuple[str, ...] = ()
    further: tuple[JudgeConfig, ...] = ()
    caps: Caps = Caps()
    prices: Path | None = None
    vote: str = "share"

    @property
    def configs(self) -> tuple[JudgeConfig, ...]:
        """All judges; none where every criterion has a check."""
        return (self.config, *self.further) if self.config else ()


class Graded(msgspec.Struct, frozen=True):
    """What a run did.

    Args:
        summary: the result, of this run and those it continues.
        match: how responses met rubrics.
        tally: the calls of this run alone.
        faults: an example of what went wrong, for each cause of a failed call.
        spent: what this start spent; None where nothing was capped.
        used_up: the cap that ended it: ``calls``, ``tokens`` or ``cost``; empty if none did.
    """

    summary: Summary
    match: MatchReport
    tally: Tally
    faults: dict[str, str]
    spent: Spent | None = None
    used_up: str = ""
