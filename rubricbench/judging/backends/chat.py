"""A request as a model in this process needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.request import Request

_KNOWN_EXTRAS = frozenset({"chat_template_kwargs"})


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked in a chat completion request.

    Args:
        key: the request's store key; what is drawn at random is drawn by it.
        labels: the criteria's labels, as they stand in the conversation.
        messages: the conversation; contents are untrusted text.
        max_tokens: limit of an answer in tokens, or None.
        temperature: sampling temperature; 0 takes the likeliest.
        top_logprobs: alternatives wanted at each token; 0 wants no log-probabilities.
        template_kwargs: further arguments of the chat template, such as ``enable_thinking``.
    """

    key: str
    labels: tuple[str, ...]
    messages: list[dict[str, str]]
    max_tokens: int | None
    temperature: float
    top_logprobs: int
    template_kwargs: dict[str, Any]


class _Body(msgspec.Struct):
    messages: list[dict[str, str]]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float = 1.0  # as models are sampled where nobody says otherwise
    top_logprobs: int = 0
    chat_template_kwargs: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(_Body)


def read_chat(request: Request) -> Chat:
    """Return what a request asks."""
    body = _decoder.decode(request.body)
    limit = body.max_tokens if body.max_tokens is not None else body.max_completion_tokens
    return Chat(
        key=request.key,
        labels=request.labels,
        messages=body.messages,
        max_tokens=limit,
        temperature=body.temperature,
        top_logprobs=body.top_logprobs,
        template_kwargs=body.chat_template_kwargs,
    )


def check_extras(config: JudgeConfig) -> None:
    """Refuse request fields that a model in this process would not heed.

    Raises:
        InputError: there is one; it would be part of every key and do nothing.
    """
    unknown = sorted(config.extra_body.keys() - _KNOWN_EXTRAS)
    if unknown:
        raise InputError(
            f"a judge that runs here by {config.backend} knows no field {unknown[0]!r:.40}",
            hint="of extra_body it takes chat_template_kwargs alone",
        )
