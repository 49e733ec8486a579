"""Calls to OpenAI-compatible chat endpoints: tried again where that helps, spread over replicas.

Single attempts are made in `rubricbench.judging.endpoint`, which of several endpoints gets one is
decided in `rubricbench.judging.fleet`, how long to wait in `rubricbench.judging.retry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import time
from functools import partial
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from rubricbench.endpoints import API_KEY_VARIABLES
from rubricbench.errors import EndpointError, InputError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.endpoint import Endpoint
from rubricbench.judging.faults import STOPPED, CallFailedError, NotSentError, PassingFaultError
from rubricbench.judging.fleet import Fleet
from rubricbench.judging.price.budget import Account
from rubricbench.judging.price.spending import within
from rubricbench.judging.request import Request
from rubricbench.judging.retry import after_request, backoff
from rubricbench.judging.usage import Tally
from rubricbench.judging.wire import ChatAnswer
from rubricbench.schema import Cause

MAX_FIRST_CONNECTIONS = 3  # attempts to reach an endpoint that was never reached before


class ChatClient:
    """The endpoints of one judge; an async context manager.

    Args:
        config: addresses, time limits and retries. The key is read from the environment, here.
        tally: where attempts are counted.
        account: what attempts may spend; None has no caps.

    Raises:
        InputError: the variable named for the key is not set, or does not hold a key.
    """

    def __init__(self, config: JudgeConfig, tally: Tally, account: Account | None = None) -> None:
        self._config = config
        self._account = account
        self._tally = tally
        key = _api_key(config)
        self._fleet = Fleet(
            Endpoint(msgspec.structs.replace(config, base_url=url, endpoints=()), tally, key)
            for url in config.base_urls
        )
        self._session: aiohttp.ClientSession | None = None
        self._stopping = asyncio.Event()

    @property
    def url(self) -> str:
        """The first address, for answers that do not say where they came from."""
        return self._config.url

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )
        for endpoint in self._fleet.endpoints:
            endpoint.open(self._session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for endpoint in self._fleet.endpoints:
            endpoint.close()
        if self._fleet.ever_answered and len(self._fleet.endpoints) > 1:
            # Where all are of no use, and where there is one, the run itself says it.
            self._tally.faulty.update(self._fleet.faults)
        self._stopping.clear()
        if self._session:
            await self._session.close()

    async def complete(self, request: Request) -> ChatAnswer:
        """Send one request, again where a fault may pass, until the deadline.

        A refusal for the rate of requests is no failed attempt: it is waited out.

        Raises:
            CallFailedError: there was no answer in the end, the budget is used up, or the client
                was stopped before the first attempt.
            EndpointError: the key, the model or the address is wrong, at every endpoint.
        """
        deadline = time.monotonic() + self._config.deadline
        failed_at: list[Endpoint] = []
        attempt_it = partial(self._attempt, request.body, deadline, failed_at)
        failures, last = 0, None
        for attempt in itertools.count():
            try:
                return await within(self._account, request.body, attempt_it)
            except _LostError:
                continue
            except NotSentError:
                if last is None:
                    raise
                raise last from None
            except PassingFaultError as passing:
                last = passing
                failures += passing.cause is not Cause.RATE_LIMITED
                self._raise_if_never_reached(passing, failures)
                # Each endpoint has a first try before anybody waits.
                wait = 0 if self._fleet.untried(attempt) else _wait(request.key, attempt, passing)
                if failures > self._config.retries or wait >= deadline - time.monotonic():
                    raise
                if await self._stopped_within(wait):
                    raise
        raise AssertionError("unreachable")

    async def _attempt(self, body: bytes, deadline: float, failed_at: list[Endpoint]) -> ChatAnswer:
        """Send a request once, to the endpoint whose turn it is; note where it failed."""
        if self._stopping.is_set():  # while it waited for what others had set aside
            raise NotSentError(Cause.CANCELLED, STOPPED)
        endpoint = self._fleet.pick(failed_at)
        try:
            answer = await endpoint.attempt(body, deadline)
        except EndpointError as error:
            self._fleet.lost(endpoint, error)
            raise _LostError(Cause.REJECTED, str(error)) from None
        except PassingFaultError as passing:
            self._fleet.failed(endpoint, passing)
            failed_at.append(endpoint)
            raise
        self._fleet.answered(endpoint)
        if len(self._fleet.endpoints) > 1:
            answer = msgspec.structs.replace(answer, url=endpoint.url)
        return answer

    def stop(self) -> None:
        """Let attempts under way end, and make no further ones until it is entered anew."""
        self._stopping.set()
        for endpoint in self._fleet.endpoints:
            endpoint.stop()

    async def _stopped_within(self, seconds: float) -> bool:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def _raise_if_never_reached(self, passing: PassingFaultError, failures: int) -> None:
        tries = min(MAX_FIRST_CONNECTIONS, self._config.retries + 1)
        if passing.cause is not Cause.CONNECTION or self._fleet.ever_answered:
            return
        if self._fleet.has_others:  # which may only be slow to answer
            return
        if failures >= tries:
            raise EndpointError(
                f"the endpoint cannot be reached: {passing}",
                where=self._config.base_url,
                hint="is the server running, and is the address right?",
            ) from None


class _LostError(CallFailedError):
    """The endpoint is of no use, another one may be: nothing was asked of it that costs."""


def _wait(key: str, attempt: int, passing: PassingFaultError) -> float:
    if passing.wait is None:
        return backoff(key, attempt)
    return after_request(key, attempt, passing.wait)


def _api_key(config: JudgeConfig) -> str:
    """Return the key the environment holds, or nothing."""
    names = (config.api_key_env,) if config.api_key_env else API_KEY_VARIABLES
    name = next((name for name in names if os.environ.get(name, "").strip()), "")
    if config.api_key_env and not name:
        raise InputError(
            f"the environment variable {config.api_key_env} is not set or empty",
            hint="it is to hold the judge's API key",
        )
    key = os.environ[name].strip() if name else ""
    if not key.isascii() or not key.isprintable():
        raise InputError(f"the variable {name} holds characters that no API key has")
    return key
