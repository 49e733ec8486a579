"""Completions for the tests of the store, each with a true key."""

from __future__ import annotations

from typing import Any

from rubricbench.store import Completion, request_key


def completion(i: object, text: str = "answer", **rest: Any) -> Completion:
    key, request = request_key({"messages": [str(i)], "model": "m"})
    return Completion(key=key, request=request, text=text, **rest)


def key_of(i: object) -> str:
    return completion(i).key


def raw_key_of(i: object) -> bytes:
    return bytes.fromhex(key_of(i))
