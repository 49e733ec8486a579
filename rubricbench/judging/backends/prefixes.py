"""What prompts begin with in common is computed once: within a batch, and for batches to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rubricbench.judging.backends.rows import Prefix, Rows
from rubricbench.judging.backends.sequences import common_length

LEAST_SHARED = 32  # tokens; for fewer the copying is not worth it
MERGE_COST = 1.25  # how much more a merged batch may compute than its parts would


class Prefixes:
    """Keeps the beginnings that were used last.

    Args:
        model: a causal language model of transformers', in evaluation mode.
        budget: tokens kept in all.
    """

    def __init__(self, model: Any, budget: int) -> None:
        self._model = model
        self._budget = budget
        self._kept: list[Prefix] = []  # the last used first

    def common_to(self, prompts: Sequence[list[int]]) -> tuple[Prefix | None, int]:
        """Return what all prompts begin with, computed, and how many tokens of it were kept.

        At least one token of each prompt is left to be fed.
        """
        first, last = min(prompts), max(prompts)  # in their order all others lie between these
        shared = min(common_length(first, last), min(len(p) for p in prompts) - 1)
        if shared < LEAST_SHARED:
            return None, 0
        wanted = first[:shared]
        best = max(self._kept, key=lambda kept: common_length(kept.ids, wanted), default=None)
        known = common_length(best.ids, wanted) if best else 0
        if best is None or known < shared:
            start = best.start(known) if best and known >= LEAST_SHARED else None
            known = known if start else 0
            prefix = self._computed(wanted, start)
        else:
            prefix = best.start(shared)
            self._kept.remove(best)
            self._kept.insert(0, best)
        return prefix, known

    def forget(self) -> None:
        """Give the memory of all that is kept back."""
        self._kept.clear()

    def _computed(self, ids: list[int], start: Prefix | None) -> Prefix:
        rows = Rows(self._model, 1, start)
        rows.move([ids], 1)
        prefix = rows.prefix()
        # What continues an earlier beginning replaces it.
        self._kept = [kept for kept in self._kept if common_length(kept.ids, ids) < len(kept.ids)]
        self._kept.insert(0, prefix)
        while len(self._kept) > 1 and sum(len(kept.ids) for kept in self._kept) > self._budget:
            self._kept.pop()
        return prefix


def grouped(prompts: Sequence[Sequence[int]], *, most: int, tokens: int) -> Iterator[list[int]]:
    """Yield the prompts' numbers in batches that begin alike, of similar lengths.

    Two neighbours (in the order of their tokens) come into one batch unless that would make much
    more to compute than two batches: the beginning they share once, and the rest of each, filled up
    to the longest.

    Args:
        prompts: their tokens.
        most: most prompts in a batch.
        tokens: most tokens in a batch, the filling included.
    """
    group: list[int] = []
    for i in sorted(range(len(prompts)), key=lambda i: list(prompts[i])):
        if group:
            apart = _cost(prompts, group) + _cost(prompts, [i])
            together = _cost(prompts, [*group, i])
            width = max(len(prompts[k]) for k in (*group, i))
            full = len(group) >= most or width * (len(group) + 1) > tokens
            if full or together > MERGE_COST * apart:
                yield group
                group = []
        group.append(i)
    if group:
        yield group


def _cost(prompts: Sequence[Sequence[int]], group: Sequence[int]) -> int:
    shared = common_length(prompts[group[0]], prompts[group[-1]])
    return shared + len(group) * (max(len(prompts[i]) for i in group) - shared)
