"""The bytes of a chat completion, read as far as we use it."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from rubricbench.judging.usage import token_counts

MAX_LOGPROB_ERROR = 1e-3  # of a logarithm: rounding may leave it above 0


# Only what makes an answer has a type: it is paid for, whatever stands beside it.
class _Message(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: Any = None
    logprobs: msgspec.Raw = msgspec.Raw()  # read on their own: whatever they are, they lose nothing


class _Reply(msgspec.Struct):
    choices: list[_Choice]
    model: Any = None
    usage: Any = None


class _Alternative(msgspec.Struct, gc=False):
    token: str
    logprob: float


class _Token(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[_Alternative] | None = None


class _Logprobs(msgspec.Struct):
    content: list[_Token]


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token of an answer.

    Args:
        data: its bytes; a token may hold a part of a character.
        logprob: natural logarithm of its probability.
        top: the likeliest tokens in its place, with theirs.
    """

    data: bytes
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


class ChatAnswer(msgspec.Struct, frozen=True):
    """What a model answered.

    Args:
        text: the answer; a refusal's text, where the endpoint sends it apart.
        reasoning: reasoning text, where the endpoint sends it apart.
        finish_reason: as sent; ``refusal`` where the endpoint marks one otherwise.
        model: name the endpoint reported.
        usage: token counts.
        logprobs: the tokens of the answer; none where the endpoint sends none that can be used.
        url: who answered, where there are several to ask; else empty.
    """

    text: str
    reasoning: str
    finish_reason: str
    model: str
    usage: dict[str, int]
    logprobs: tuple[TokenLogprob, ...] = ()
    url: str = ""


_decoder = msgspec.json.Decoder(_Reply)
_logprobs_decoder = msgspec.json.Decoder(_Logprobs)


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
        logprobs=_logprobs(choice.logprobs),
    )


def _logprobs(sent: bytes | msgspec.Raw) -> tuple[TokenLogprob, ...]:
    """Return the tokens as sent; none where any of it is not what it should be."""
    if not sent or sent == b"null":
        return ()
    try:
        return tuple(map(_token, _logprobs_decoder.decode(sent).content))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ()


def _token(sent: _Token) -> TokenLogprob:
    data = bytes(sent.bytes) if sent.bytes else sent.token.encode("utf-8", "surrogatepass")
    top = tuple((other.token, _log(other.logprob)) for other in sent.top_logprobs or ())
    return TokenLogprob(data, _log(sent.logprob), top)


def _log(value: float) -> float:
    """Return a logarithm of a probability, a rounding error above 0 corrected.

    Raises:
        ValueError: it is none.
    """
    if not math.isfinite(value) or value > MAX_LOGPROB_ERROR:
        raise ValueError(f"log-probability {value}")
    return min(value, 0.0)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _read_leniently(data: bytes) -> _Reply:
    # Models emit half surrogates and cut characters, which only this decoder takes; a paid answer
    # with one in it is still an answer.
    try:
        loaded = json.loads(data.decode("utf-8", "replace"))
        return msgspec.convert(_without_logprobs(loaded), _Reply)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from None


def _without_logprobs(reply: Any) -> Any:
    """Return a reply without log-probabilities: of broken text, their tokens do not make it."""
    choices = reply.get("choices") if isinstance(reply, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            choice.pop("logprobs", None)
    return reply


def _text(content: str | list[Any] | None) -> str:
    """Return the text of a message, whose content may come in parts (thinking, text)."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
