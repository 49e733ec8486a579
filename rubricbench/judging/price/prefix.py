"""A provider's prefix cache, modelled on the prompts in the order sent.

A prompt is served the longest beginning that an earlier one had, in whole blocks and from a
minimum on (`CacheRule`). Beginnings are compared piece by piece, and within the first piece that is
new with the piece that last stood there. Where a provider enters a prompt only when it is answered,
the calls in flight at once find nothing of each other: here a prompt is entered when as many more
have been sent as are in flight.

What is found is the most a provider serves: caches also forget (after minutes, or when full) and
spread calls over machines, which no plan can know.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rubricbench.judging.price.prompt import Piece
from rubricbench.judging.price.rules import CacheRule

KEPT_PREFIXES = 1 << 16
KEPT_TEXTS = 1 << 10
MAX_COMPARED_CHARS = 1 << 14


class _Link(NamedTuple):
    """A piece of a prompt, with what stands before it."""

    before: int  # names all pieces before it
    through: int  # names those and this one
    piece: Piece


class Sent(NamedTuple):
    """A prompt that was sent, in tokens.

    Args:
        prompt: all of it.
        shared: its longest beginning that an earlier prompt had.
        served: what the provider serves of that.
    """

    prompt: int
    shared: int
    served: int


class PrefixCache:
    """Says how many tokens of each prompt are shared and served; memory is bounded.

    Args:
        rule: the provider's.
        in_flight: calls in flight at once.
        count: text -> tokens.
    """

    def __init__(self, rule: CacheRule, in_flight: int, count: Callable[[str], int]) -> None:
        self.rule = rule
        self._lag = 0 if rule.at_once else in_flight - 1
        self._count = count
        self._known: OrderedDict[int, None] = OrderedDict()
        self._texts: OrderedDict[int, str] = OrderedDict()  # prefix -> start of what last followed
        self._waiting: deque[list[_Link]] = deque()

    def send(self, pieces: Sequence[Piece]) -> Sent:
        """Send a prompt; return what of it is shared, and what is served from the cache."""
        chain = _chain(pieces)
        prompt = sum(piece.tokens for piece in pieces)
        shared = self._shared(chain)
        self._waiting.append(chain)
        while len(self._waiting) > self._lag:
            self._enter(self._waiting.popleft())
        return Sent(prompt, shared, self.rule.served(shared, prompt))

    def _shared(self, chain: Sequence[_Link]) -> int:
        tokens = 0
        for before, through, piece in chain:
            if through not in self._known:
                return tokens + self._begun(self._texts.get(before, ""), piece)
            self._known.move_to_end(through)
            tokens += piece.tokens
        return tokens

    def _begun(self, last: str, piece: Piece) -> int:
        same = common_prefix(last, piece.text)
        return min(piece.tokens, self._count(piece.text[:same])) if same else 0

    def _enter(self, chain: Sequence[_Link]) -> None:
        for before, through, piece in chain:
            self._known[through] = None
            self._known.move_to_end(through)
            self._texts[before] = piece.text[:MAX_COMPARED_CHARS]
            self._texts.move_to_end(before)
        while len(self._known) > KEPT_PREFIXES:
            self._known.popitem(last=False)
        while len(self._texts) > KEPT_TEXTS:
            self._texts.popitem(last=False)


def _chain(pieces: Sequence[Piece]) -> list[_Link]:
    chain, before = [], 0
    for piece in pieces:
        through = hash((before, piece.text))
        chain.append(_Link(before, through, piece))
        before = through
    return chain


def common_prefix(one: str, other: str) -> int:
    """Return the number of characters that two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # slices compare at memory speed: a loop over characters does not
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
