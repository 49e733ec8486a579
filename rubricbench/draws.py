"""Random draws that depend on their key alone: (seed, purpose, item id), through SHA-256.

Nothing is shared between two keys, so what is drawn for one item changes neither with the order of
the others nor with how many there are; and only integers are used, so every platform agrees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from rubricbench.canonical import canonical_json

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

_MILLION = 1_000_000


class Draws:
    """A stream of draws.

    Args:
        seed: the run's seed.
        purpose: what is drawn, such as ``topic``; two purposes never share a stream.
        item: id of the item it is drawn for.
    """

    def __init__(self, seed: int, purpose: str, item: str) -> None:
        self._key = f"{seed}\x1f{purpose}\x1f{item}\x1f".encode()
        self._drawn = 0

    def below(self, bound: int) -> int:
        """Return an integer from 0 to ``bound - 1`` (128 bits modulo the bound: bias < 2⁻¹⁰⁰)."""
        digest = hashlib.sha256(self._key + str(self._drawn).encode()).digest()
        self._drawn += 1
        return int.from_bytes(digest[:16], "big") % bound

    def between(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """Return True in ``percent`` of 100 cases."""
        return self.below(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        """Return one item."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in random order (Fisher-Yates)."""
        order = list(items)
        for i in range(len(order) - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return ``count`` different items in random order (all of them, if there are fewer)."""
        return self.shuffled(items)[:count]

    def weighted_order(self, items: Sequence[T], weights: Sequence[float]) -> list[T]:
        """Return all items in random order; one of twice the weight is twice as likely first."""
        left = list(zip(items, (max(1, round(w * _MILLION)) for w in weights), strict=True))
        order: list[T] = []
        while left:
            point = self.below(sum(weight for _, weight in left))
            at = 0
            while point >= left[at][1]:
                point -= left[at][1]
                at += 1
            order.append(left.pop(at)[0])
        return order


def generator(seed: int, purpose: str, items: Sequence[str]) -> np.random.Generator:
    """Return a numpy generator that depends on nothing but seed, purpose and items."""
    import numpy as np

    digest = hashlib.sha256(canonical_json([seed, purpose, list(items)])).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
