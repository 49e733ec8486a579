"""Caps on what a run may spend, which concurrent calls cannot overshoot.

Before an attempt its upper bound is set aside; afterwards what it really took is counted in its
place. No tokenizer has more tokens than bytes, so the bytes of a request bound its prompt, and the
limit of an answer bounds the rest. An attempt that does not fit beside those under way waits for
them; if it does not fit then either, the budget is used up and no further attempt begins::

    budget = Budget(Caps(cost=20.0), max_tokens=config.max_tokens, price=price)
    reservation = await budget.acquire(request.body)     # None: used up
    answer = …
    reservation.settle(answer.usage)

Attempts are what counts: repairs and further attempts are calls of their own. What is not known to
be free is counted in full: an attempt that timed out, an answer without token counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.price.prices import Price

HIDDEN_TOKENS = 256
"""Set aside beside the bytes of a request: a chat template may have a system message of its own."""


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a run may spend; None has no cap.

    Args:
        calls: attempts.
        tokens: of prompts and answers together, cached ones included.
        cost: in the currency of the price file.

    Raises:
        InputError: a cap is not positive.
    """

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        for name in ("calls", "tokens", "cost"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(
                    f"the cap of {name} is {value:g}", hint="give a positive number or leave it out"
                )

    def __bool__(self) -> bool:
        return any(cap is not None for cap in (self.calls, self.tokens, self.cost))


class Spent(msgspec.Struct):
    """What was spent.

    Args:
        calls: attempts begun.
        tokens: of prompts and answers.
        cost: in the currency of the prices; 0 without a price.
        unreported: attempts counted at their upper bound, since nobody said what they took.
    """

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    unreported: int = 0


class Reservation:
    """What is set aside for one attempt; settle or release it once."""

    def __init__(self, budget: Budget, prompt: int, answer: int) -> None:
        self.prompt, self.answer = prompt, answer
        self._budget: Budget | None = budget

    def settle(self, usage: Mapping[str, int] | None = None) -> None:
        """Count what an answer took, by its token counts; without them, all that was set aside."""
        counts = usage or {}
        if "prompt_tokens" in counts and "completion_tokens" in counts:
            prompt, answer = counts["prompt_tokens"], counts["completion_tokens"]
            self._close(prompt, answer, counts.get("cached_tokens", 0))
        else:
            self._close(self.prompt, self.answer, 0, reported=False)

    def release(self) -> None:
        """Count no tokens: the endpoint refused, or was not reached. The call stays counted."""
        self._close(0, 0, 0)

    def _close(self, prompt: int, answer: int, cached: int, *, reported: bool = True) -> None:
        if self._budget is not None:
            self._budget._settle(self, prompt, answer, cached, reported)
        self._budget = None


class Budget:
    """Sets aside and counts what attempts take; belongs to one event loop.

    Args:
        caps: the most that may be spent.
        max_tokens: limit of one answer in tokens.
        price: of the model's tokens, where the cost is capped or wanted.

    Raises:
        InputError: the cost is capped and there is no price; or tokens or cost are capped, and
            answers have no limit.
    """

    def __init__(self, caps: Caps, *, max_tokens: int | None, price: Price | None = None) -> None:
        if caps.cost is not None and price is None:
            raise InputError(
                "the cost is capped, and the price of this model is not known",
                hint="give a price file with --prices, or cap tokens by --max-tokens",
            )
        if max_tokens is None and (caps.tokens is not None or caps.cost is not None):
            raise InputError(
                "tokens are capped, and one answer may have any number of them",
                hint="limit the answers: --max-answer-tokens",
            )
        self.caps = caps
        self.spent = Spent()
        self.used_up = ""
        """The cap that stopped the run: ``calls``, ``tokens`` or ``cost``; empty if none did."""
        self._answer = max_tokens or 0
        self._price = price
        self._open = 0
        self._open_tokens = 0
        self._open_cost = 0.0
        self._news = asyncio.Event()

    @property
    def currency(self) -> str:
        """Of costs; empty without a price."""
        return self._price.currency if self._price else ""

    async def acquire(self, body: bytes) -> Reservation | None:
        """Set aside what an attempt may take, waiting for those under way; None if used up.

        Args:
            body: the request, as sent.
        """
        while True:
            reservation = self.reserve(body)
            if reservation is not None or self.used_up:
                return reservation
            await self._news.wait()

    def reserve(self, body: bytes) -> Reservation | None:
        """Set aside what an attempt may take; None if it does not fit beside those under way.

        If it does not fit without them either, `used_up` says so from then on.
        """
        if self.used_up:
            return None
        wanted = Reservation(self, len(body) + HIDDEN_TOKENS, self._answer)
        tokens, cost = self._bound(wanted)
        short = self._short(tokens, cost)
        if short:
            if short == "calls" or not self._open:
                self.used_up = short
                self._tell()
            return None
        self.spent.calls += 1
        self._open += 1
        self._open_tokens += tokens
        self._open_cost += cost
        return wanted

    def _bound(self, wanted: Reservation) -> tuple[int, float]:
        cost = self._cost(wanted.prompt, wanted.answer, 0)
        return wanted.prompt + wanted.answer, cost

    def _cost(self, prompt: int, answer: int, cached: int) -> float:
        return self._price.cost(prompt, answer, cached) if self._price else 0.0

    def _short(self, tokens: int, cost: float) -> str:
        caps, spent = self.caps, self.spent
        if caps.calls is not None and spent.calls >= caps.calls:
            return "calls"
        if caps.tokens is not None and spent.tokens + self._open_tokens + tokens > caps.tokens:
            return "tokens"
        if caps.cost is not None and spent.cost + self._open_cost + cost > caps.cost:
            return "cost"
        return ""

    def _settle(
        self, reservation: Reservation, prompt: int, answer: int, cached: int, reported: bool
    ) -> None:
        tokens, cost = self._bound(reservation)
        self._open -= 1
        self._open_tokens -= tokens
        # Sums of floats drift: with nothing under way, nothing is set aside.
        self._open_cost = self._open_cost - cost if self._open else 0.0
        self.spent.tokens += prompt + answer
        self.spent.cost += self._cost(prompt, answer, min(cached, prompt))
        self.spent.unreported += not reported
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def text(self) -> str:
        """Return what was spent, for people."""
        spent = self.spent
        cost = f", {spent.cost:,.4f} {self.currency}" if self._price else ""
        bound = (
            f" ({spent.unreported:,} of them at their upper bound, since no counts were reported)"
            if spent.unreported
            else ""
        )
        return f"{spent.calls:,} calls, {spent.tokens:,} tokens{cost}{bound}"
