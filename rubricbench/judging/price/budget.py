"""Caps on what a run may spend, which concurrent calls cannot overshoot.

Before an attempt its upper bound is set aside; afterwards what it really took is counted in its
place. No tokenizer has more tokens than bytes, so the bytes of a request bound its prompt, and the
limit of an answer bounds the rest. An attempt that does not fit beside those under way waits for
them; if it does not fit then either, the budget is used up and no further attempt begins::

    budget = Budget(Caps(cost=20.0))
    account = budget.account(max_tokens=config.max_tokens, price=price)  # one for each judge
    reservation = await account.acquire(request.body)                   # None: used up
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
        currency: of the cost; empty without a price.
    """

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    unreported: int = 0
    currency: str = ""

    def text(self) -> str:
        """Return what was spent, for people."""
        cost = f", {self.currency} {self.cost:,.4f}" if self.currency else ""
        bound = (
            f"; {self.unreported:,} calls are counted at their upper bound, since nobody reported "
            "what they took"
            if self.unreported
            else ""
        )
        return f"{self.calls:,} calls, {self.tokens:,} tokens{cost}{bound}"


class Reservation:
    """What is set aside for one attempt; settle, release or cancel it once.

    Args:
        account: whose.
        prompt: the most tokens of the prompt.
        answer: the most tokens of the answer.
    """

    def __init__(self, account: Account, prompt: int, answer: int) -> None:
        self.prompt, self.answer = prompt, answer
        self.cost = account.cost(prompt, answer, 0)
        self._account: Account | None = account

    @property
    def tokens(self) -> int:
        """The most tokens of prompt and answer."""
        return self.prompt + self.answer

    def settle(self, usage: Mapping[str, int] | None = None) -> None:
        """Count what an answer took, by its token counts; without them, all that was set aside."""
        counts = usage or {}
        if "prompt_tokens" in counts and "completion_tokens" in counts:
            prompt, answer = counts["prompt_tokens"], counts["completion_tokens"]
            self._close(prompt, answer, counts.get("cached_tokens", 0))
        else:
            self._close(self.prompt, self.answer, 0, reported=False)

    def release(self) -> None:
        """Count no tokens: the endpoint refused. The call stays counted."""
        self._close(0, 0, 0)

    def cancel(self) -> None:
        """Count nothing: the attempt was not begun."""
        if self._account is not None:
            self._account.budget.spent.calls -= 1
        self._close(0, 0, 0)

    def _close(self, prompt: int, answer: int, cached: int, *, reported: bool = True) -> None:
        account, self._account = self._account, None
        if account is not None:
            cost = account.cost(prompt, answer, min(cached, prompt))
            account.budget._settle(self, prompt + answer, cost, reported)


class Budget:
    """Sets aside and counts what attempts take; belongs to one event loop at a time.

    Args:
        caps: the most that may be spent.
    """

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.spent = Spent()
        self.used_up = ""
        """The cap that stopped the run: ``calls``, ``tokens`` or ``cost``; empty if none did."""
        self._open = 0
        self._open_tokens = 0
        self._open_cost = 0.0
        self._news = asyncio.Event()

    def account(self, *, max_tokens: int | None, price: Price | None = None) -> Account:
        """Return the account of a judge.

        Args:
            max_tokens: limit of one answer in tokens.
            price: of the model's tokens, where the cost is capped or wanted.

        Raises:
            InputError: the cost is capped and there is no price; or tokens or cost are capped, and
                answers have no limit.
        """
        if self.caps.cost is not None and price is None:
            raise InputError(
                "the cost is capped, and the price of the judge's model is not known",
                hint="give a price file with --prices, or cap tokens by --max-tokens",
            )
        if max_tokens is None and (self.caps.tokens is not None or self.caps.cost is not None):
            raise InputError(
                "tokens are capped, and one answer may have any number of them",
                hint="limit the answers: --max-answer-tokens",
            )
        self.spent.currency = price.currency if price else self.spent.currency
        return Account(self, max_tokens or 0, price)

    async def _acquire(self, wanted: Reservation) -> bool:
        while not self._take(wanted):
            if self.used_up:
                return False
            await self._news.wait()
        return True

    def _take(self, wanted: Reservation) -> bool:
        if self.used_up:
            return False
        short = self._short(wanted)
        if not short:
            self.spent.calls += 1
            self._open += 1
            self._open_tokens += wanted.tokens
            self._open_cost += wanted.cost
            return True
        if short == "calls" or not self._open:
            self.used_up = short
            self._tell()
        return False

    def _short(self, wanted: Reservation) -> str:
        caps, spent = self.caps, self.spent
        if caps.calls is not None and spent.calls >= caps.calls:
            return "calls"
        tokens = spent.tokens + self._open_tokens + wanted.tokens
        if caps.tokens is not None and tokens > caps.tokens:
            return "tokens"
        if caps.cost is not None and spent.cost + self._open_cost + wanted.cost > caps.cost:
            return "cost"
        return ""

    def _settle(self, reservation: Reservation, tokens: int, cost: float, reported: bool) -> None:
        self._open -= 1
        self._open_tokens -= reservation.tokens
        # Sums of floats drift: with nothing under way, nothing is set aside.
        self._open_cost = self._open_cost - reservation.cost if self._open else 0.0
        self.spent.tokens += tokens
        self.spent.cost += cost
        self.spent.unreported += not reported
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Account:
    """A judge's share in a budget; make one with `Budget.account`."""

    def __init__(self, budget: Budget, answer: int, price: Price | None) -> None:
        self.budget = budget
        self._answer = answer
        self._price = price

    async def acquire(self, body: bytes) -> Reservation | None:
        """Set aside what an attempt may take, waiting for those under way; None if used up.

        Args:
            body: the request, as sent.
        """
        wanted = self._wanted(body)
        return wanted if await self.budget._acquire(wanted) else None

    def reserve(self, body: bytes) -> Reservation | None:
        """Set aside what an attempt may take; None if it does not fit beside those under way.

        If it does not fit without them either, `Budget.used_up` says so from then on.
        """
        wanted = self._wanted(body)
        return wanted if self.budget._take(wanted) else None

    def cost(self, prompt: int, answer: int, cached: int) -> float:
        """Return what so many tokens cost; 0 without a price."""
        return self._price.cost(prompt, answer, cached) if self._price else 0.0

    def _wanted(self, body: bytes) -> Reservation:
        return Reservation(self, len(body) + HIDDEN_TOKENS, self._answer)
