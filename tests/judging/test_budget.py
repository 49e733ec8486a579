"""Budgets: never overshot, used to the end, whatever calls come together or fail."""

from __future__ import annotations

import asyncio
import random

import pytest

from rubricbench.errors import EndpointError, InputError
from rubricbench.judging.faults import CallFailedError, PassingFaultError
from rubricbench.judging.price.budget import HIDDEN_TOKENS, Account, Budget, Caps
from rubricbench.judging.price.prices import Price
from rubricbench.judging.price.spending import within
from rubricbench.judging.wire import ChatAnswer
from rubricbench.schema import Cause

PRICE = Price(model="m", currency="USD", input=1.0, cached_input=0.1, output=10.0)
BODY = b"x" * (1_000 - HIDDEN_TOKENS)  # a prompt of at most 1,000 tokens


def opened(caps: Caps, **judge) -> Account:
    return Budget(caps).account(**judge)


def usage(prompt: int, answer: int, cached: int = 0) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": answer, "cached_tokens": cached}


def reply(prompt: int, answer: int) -> ChatAnswer:
    return ChatAnswer("", "", "stop", "m", usage(prompt, answer))


def test_a_cap_of_calls_lets_exactly_so_many_begin():
    account = opened(Caps(calls=3), max_tokens=None)
    given = [account.reserve(BODY) for _ in range(5)]
    assert [reservation is not None for reservation in given] == [True] * 3 + [False] * 2
    assert account.budget.used_up == "calls"
    assert account.budget.spent.calls == 3


def test_what_was_set_aside_and_not_taken_is_there_for_others():
    account = opened(Caps(tokens=2_500), max_tokens=200)  # 1,200 set aside for a call
    first, second = account.reserve(BODY), account.reserve(BODY)
    assert account.reserve(BODY) is None  # 3,600
    assert account.budget.used_up == ""  # those under way may leave something
    first.settle(usage(300, 50))
    third = account.reserve(BODY)  # 350 + 1,200 + 1,200 = 2,750
    assert third is None
    second.settle(usage(300, 50))
    assert account.reserve(BODY) is not None  # 700 + 1,200
    assert account.budget.spent.tokens == 700


def test_it_is_used_up_when_nothing_is_under_way_and_no_call_fits():
    account = opened(Caps(tokens=1_500), max_tokens=200)
    first = account.reserve(BODY)
    assert account.reserve(BODY) is None
    assert account.budget.used_up == ""
    first.settle(usage(400, 100))
    assert account.reserve(BODY) is None  # 500 + 1,200
    assert account.budget.used_up == "tokens"
    assert account.reserve(b"") is None  # a smaller one would fit; no further call begins


def test_a_cap_of_cost_counts_cached_tokens_at_their_price():
    account = opened(Caps(cost=0.01), max_tokens=200, price=PRICE)
    account.reserve(BODY).settle(usage(1_000, 100, cached=800))
    # (200 * 1 + 800 * 0.1 + 100 * 10) / 1,000,000
    assert account.budget.spent.cost == pytest.approx(0.00128)
    assert "1 calls, 1,100 tokens, USD 0.0013" in account.budget.spent.text()


def test_what_nobody_reported_is_counted_at_its_bound():
    account = opened(Caps(tokens=10_000), max_tokens=200)
    for counts in (None, {}, {"prompt_tokens": 5}):
        account.reserve(BODY).settle(counts)
    assert account.budget.spent.tokens == 3 * 1_200
    assert account.budget.spent.unreported == 3
    assert "3 calls are counted at their upper bound" in account.budget.spent.text()


def test_settling_twice_counts_once():
    account = opened(Caps(tokens=10_000), max_tokens=200)
    reservation = account.reserve(BODY)
    reservation.settle(usage(10, 1))
    reservation.settle()
    reservation.release()
    assert (account.budget.spent.tokens, account.budget.spent.unreported) == (11, 0)


async def crowd(account: Account, calls: int, draws: random.Random) -> int:
    """So many calls, each taking a random part of what it may; return how many were made."""
    in_flight = asyncio.Semaphore(32)

    async def attempt() -> ChatAnswer:
        await asyncio.sleep(draws.random() * 0.002)
        kind = draws.random()
        if kind < 0.1:
            raise PassingFaultError(Cause.RATE_LIMITED, "429")
        if kind < 0.2:
            raise PassingFaultError(Cause.TIMEOUT, "late")
        return reply(draws.randrange(1, 1_001), draws.randrange(0, 201))

    async def call() -> int:
        async with in_flight:
            try:
                await within(account, BODY, attempt)
            except CallFailedError as error:
                return error.cause is not Cause.BUDGET
            return 1

    return sum(await asyncio.gather(*(call() for _ in range(calls))))


@pytest.mark.parametrize("seed", range(5))
async def test_concurrent_calls_never_overshoot_and_leave_less_than_a_call(seed):
    account = opened(Caps(tokens=60_000), max_tokens=200)
    made = await asyncio.wait_for(crowd(account, 500, random.Random(seed)), 20)
    assert made == account.budget.spent.calls < 500
    assert account.budget.used_up == "tokens"
    assert 60_000 - 1_200 < account.budget.spent.tokens <= 60_000


async def test_a_cap_of_cost_is_not_overshot_either():
    account = opened(Caps(cost=0.05), max_tokens=200, price=PRICE)
    await asyncio.wait_for(crowd(account, 500, random.Random(9)), 20)
    # a call may take (1,000 * 1 + 200 * 10) / 1,000,000 = 0.003
    assert 0.05 - 0.003 < account.budget.spent.cost <= 0.05 + 1e-12


async def test_a_cap_that_is_not_reached_stops_nothing():
    account = opened(Caps(tokens=10**9, calls=500, cost=10**6), max_tokens=200, price=PRICE)
    assert await crowd(account, 500, random.Random(1)) == 500
    assert (account.budget.used_up, account.budget._open, account.budget._open_tokens) == ("", 0, 0)
    assert account.budget._open_cost == 0.0


async def test_waiting_calls_are_let_go_when_the_budget_is_used_up():
    account = opened(Caps(tokens=1_500), max_tokens=200)
    first = await account.acquire(BODY)
    waiting = [asyncio.create_task(account.acquire(BODY)) for _ in range(20)]
    await asyncio.sleep(0)
    first.settle(usage(500, 100))
    assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [None] * 20


@pytest.mark.parametrize(
    ("error", "tokens"),
    [
        (PassingFaultError(Cause.RATE_LIMITED, ""), 0),
        (CallFailedError(Cause.REJECTED, ""), 0),
        (CallFailedError(Cause.OVERFLOW, ""), 0),
        (EndpointError("key"), 0),
        (PassingFaultError(Cause.TIMEOUT, ""), 1_200),
        (PassingFaultError(Cause.CONNECTION, ""), 1_200),
        (PassingFaultError(Cause.SERVER_ERROR, ""), 1_200),
        (asyncio.CancelledError(), 1_200),
    ],
)
async def test_a_refusal_costs_a_call_and_a_lost_answer_all_it_may_have_taken(error, tokens):
    account = opened(Caps(tokens=5_000), max_tokens=200)

    async def attempt() -> ChatAnswer:
        raise error

    with pytest.raises(type(error)):
        await within(account, BODY, attempt)
    assert (account.budget.spent.calls, account.budget.spent.tokens) == (1, tokens)
    assert account.budget._open == 0


async def test_a_used_up_budget_fails_a_call_with_its_cause():
    account = opened(Caps(calls=1), max_tokens=None)

    async def attempt() -> ChatAnswer:
        return reply(1, 1)

    await within(account, BODY, attempt)
    with pytest.raises(CallFailedError) as error:
        await within(account, BODY, attempt)
    assert error.value.cause is Cause.BUDGET
    assert await within(None, BODY, attempt) == reply(1, 1)


@pytest.mark.parametrize(
    "caps", [{"calls": 0}, {"tokens": -1}, {"cost": 0.0}, {"cost": float("nan")}]
)
def test_a_cap_is_a_positive_number(caps):
    with pytest.raises(InputError, match="give a positive number"):
        Caps(**caps)


def test_a_cap_that_cannot_be_kept_is_refused():
    with pytest.raises(InputError, match="the price of the judge's model is not known"):
        opened(Caps(cost=1.0), max_tokens=100)
    for caps in (Caps(tokens=5), Caps(cost=1.0)):
        with pytest.raises(InputError, match="--max-answer-tokens"):
            opened(caps, max_tokens=None, price=PRICE)
    assert not Caps()
    assert Caps(calls=1)
