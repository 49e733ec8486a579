"""The bytes of a chat completion, read as far as we use it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from rubricbench.judging.usage import token_counts


# Only what makes an answer has a type: it is paid for, whatever stands beside it.
class _Message(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: Any = None


class _Reply(msgspec.Struct):
    choices: list[_Choice]
    model: Any = None
    usage: Any = None


class ChatAnswer(msgspec.Struct, frozen=True):
    """What a model answered.

    Args:
        text: the answer; a refusal's text, where the endpoint sends it apart.
        reasoning: reasoning text, where the endpoint sends it apart.
        finish_reason: as sent; ``refusal`` where the endpoint marks one otherwise.
        model: name the endpoint reported.
        usage: token counts.
    """

    text: str
    reasoning: str
    finish_reason: str
    model: str
    usage: dict[str, int]


_decoder = msgspec.json.Decoder(_Reply)


def read_answer(data: bytes) -> ChatAnswer:
    """Read the body of a chat completion.

    Raises:
        ValueError: it is none.
    """
    try:
        reply = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reply = _read_leniently(data)
    if not reply.choices:
        raise ValueError("no choices")
    choice = reply.choices[0]
    message = choice.message
    text = _text(message.content)
    refused = bool(message.refusal) and not text
    return ChatAnswer(
        text=_string(message.refusal) if refused else text,
        reasoning=_string(message.reasoning_content) or _string(message.reasoning),
        finish_reason="refusal" if refused else _string(choice.finish_reason),
        model=_string(reply.model),
        usage=token_counts(reply.usage if isinstance(reply.usage, dict) else None),
    )


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _read_leniently(data: bytes) -> _Reply:
    # Models emit half surrogates and cut characters, which only this decoder takes; a paid answer
    # with one in it is still an answer.
    try:
        return msgspec.convert(json.loads(data.decode("utf-8", "replace")), _Reply)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from None


def _text(content: str | list[Any] | None) -> str:
    """Return the text of a message, whose content may come in parts (thinking, text)."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
