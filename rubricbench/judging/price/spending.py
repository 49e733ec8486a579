"""An attempt within a budget: set aside before, counted after, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self

from rubricbench.errors import EndpointError
from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.faults import STOPPED, CallFailedError, NotSentError
from rubricbench.judging.price.budget import Account
from rubricbench.judging.request import Request
from rubricbench.judging.wire import ChatAnswer
from rubricbench.schema import Cause

# The endpoint said no. All other failures may come after the work was done, and be paid for.
_FREE = frozenset({Cause.RATE_LIMITED, Cause.REJECTED, Cause.OVERFLOW, Cause.FILTERED})
USED_UP = "the budget is used up"


async def within(
    account: Account | None, body: bytes, attempt: Callable[[], Awaitable[ChatAnswer]]
) -> ChatAnswer:
    """Make an attempt if the budget allows it.

    Args:
        account: what may be spent; None has no caps.
        body: the request, as sent.
        attempt: makes it.

    Raises:
        CallFailedError: ``budget``: it is used up; or what the attempt raises.
    """
    if account is None:
        return await attempt()
    reservation = await account.acquire(body)
    if reservation is None:
        raise CallFailedError(Cause.BUDGET, USED_UP)
    try:
        answer = await attempt()
    except NotSentError:
        reservation.cancel()
        raise
    except (CallFailedError, EndpointError) as error:
        if isinstance(error, EndpointError) or error.cause in _FREE:
            reservation.release()
        raise
    else:
        reservation.settle(answer.usage)
        return answer
    finally:
        reservation.settle()  # of what was not settled: cut off, timed out, cancelled


class CappedBackend:
    """A backend that keeps within a budget.

    Args:
        backend: who answers; an attempt is a call of its ``complete``.
        account: what may be spent.
    """

    def __init__(self, backend: Backend, account: Account) -> None:
        self._backend = backend
        self._account = account
        self._stopped = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._backend.url

    async def __aenter__(self) -> Self:
        await self._backend.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped = False
        await self._backend.__aexit__(kind, error, trace)

    async def complete(self, request: Request) -> ChatAnswer:
        """Answer a request.

        Raises:
            CallFailedError: ``budget``: it is used up; ``cancelled``: it was stopped; or as the
                backend.
            EndpointError: as the backend.
        """
        return await within(self._account, request.body, partial(self._attempt, request))

    async def _attempt(self, request: Request) -> ChatAnswer:
        if self._stopped:  # while it waited for what others had set aside
            raise NotSentError(Cause.CANCELLED, STOPPED)
        return await self._backend.complete(request)

    def stop(self) -> None:
        """Begin no further attempts until it is entered anew."""
        self._stopped = True
        self._backend.stop()
