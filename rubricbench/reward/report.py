"""What a batch tells the trainer's log: numbers for the curves, columns beside the completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rubricbench.judging.usage import Tally
from rubricbench.reward.batch import Batch
from rubricbench.reward.ruling import Standing
from rubricbench.schema import Cause


def metrics(
    batch: Batch, before: Tally, after: Tally, causes: set[Cause], cost: float | None = None
) -> dict[str, float]:
    """Return the numbers of a batch; a trainer averages them over ranks and batches.

    Shares are of the batch's rows: ``coverage`` (mean share of the rubric's weight with a known
    verdict), ``lost`` (no reward: left out of the loss), ``low_bound`` (unknown by the response's
    own doing), ``own_doing`` (those of them that broke the judge again and again) and
    ``unknown/CAUSE``. Counts are of this rank's batch: ``calls`` answered, ``failed``,
    ``attempts``, ``stored`` and ``shared`` gradings that cost nothing, tokens; ``seconds`` and,
    where the price is known, ``cost``.

    Args:
        batch: the batch.
        before: the judge's counts before it.
        after: and after it.
        causes: those ever seen, which this adds to: a cause that was seen is told as 0 from then
            on, since a trainer's mean of a number is over the batches that tell it.
        cost: what the calls cost, in the currency of the price file; None if that is not known.
    """
    rulings = batch.rulings
    rows = max(1, len(rulings))
    found = [ruling.cause for ruling in rulings if ruling.cause is not None]
    causes.update(found)
    standings = [ruling.standing for ruling in rulings]
    told: dict[str, float] = {
        "coverage": sum(ruling.coverage for ruling in rulings) / rows,
        "lost": standings.count(Standing.LOST) / rows,
        "low_bound": standings.count(Standing.LOW_BOUND) / rows,
        "own_doing": batch.own_doing / rows,
        **{f"unknown/{cause}": found.count(cause) / rows for cause in sorted(causes)},
        **_counts(before, after),
        "seconds": batch.seconds,
    }
    told["shared"] += batch.repeated
    return told if cost is None else {**told, "cost": cost}


def _counts(before: Tally, after: Tally) -> dict[str, float]:
    names = ("calls", "attempts", "failed", "stored", "shared")
    counts = {name: float(getattr(after, name) - getattr(before, name)) for name in names}
    for name in ("prompt_tokens", "cached_tokens", "completion_tokens"):
        counts[name] = float(after.tokens.get(name, 0) - before.tokens.get(name, 0))
    return counts


def row_columns(batch: Batch) -> Mapping[str, list[Any]]:
    """Return a value for each row, for the table of completions."""
    rulings = batch.rulings
    return {
        "rubric_standing": [str(ruling.standing) for ruling in rulings],
        "rubric_coverage": [ruling.coverage for ruling in rulings],
        "rubric_low": [ruling.low for ruling in rulings],
        "rubric_high": [ruling.high for ruling in rulings],
        "rubric_unknown": [str(ruling.cause or "") for ruling in rulings],
    }
