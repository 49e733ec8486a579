"""Token sequences."""

from __future__ import annotations

from collections.abc import Sequence


def common_length(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two sequences begin with in common."""
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return i
    return min(len(left), len(right))
