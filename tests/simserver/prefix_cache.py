"""A prefix cache as inference servers keep it: whole blocks of tokens, least recently used go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence


class PrefixCache:
    """Blocks of tokens already computed, each known by all that stands before it.

    Args:
        block: tokens of a block.
        capacity: blocks kept.
        minimum: tokens from which a shared prefix counts as cached at all (1,024 at OpenAI).
    """

    def __init__(self, block: int = 16, capacity: int = 100_000, minimum: int = 0) -> None:
        self.block, self.capacity, self.minimum = block, capacity, minimum
        self._kept: OrderedDict[int, None] = OrderedDict()

    def take(self, tokens: Sequence[str]) -> int:
        """Return how many leading tokens are cached, and cache what is not.

        The last token is always computed: the answer is drawn from it. So a prompt that is known
        whole is served up to the last block's start at most.
        """
        found = 0
        chain: list[int] = []
        link = 0
        for start in range(0, len(tokens) - self.block + 1, self.block):
            link = hash((link, tuple(tokens[start : start + self.block])))
            if found == len(chain) and link in self._kept:
                found += 1
            chain.append(link)
        self._keep(chain)
        cached = min(found, (len(tokens) - 1) // self.block) * self.block
        return cached if cached >= self.minimum else 0

    def _keep(self, chain: list[int]) -> None:
        # Ends first: a block without those before it is of no use, so beginnings go last.
        for link in reversed(chain):
            self._kept[link] = None
            self._kept.move_to_end(link)
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)
