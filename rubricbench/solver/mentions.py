"""The queue of words that the response must mention, in an order that respects the wishes."""

from __future__ import annotations

from dataclasses import dataclass

from rubricbench.solver.wishes import Wishes


@dataclass(frozen=True)
class Mention:
    """A word to be mentioned once.

    Args:
        term: the word or phrase.
        shown: how it is written, ``**term**`` where it must be bold.
    """

    term: str
    shown: str

    @property
    def features(self) -> frozenset[str]:
        """What a sentence with this mention carries on purpose."""
        bold = {"highlights"} if self.shown != self.term else set()
        return frozenset({f"keyword:{self.term}", f"order:{self.term}", *bold})


def queue_of(wishes: Wishes) -> list[Mention]:
    """Return the mentions: words in a given order first, then the others; repeats spread out."""
    first: list[str] = []
    for term in [*(t for terms in wishes.ordered for t in terms), *wishes.include, *wishes.bold]:
        if term not in first and not _elsewhere(term, wishes):
            first.append(term)
    queue = [Mention(term, _shown(term, wishes)) for term in first]
    for term, span in wishes.counted.items():
        missing = span.low - (term in first) - _elsewhere(term, wishes)
        _spread(queue, Mention(term, term), missing)
    return queue


def _elsewhere(term: str, wishes: Wishes) -> bool:
    """Tell whether a plain mention of the word is due to another wish, which places it."""
    if term in wishes.bold or any(term in terms for terms in wishes.ordered):
        return False
    in_sections = any(term == keyword for _, keyword in wishes.in_section)
    return in_sections or term in wishes.in_sentence.values()


def _shown(term: str, wishes: Wishes) -> str:
    return f"**{term}**" if term in wishes.bold else term


def _spread(queue: list[Mention], mention: Mention, count: int) -> None:
    """Insert a mention several times, as far apart as the queue allows."""
    step = max(1, (len(queue) + count) // max(1, count))
    for i in range(count):
        queue.insert(min(len(queue), i * step), mention)
