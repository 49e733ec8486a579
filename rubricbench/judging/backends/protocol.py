"""What the judging engine wants of whoever answers its requests."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rubricbench.judging.request import Request
from rubricbench.judging.wire import ChatAnswer


class Backend(Protocol):
    """A model that answers chat requests: behind an endpoint, or in this process.

    An async context manager: what it needs (connections, a model's memory) is taken on entering,
    or later, and given back on leaving. It belongs to the event loop it was entered on.
    """

    @property
    def url(self) -> str:
        """Where it answers, recorded with an answer that does not say so itself."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def complete(self, request: Request) -> ChatAnswer:
        """Answer a request.

        Raises:
            CallFailedError: this call stays without an answer, with a cause.
            EndpointError: no call can be answered.
        """
        ...

    def stop(self) -> None:
        """Begin no further attempts; those under way still end."""
        ...
