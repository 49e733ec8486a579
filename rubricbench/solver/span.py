"""Bounds on a count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """From ``low`` to ``high``, both included; ``high`` None is no bound."""

    low: int = 0
    high: int | None = None

    def meet(self, low: int | None, high: int | None) -> Span:
        """Return the bounds that hold as well as these."""
        highs = [bound for bound in (self.high, high) if bound is not None]
        return Span(max(self.low, low or 0), min(highs) if highs else None)

    def holds(self, count: int) -> bool:
        """Tell whether the count lies within."""
        return self.low <= count and (self.high is None or count <= self.high)

    def aim(self, usual: int) -> int:
        """Return a count to aim at: the usual one, or the middle of narrow bounds."""
        if self.high is None:
            return max(usual, self.low + self.low // 20)
        if self.low <= usual <= self.high and self.high - self.low > usual // 2:
            return usual
        return min(usual, self.high * 4 // 5) if self.low == 0 else (self.low + self.high) // 2

    @property
    def bounded(self) -> bool:
        """Whether there is any bound."""
        return self.low > 0 or self.high is not None


UNBOUNDED = Span()
