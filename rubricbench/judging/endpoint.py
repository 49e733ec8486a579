"""One address of an OpenAI-compatible chat endpoint: single attempts, timed and counted.

Raw aiohttp, set up to do as little as possible per call: the call is the cost of judging. What a
failed attempt means is decided in `rubricbench.judging.faults`; whether there is another one in
`rubricbench.judging.client`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from yarl import URL

import rubricbench
from rubricbench.errors import EndpointError, RubricbenchError
from rubricbench.judging.config import ENDPOINT_PATH, JudgeConfig
from rubricbench.judging.faults import (
    MAX_DETAIL_CHARS,
    STOPPED,
    NotSentError,
    PassingFaultError,
    Reply,
    fault,
    garbled,
    one_line,
    wants_completion_tokens,
)
from rubricbench.judging.pace import Share, Slot, shared_limiter
from rubricbench.judging.retry import retry_after
from rubricbench.judging.usage import Tally
from rubricbench.judging.wire import ChatAnswer, read_answer
from rubricbench.schema import Cause

MAX_REPLY_BYTES = 16 << 20
MAX_NAMED_MODELS = 8
LEAST_SECONDS = 0.001
LISTING_SECONDS = 5.0  # it only makes a message better
MAX_NAME_CHARS = 100
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LIMIT, _NEWER_LIMIT = b'"max_tokens":', b'"max_completion_tokens":'


class Endpoint:
    """One address.

    Args:
        config: the judge; its ``base_url`` is this address alone.
        tally: where attempts are counted.
        key: the API key, or nothing.
    """

    def __init__(self, config: JudgeConfig, tally: Tally, key: str) -> None:
        self._config = config
        self._tally = tally
        self._url = URL(config.url)
        self._key = key
        self._key_forms = _as_quoted(key)
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"rubricbench/{rubricbench.__version__}",
            **({"Authorization": f"Bearer {key}"} if key else {}),
        }
        self._proxy = _proxy(self._url)
        self._timeout = aiohttp.ClientTimeout(total=config.timeout)
        self._newer_limit = False
        self._session: aiohttp.ClientSession | None = None
        self._share: Share | None = None
        self._refused = False  # ever, for the rate of requests
        self.answered = False  # ever
        self.in_flight = 0  # those that wait for their turn included

    @property
    def url(self) -> str:
        """Its address, as it is recorded."""
        return self._config.url

    def open(self, session: aiohttp.ClientSession) -> None:
        """Begin to use a session, at the pace that all runs of this process have together."""
        self._session = session
        self._share = shared_limiter(self.url, self._key).join(self._config.concurrency)

    def stop(self) -> None:
        """Begin no further attempt."""
        if self._share:
            self._share.stop()

    def close(self) -> None:
        """Leave the session to its owner, and the pace to others."""
        if self._share:
            self._share.leave()

    async def attempt(self, body: bytes, deadline: float) -> ChatAnswer:
        """Send a request once, as soon as the endpoint's pace permits.

        Args:
            body: the JSON of a chat completion request.
            deadline: when it must have ended, by the monotonic clock; once sent, it may take no
                longer than the configured time-out.

        Raises:
            PassingFaultError: it failed for a reason that may pass.
            CallFailedError: it failed, and would again.
            EndpointError: the key, the model or the address is wrong.
        """
        assert self._share is not None, "the client is an async context manager"
        self.in_flight += 1
        try:
            slot = await self._share.slot(within=deadline - time.monotonic())
            if slot is None:
                raise self._unsent()
            try:
                return await self._attempt(body, deadline, slot)
            finally:
                slot.failed()  # unless it was answered or refused
        finally:
            self.in_flight -= 1

    def _unsent(self) -> NotSentError:
        assert self._share is not None
        if self._share.stopped:
            return NotSentError(Cause.CANCELLED, STOPPED)
        cause = Cause.RATE_LIMITED if self._refused else Cause.TIMEOUT
        return NotSentError(cause, "its turn did not come in time")

    async def _attempt(self, body: bytes, deadline: float, slot: Slot) -> ChatAnswer:
        if time.monotonic() >= deadline:
            raise NotSentError(Cause.TIMEOUT, "no time was left to send it")
        self._tally.attempts += 1
        sent = body.replace(_LIMIT, _NEWER_LIMIT, 1) if self._newer_limit else body
        status, headers, data = await self._sent(sent, deadline)
        if status != 200:
            data = self._without_key(data)
            if sent is body and wants_completion_tokens(status, data) and _LIMIT in body:
                # The same limit under the name that newer endpoints have for it.
                self._newer_limit = True
                return await self._attempt(body, deadline, slot)
            wait = retry_after(headers, time.time())
            meant = await self._meaning(Reply(status, data, self._location(headers), wait))
            if isinstance(meant, PassingFaultError):
                self._refused |= meant.cause is Cause.RATE_LIMITED
                # An overloaded server's way of saying that there are too many.
                overloaded = status == 529 or (status == 503 and wait is not None)
                if overloaded or meant.cause is Cause.RATE_LIMITED:
                    slot.refused(wait, headers)
            raise meant
        # From here to the caller nothing is awaited: what was received cannot be cancelled away.
        try:
            answer = read_answer(data)
        except ValueError as error:
            reply = Reply(status, self._without_key(data))
            raise garbled(reply, str(error), self._config, answered=self.answered) from None
        self.answered = True
        usage = answer.usage
        tokens = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
        slot.answered(headers, tokens)
        return answer

    async def _sent(self, body: bytes, deadline: float) -> tuple[int, Mapping[str, str], bytes]:
        # Above 0, which aiohttp takes for no limit at all.
        limit = max(LEAST_SECONDS, min(deadline - time.monotonic(), self._config.timeout))
        try:
            return await self._post(body, limit)
        except TimeoutError:
            raise PassingFaultError(Cause.TIMEOUT, f"no answer in {limit:.3g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            quoted = self._without_key(str(error).encode("utf-8", "replace")).decode("utf-8")
            detail = one_line(quoted, MAX_DETAIL_CHARS) or type(error).__name__
            raise PassingFaultError(Cause.CONNECTION, detail) from None

    def _location(self, headers: Mapping[str, str]) -> str:
        location = headers.get("Location", "").encode("utf-8", "replace")
        return self._without_key(location).decode("utf-8")

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
        for form in self._key_forms:
            data = data.replace(form, b"[key]")
        return data

    async def _meaning(self, reply: Reply) -> RubricbenchError:
        meant = fault(reply, self._config, answered=self.answered)
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
                url,
                headers=self._headers,
                proxy=self._proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=LISTING_SECONDS),
            )
            listed = msgspec.json.decode(await _read(reply), type=_ModelList)
        except (aiohttp.ClientError, OSError, PassingFaultError, ValueError, RecursionError):
            return []
        names = (one_line(model.id, MAX_NAME_CHARS) for model in listed.data)
        return [name for name in names if name != self._config.model]


def _as_quoted(key: str) -> tuple[bytes, ...]:
    """Return what a key may look like in an error: some write / < > & with an escape in JSON."""
    if not key:
        return ()
    in_json = json.dumps(key)[1:-1]
    escaped = "".join(f"\\u{ord(c):04x}" if c in "<>&" else c for c in in_json)
    forms = (key, in_json, in_json.replace("/", "\\/"), escaped, escaped.replace("/", "\\/"))
    return tuple(form.encode("ascii") for form in dict.fromkeys(forms))


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


def _proxy(url: URL) -> str | None:
    """Return the proxy that the environment names for the endpoint; none on this machine."""
    host = url.host or ""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(url.scheme)
