"""Replies as OpenAI's API words them."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

# What is reported where nothing is counted.
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 10,
    "total_tokens": 110,
    "prompt_tokens_details": {"cached_tokens": 64},
}


def answer(
    content: str | list[Any] | None,
    *,
    finish: str = "stop",
    logprobs: dict[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
    **message: Any,
) -> bytes:
    """A chat completion."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish,
    }
    if logprobs is not None:
        choice["logprobs"] = logprobs
    return json.dumps(
        {
            "object": "chat.completion",
            "model": "sim-1",
            "choices": [choice],
            "usage": usage or USAGE,
        }
    ).encode()


def error(
    status: int, message: str, *, code: str | None = None, param: str | None = None, **headers: str
) -> web.Response:
    """An error."""
    inner = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    if status == 429 or status >= 500:
        inner["type"] = "requests" if status == 429 else "server_error"
    body = json.dumps({"error": inner}).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def ok(body: bytes) -> web.Response:
    """A reply of status 200."""
    return web.Response(body=body, content_type="application/json")
