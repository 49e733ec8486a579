"""Which ids have been seen, in eight bytes each, so that a million rows stay small."""

from __future__ import annotations

import numpy as np

RECENT = 1 << 16


class SeenIds:
    """A set of texts that can only be added to and asked.

    It keeps a 64-bit hash of each: `add` may, with a chance of n/2^64 a call, say that a new text
    was there already, so the caller confirms what it says against the source.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._older = np.empty(0, dtype=np.int64)

    def add(self, text: str) -> bool:
        """Add a text; return whether it (or, hardly ever, one of equal hash) was there already."""
        key = hash(text)
        if key in self._recent or self._in_older(key):
            return True
        self._recent.add(key)
        if len(self._recent) >= RECENT:
            recent = np.fromiter(self._recent, dtype=np.int64, count=len(self._recent))
            self._older = np.sort(np.concatenate([self._older, recent]))
            self._recent.clear()
        return False

    def __contains__(self, text: str) -> bool:
        """Return whether a text (or, hardly ever, one of equal hash) was added."""
        key = hash(text)
        return key in self._recent or self._in_older(key)

    def _in_older(self, key: int) -> bool:
        place = int(np.searchsorted(self._older, key))
        return place < len(self._older) and int(self._older[place]) == key
