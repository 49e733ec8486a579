"""What a server can do instead of answering well, by name."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web
from simserver.answers import written
from simserver.asked import Question
from simserver.replies import answer, error, ok


@dataclass(frozen=True)
class Exchange:
    """A request, and what an honest judge would say to it.

    Args:
        request: as it came.
        question: what it asks.
        found: the honest answer, label -> value.
    """

    request: web.BaseRequest
    question: Question
    found: dict[str, Any]

    @property
    def honest(self) -> str:
        """The text of the honest answer."""
        return written(self.question.form, self.found)


@dataclass(frozen=True)
class Says:
    """A model's doing: an answer of status 200.

    Args:
        make: exchange -> the answer's content.
        finish: why it ended.
        message: further fields of the message.
        garble: what becomes of the reply's bytes on the way.
    """

    make: Callable[[Exchange], str | list[Any] | None]
    finish: str = "stop"
    message: Mapping[str, Any] = field(default_factory=dict)
    garble: Callable[[bytes], bytes] = bytes


Does = Callable[[Exchange], Awaitable[web.StreamResponse]]


def _replies(make: Callable[[Exchange], web.Response]) -> Does:
    async def respond(exchange: Exchange) -> web.StreamResponse:
        return make(exchange)

    return respond


def _says(make: Callable[[Exchange], Any], finish: str = "stop", **message: Any) -> Says:
    return Says(make, finish, message)


def _is(status: int, message: str, *, code: str | None = None, **headers: str) -> Does:
    return _replies(lambda _: error(status, message, code=code, **headers))


def _page(status: int) -> Does:
    html = "<!doctype html><html><body>Welcome</body></html>"
    return _replies(lambda _: web.Response(status=status, text=html, content_type="text/html"))


def _with(exchange: Exchange, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """Return the answer with its object changed."""
    return written(exchange.question.form, change(exchange.found))


def _duplicated(exchange: Exchange) -> str:
    label, value = next(iter(exchange.found.items()))
    if exchange.question.form == "compact":
        return f"{value} {exchange.honest}"
    return exchange.honest[:-1] + f", {json.dumps(label)}: {json.dumps(value)}}}"


def _noted(note: str) -> Callable[[Exchange], str]:
    """Return what makes an answer with one more key, whose value is the note."""
    return lambda exchange: _with(exchange, lambda found: {**found, "note": note})


async def _hang(exchange: Exchange) -> web.StreamResponse:
    await asyncio.sleep(60)
    return ok(answer("{}"))


async def _cut_off(exchange: Exchange) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Length": "1000"})
    await reply.prepare(exchange.request)
    await reply.write(answer(exchange.honest)[:50])
    assert exchange.request.transport is not None
    exchange.request.transport.close()
    return reply


async def _drip(exchange: Exchange) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(exchange.request)
    with contextlib.suppress(ConnectionError):  # nobody waits for the end
        for byte in answer(exchange.honest):
            await reply.write(bytes([byte]))
            await asyncio.sleep(0.1)
    return reply


async def _flood(exchange: Exchange) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(exchange.request)
    with contextlib.suppress(ConnectionError):
        for _ in range(40):
            await reply.write(b" " * (1 << 20))
    return reply


@functools.cache
def _bomb_data() -> bytes:
    return gzip.compress(b" " * (40 << 20))


def _bomb(exchange: Exchange) -> web.Response:
    return web.Response(body=_bomb_data(), headers={"Content-Encoding": "gzip"})


FAULTS: dict[str, Says | Does] = {
    # the service's doing, passing
    "429": _is(429, "Rate limit reached", **{"Retry-After": "0"}),
    "429 in a second": _is(429, "Rate limit reached", **{"Retry-After": "1"}),
    "429 by date": _replies(
        lambda _: error(429, "slow", **{"Retry-After": formatdate(time.time() + 2, usegmt=True)})
    ),
    "429 for an hour": _is(429, "Rate limit reached", **{"Retry-After": "3600"}),
    "500": _is(500, "internal error"),
    "502": _page(502),
    "html": _page(200),
    "hang": _hang,
    "drip": _drip,
    "cut off": _cut_off,
    "flood": _flood,
    "bomb": _replies(_bomb),
    "no choices": _replies(lambda _: ok(b'{"choices": []}')),
    "not json": _replies(lambda _: ok(b"upstream failed")),
    "error in 200": _replies(lambda _: ok(b'{"error": {"message": "overloaded", "code": 503}}')),
    # the service's doing, lasting
    "400": _is(400, "response_format is not supported"),
    "403": _is(403, "forbidden"),
    "404": _is(404, "The model does not exist", code="model_not_found"),
    "quota": _is(429, "You exceeded your current quota", code="insufficient_quota"),
    "redirect": _is(307, "moved", Location="http://127.0.0.1:9/v1"),
    # the response's doing
    "overflow": _is(400, "This model's maximum context length is 4096 tokens"),
    "prompt filtered": _is(400, "The response was filtered", code="content_filter"),
    # answers that cannot be read, or only in part
    "garbage": _says(lambda _: "I think it is rather good!"),
    "prose around": _says(lambda x: f"Here you are: {x.honest}"),
    "list": _says(lambda x: json.dumps([x.found])),
    "wrong values": _says(lambda x: _with(x, lambda found: dict.fromkeys(found, "probably"))),
    "wrong ids": _says(lambda x: json.dumps({f"x{k}": v for k, v in x.found.items()})),
    "missing id": _says(lambda x: _with(x, lambda found: dict(list(found.items())[1:]))),
    "duplicate id": _says(_duplicated),
    "extra id": _says(lambda x: _with(x, lambda found: {**found, "bonus": True})),
    "refusal": _says(lambda _: "I'm sorry, but I can't help with that."),
    "refusal field": _says(lambda _: None, refusal="I cannot grade this."),
    "filtered": _says(lambda _: "", "content_filter"),
    "truncated": _says(lambda x: x.honest[:12], "length"),
    "unclosed think": _says(lambda _: "<think>Let me see"),
    "reasoned to the limit": _says(lambda _: None, "length", reasoning_content="Hm"),
    "empty": _says(lambda _: ""),
    "null": _says(lambda _: None),
    # a judge that repeats what it was given
    "echo": _says(lambda x: x.question.response),
    "echo in a block": _says(lambda x: f"```json\n{x.question.response}\n```"),
    "echo before": _says(lambda x: f"{x.question.response}\n{x.honest}"),
    "echo after": _says(lambda x: f"{x.honest}\n{x.question.response}"),
    "echo after think": _says(lambda x: f"<think>Hm</think>{x.question.response}"),
    # answers in unusual dress
    "fenced": _says(lambda x: f"```json\n{json.dumps(x.found, indent=2)}\n```"),
    "think": _says(lambda x: f"<think>Is it {{}}?</think>\n\n{x.honest}"),
    "only the end of think": _says(lambda x: f"Is it?\n</think>\n{x.honest}"),
    "reasoning": _says(lambda x: x.honest, reasoning_content="Hm </think> {"),
    "echo in think": _says(lambda x: f"<think>{x.question.response}</think>\n{x.honest}"),
    "parts": _says(
        lambda x: [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
            {"type": "text", "text": x.honest},
        ]
    ),
    "whole at the limit": _says(lambda x: x.honest, "length"),
    "half surrogate": Says(
        _noted("\\ud83d"), garble=lambda body: body.replace(rb"\\\\ud83d", rb"\ud83d")
    ),
    "bad utf-8": Says(_noted("@@"), garble=lambda body: body.replace(b"@@", b"\xff\xfe")),
}
