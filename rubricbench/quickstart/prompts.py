"""Which prompts are asked: a choice that depends on the seed alone and leaves no family out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError
from rubricbench.schema import Rubric


def choose(rubrics: Sequence[Rubric], limit: int, *, seed: int = 0) -> list[Rubric]:
    """Choose prompts so that check families and multi-turn prompts are covered.

    First those that add most families not seen yet, until every family is there; then the rest at
    random, in which multi-turn prompts come to their share of the dataset.

    Args:
        rubrics: the dataset.
        limit: how many to choose.
        seed: key of the choice.

    Raises:
        InputError: there are not that many.
    """
    if limit > len(rubrics):
        raise InputError(
            f"{limit} prompts asked for, the dataset has {len(rubrics)}", hint="lower --limit"
        )
    left = sorted(rubrics, key=lambda r: _draw(seed, r.prompt_id))
    chosen = _cover(left, limit)
    share = sum(map(_multi_turn, rubrics)) / len(rubrics)
    turns = round(share * limit) - sum(map(_multi_turn, chosen))
    wanted = [r for r in left if _multi_turn(r)][: max(turns, 0)]
    wanted += [r for r in left if not _multi_turn(r)]
    wanted += [r for r in left if r not in wanted]
    return chosen + wanted[: limit - len(chosen)]


def _cover(left: list[Rubric], limit: int) -> list[Rubric]:
    """Take out of ``left`` a few rubrics that have every family among them."""
    chosen: list[Rubric] = []
    missing = {family for rubric in left for family in _families(rubric)}
    while missing and len(chosen) < limit:
        best = max(left, key=lambda r: len(_families(r) & missing))
        missing -= _families(best)
        left.remove(best)
        chosen.append(best)
    return chosen


def _draw(seed: int, prompt_id: str) -> bytes:
    return hashlib.sha256(canonical_json([seed, "quickstart prompts", prompt_id])).digest()


def _families(rubric: Rubric) -> set[str]:
    return {c.check.name for c in rubric.criteria if c.check}


def _multi_turn(rubric: Rubric) -> bool:
    return len(rubric.prompt.messages) > 1
