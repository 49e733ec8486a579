"""An attempt within a budget: set aside before, counted after, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rubricbench.errors import EndpointError
from rubricbench.judging.faults import CallFailedError
from rubricbench.judging.price.budget import Budget
from rubricbench.judging.wire import ChatAnswer
from rubricbench.schema import Cause

# The endpoint said no. All other failures may come after the work was done, and be paid for.
_FREE = frozenset({Cause.RATE_LIMITED, Cause.REJECTED, Cause.OVERFLOW, Cause.FILTERED})
USED_UP = "the budget is used up"


async def within(
    budget: Budget | None, body: bytes, attempt: Callable[[], Awaitable[ChatAnswer]]
) -> ChatAnswer:
    """Make an attempt if the budget allows it.

    Args:
        budget: what may be spent; None has no caps.
        body: the request, as sent.
        attempt: makes it.

    Raises:
        CallFailedError: ``budget``: it is used up; or what the attempt raises.
    """
    if budget is None:
        return await attempt()
    reservation = await budget.acquire(body)
    if reservation is None:
        raise CallFailedError(Cause.BUDGET, USED_UP)
    try:
        answer = await attempt()
    except (CallFailedError, EndpointError) as error:
        if isinstance(error, EndpointError) or error.cause in _FREE:
            reservation.release()
        raise
    else:
        reservation.settle(answer.usage)
        return answer
    finally:
        reservation.settle()  # of what was not settled: cut off, timed out, cancelled
