"""Calls to an OpenAI-compatible chat endpoint: timed, tried again, and counted.

Raw aiohttp, set up to do as little as possible per call: the call is the cost of judging. What a
failed attempt means is decided in `rubricbench.judging.faults`, how long to wait in
`rubricbench.judging.retry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from yarl import URL

import rubricbench
from rubricbench.endpoints import API_KEY_VARIABLES
from rubricbench.errors import EndpointError, InputError, RubricbenchError
from rubricbench.judging.config import ENDPOINT_PATH, JudgeConfig
from rubricbench.judging.faults import PassingFaultError, Reply, fault, garbled, one_line
from rubricbench.judging.retry import after_request, backoff, retry_after
from rubricbench.judging.usage import Tally
from rubricbench.judging.wire import ChatAnswer, read_answer
from rubricbench.schema import Cause

MAX_REPLY_BYTES = 16 << 20
MAX_FIRST_CONNECTIONS = 3  # attempts to reach an endpoint that was never reached before
MAX_NAMED_MODELS = 8
MAX_NAME_CHARS = 100
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ChatClient:
    """One endpoint; an async context manager.

    Args:
        config: address, time limits and retries. The key is read from the environment, here.
        tally: where attempts are counted.

    Raises:
        InputError: the variable named for the key is not set, or does not hold a key.
    """

    def __init__(self, config: JudgeConfig, tally: Tally) -> None:
        self._config = config
        self._tally = tally
        self._url = URL(config.url)
        self._key = _api_key(config)
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"rubricbench/{rubricbench.__version__}",
            **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
        }
        self._proxy = _proxy(self._url)
        self._timeout = aiohttp.ClientTimeout(total=config.timeout)
        self._session: aiohttp.ClientSession | None = None
        self._stopping = asyncio.Event()
        self._answered = False

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    async def complete(self, key: str, body: bytes) -> ChatAnswer:
        """Send one request, again where a fault may pass, until the deadline.

        A refusal for the rate of requests is no failed attempt: it is waited out.

        Args:
            key: what the waiting times are drawn by.
            body: the JSON of a chat completion request.

        Raises:
            CallFailedError: there was no answer in the end.
            EndpointError: the key, the model or the address is wrong.
        """
        deadline = time.monotonic() + self._config.deadline
        failures = 0
        for attempt in itertools.count():
            try:
                return await self._attempt(body, deadline - time.monotonic())
            except PassingFaultError as passing:
                failures += passing.cause is not Cause.RATE_LIMITED
                self._raise_if_never_reached(passing, failures)
                wait = _wait(key, attempt, passing)
                if failures > self._config.retries or wait >= deadline - time.monotonic():
                    raise
                if await self._stopped_within(wait):
                    raise
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """Let attempts under way end, and make no further ones."""
        self._stopping.set()

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def _attempt(self, body: bytes, left: float) -> ChatAnswer:
        self._tally.attempts += 1
        limit = min(left, self._config.timeout)
        try:
            status, headers, data = await self._post(body, limit)
        except TimeoutError:
            raise PassingFaultError(Cause.TIMEOUT, f"no answer in {limit:.3g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            detail = " ".join(str(error).split()) or type(error).__name__
            raise PassingFaultError(Cause.CONNECTION, detail) from None
        if status != 200:
            location = headers.get("Location", "").encode("utf-8", "replace")
            data, location = self._without_key(data), self._without_key(location)
            wait = retry_after(headers, time.time())
            raise await self._meaning(Reply(status, data, location.decode("utf-8"), wait))
        # From here to the caller nothing is awaited: what was received cannot be cancelled away.
        try:
            answer = read_answer(data)
        except ValueError as error:
            reply = Reply(status, self._without_key(data))
            raise garbled(reply, str(error), self._config, answered=self._answered) from None
        self._answered = True
        return answer

    async def _post(self, body: bytes, limit: float) -> tuple[int, Mapping[str, str], bytes]:
        assert self._session is not None, "the client is an async context manager"
        whole = limit >= self._config.timeout
        reply = await self._session.post(
            self._url,
            data=body,
            headers=self._headers,
            proxy=self._proxy,
            # A redirected POST turns into a GET, and would carry the key elsewhere.
            allow_redirects=False,
            timeout=self._timeout if whole else aiohttp.ClientTimeout(total=limit),
        )
        try:
            return reply.status, reply.headers, await _read(reply)
        except BaseException:
            reply.close()
            raise

    def _without_key(self, data: bytes) -> bytes:
        # Some endpoints quote the key in their errors, which users see, copy and log.
        return data.replace(self._key.encode("ascii"), b"[key]") if self._key else data

    def _raise_if_never_reached(self, passing: PassingFaultError, failures: int) -> None:
        tries = min(MAX_FIRST_CONNECTIONS, self._config.retries + 1)
        if passing.cause is Cause.CONNECTION and not self._answered and failures >= tries:
            raise EndpointError(
                f"the endpoint cannot be reached: {passing}",
                where=self._config.base_url,
                hint="is the server running, and is the address right?",
            ) from None

    async def _meaning(self, reply: Reply) -> RubricbenchError:
        meant = fault(reply, self._config, answered=self._answered)
        if reply.status == 404 and isinstance(meant, EndpointError):
            served = await self._served_models()
            if served:
                names = ", ".join(served[:MAX_NAMED_MODELS])
                return EndpointError(
                    f"the endpoint does not serve the model {self._config.model!r}",
                    where=self._config.base_url,
                    hint=f"it serves: {names}",
                )
        return meant

    async def _served_models(self) -> list[str]:
        """Return the names of the models the endpoint lists; none if it lists none."""
        assert self._session is not None
        url = URL(self._config.url.removesuffix(ENDPOINT_PATH) + "/models")
        try:
            reply = await self._session.get(
                url, headers=self._headers, proxy=self._proxy, allow_redirects=False
            )
            listed = msgspec.json.decode(await _read(reply), type=_ModelList)
        except (aiohttp.ClientError, OSError, PassingFaultError, ValueError, RecursionError):
            return []
        names = (one_line(model.id, MAX_NAME_CHARS) for model in listed.data)
        return [name for name in names if name != self._config.model]


class _Model(msgspec.Struct):
    id: str


class _ModelList(msgspec.Struct):
    data: list[_Model]


async def _read(reply: aiohttp.ClientResponse) -> bytes:
    # The length of a compressed reply says nothing about what comes out of it.
    plain = "Content-Encoding" not in reply.headers
    if plain and reply.content_length is not None and reply.content_length <= MAX_REPLY_BYTES:
        return await reply.read()
    data = bytearray()
    async for chunk in reply.content.iter_any():
        data += chunk
        if len(data) > MAX_REPLY_BYTES:
            reply.close()
            raise PassingFaultError(Cause.SERVER_ERROR, f"over {MAX_REPLY_BYTES >> 20} MiB sent")
    return bytes(data)


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


def _proxy(url: URL) -> str | None:
    """Return the proxy that the environment names for the endpoint; none on this machine."""
    host = url.host or ""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(url.scheme)
