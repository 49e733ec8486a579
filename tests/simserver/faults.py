"""What a server can do instead of answering well, by name."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web
from simserver.latent import Question

Respond = Callable[[web.BaseRequest, Question], Awaitable[web.StreamResponse]]


def answer(content: str | list[Any] | None, *, finish: str = "stop", **message: Any) -> bytes:
    """A chat completion."""
    return json.dumps(
        {
            "object": "chat.completion",
            "model": "sim-1",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content, **message},
                    "finish_reason": finish,
                }
            ],
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 10,
                "total_tokens": 110,
                "prompt_tokens_details": {"cached_tokens": 64},
            },
        }
    ).encode()


def error(status: int, message: str, *, code: str | None = None, **headers: str) -> web.Response:
    """An error as OpenAI's API words it."""
    body = json.dumps({"error": {"message": message, "type": "sim", "code": code}}).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def ok(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _replies(make: Callable[[dict[str, Any]], web.Response]) -> Respond:
    async def respond(request: web.BaseRequest, question: Question) -> web.StreamResponse:
        return make(question.answer())

    return respond


def _says(make: Callable[[dict[str, Any]], str | list[Any] | None], **more: Any) -> Respond:
    return _replies(lambda found: ok(answer(make(found), **more)))


def _is(status: int, message: str, *, code: str | None = None, **headers: str) -> Respond:
    return _replies(lambda found: error(status, message, code=code, **headers))


def _page(status: int) -> Respond:
    html = "<!doctype html><html><body>Welcome</body></html>"
    return _replies(lambda _: web.Response(status=status, text=html, content_type="text/html"))


def _duplicated(found: dict[str, Any]) -> str:
    label, value = next(iter(found.items()))
    return json.dumps(found)[:-1] + f", {json.dumps(label)}: {json.dumps(value)}}}"


def _without_first(found: dict[str, Any]) -> str:
    return json.dumps(dict(list(found.items())[1:]))


async def _hang(request: web.BaseRequest, question: Question) -> web.StreamResponse:
    await asyncio.sleep(60)
    return ok(answer("{}"))


async def _cut_off(request: web.BaseRequest, question: Question) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Length": "1000"})
    await reply.prepare(request)
    await reply.write(answer(json.dumps(question.answer()))[:50])
    assert request.transport is not None
    request.transport.close()
    return reply


async def _drip(request: web.BaseRequest, question: Question) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(request)
    for byte in answer(json.dumps(question.answer())):
        await reply.write(bytes([byte]))
        await asyncio.sleep(0.1)
    return reply


async def _flood(request: web.BaseRequest, question: Question) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(request)
    for _ in range(40):
        await reply.write(b" " * (1 << 20))
    return reply


def _bomb(found: dict[str, Any]) -> web.Response:
    data = gzip.compress(b" " * (40 << 20))
    return web.Response(body=data, headers={"Content-Encoding": "gzip"})


def _half_surrogate(found: dict[str, Any]) -> web.Response:
    text = json.dumps(found)[:-1] + ', "note": "\\ud83d"}'
    return ok(answer(text).replace(b"\\\\ud83d", b"\\ud83d"))


def _bad_utf8(found: dict[str, Any]) -> web.Response:
    return ok(answer(json.dumps(found)[:-1] + ', "note": "@@"}').replace(b"@@", b"\xff\xfe"))


FAULTS: dict[str, Respond] = {
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
    "prose around": _says(lambda found: f"Here you are: {json.dumps(found)}"),
    "list": _says(lambda found: json.dumps([found])),
    "wrong values": _says(lambda found: json.dumps(dict.fromkeys(found, "probably"))),
    "wrong ids": _says(lambda found: json.dumps({f"x{k}": v for k, v in found.items()})),
    "missing id": _says(_without_first),
    "duplicate id": _says(_duplicated),
    "extra id": _says(lambda found: json.dumps({**found, "bonus": True})),
    "refusal": _says(lambda _: "I'm sorry, but I can't help with that."),
    "refusal field": _says(lambda _: None, refusal="I cannot grade this."),
    "filtered": _says(lambda _: "", finish="content_filter"),
    "truncated": _says(lambda found: json.dumps(found)[:12], finish="length"),
    "unclosed think": _says(lambda _: "<think>Let me see"),
    "reasoned to the limit": _says(lambda _: None, finish="length", reasoning_content="Hm"),
    "empty": _says(lambda _: ""),
    "null": _says(lambda _: None),
    # answers in unusual dress
    "fenced": _says(lambda found: f"```json\n{json.dumps(found, indent=2)}\n```"),
    "think": _says(lambda found: f"<think>Is it {{}}?</think>\n\n{json.dumps(found)}"),
    "only the end of think": _says(lambda found: f"Is it?\n</think>\n{json.dumps(found)}"),
    "reasoning": _says(lambda found: json.dumps(found), reasoning_content="Hm </think> {"),
    "parts": _says(
        lambda found: [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
            {"type": "text", "text": json.dumps(found)},
        ]
    ),
    "whole at the limit": _says(lambda found: json.dumps(found), finish="length"),
    "half surrogate": _replies(_half_surrogate),
    "bad utf-8": _replies(_bad_utf8),
}
