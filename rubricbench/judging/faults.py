"""What went wrong with a call, and whose fault it is.

A fault that may pass is tried again (`PassingFaultError`). One that concerns this call alone ends
it (`CallFailedError`): the verdicts are unknown, with its cause. One of the configuration (key,
model name, address) would meet every call and ends the run (`EndpointError`). Some answers mean
one or the other: "not found" or a page of HTML is a wrong address as long as the endpoint has never
answered a call, and the fault of a proxy or a restart after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from rubricbench.endpoints import API_KEY_VARIABLES
from rubricbench.errors import EndpointError, RubricbenchError
from rubricbench.judging.config import JudgeConfig
from rubricbench.schema import Cause

_OVERFLOW = (
    "context length",
    "context_length",
    "maximum context",
    "context window",
    "prompt is too long",
    "too many tokens",
    "maximum allowed length",
)
_FILTERED = ("content_filter", "content management policy", "content_policy")
_QUOTA = ("insufficient_quota", "billing")
_REFUSES = ("support", "allow", "unrecogni", "unknown", "not permitted", "extra input", "invalid")
_PASSING = frozenset({408, 409, 425})
MAX_DETAIL_CHARS = 300
STOPPED = "stopped before it was asked"


class Failure(msgspec.Struct, frozen=True):
    """Why a call has no answer.

    Args:
        cause: the cause of the verdicts that are unknown by it.
        detail: what happened, in a line.
    """

    cause: Cause
    detail: str


class CallFailedError(RubricbenchError):
    """A call that stayed without an answer; nothing of it is stored.

    Args:
        cause: the cause of the verdicts that are unknown by it.
        detail: what happened, in a line.
    """

    def __init__(self, cause: Cause, detail: str) -> None:
        self.failure = Failure(cause, detail)
        super().__init__(detail)

    @property
    def cause(self) -> Cause:
        """The cause of the verdicts that are unknown by it."""
        return self.failure.cause


class PassingFaultError(CallFailedError):
    """An attempt that failed for a reason that may pass.

    Args:
        cause: the cause of the verdicts that are unknown by it, if it does not pass.
        detail: what happened, in a line.
        wait: seconds the endpoint asked to wait, if it did.
    """

    def __init__(self, cause: Cause, detail: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(cause, detail)


class NotSentError(CallFailedError):
    """An attempt that was never made: nothing is owed for it."""


class Reply(msgspec.Struct, frozen=True):
    """An endpoint's reply that is no answer.

    Args:
        status: HTTP status; that of an error object inside a reply of status 200.
        data: the body.
        location: where a redirect points.
        wait: seconds it asks to wait.
    """

    status: int
    data: bytes
    location: str = ""
    wait: float | None = None

    @property
    def is_html(self) -> bool:
        """Whether the body is a page for people."""
        return self.data.lstrip()[:1] == b"<"

    @property
    def detail(self) -> str:
        """Status and what the endpoint says, in a line."""
        text = "a page of HTML" if self.is_html else error_text(self.data)
        return f"HTTP {self.status}: {text}" if text else f"HTTP {self.status}"


def fault(reply: Reply, config: JudgeConfig, *, answered: bool) -> RubricbenchError:
    """Return what a reply means; ``answered`` says whether the endpoint ever answered a call."""
    status, words = reply.status, error_text(reply.data).lower()
    option = "" if answered else _refused_option(status, words, config)
    if option:
        return _endpoint(reply, config, option)
    if status == 401 or (status == 403 and not answered):
        return _refuses_key(reply, config)
    if status == 402 or (status == 429 and _has(words, _QUOTA)):
        return _endpoint(reply, config, "the account's quota is used up; nothing finished is lost")
    if status == 429:
        return PassingFaultError(Cause.RATE_LIMITED, reply.detail, reply.wait)
    if status >= 500 or status in _PASSING:
        return PassingFaultError(Cause.SERVER_ERROR, reply.detail, reply.wait)
    if _has(words, _FILTERED):
        return CallFailedError(Cause.FILTERED, reply.detail)
    if status == 413 or _has(words, _OVERFLOW):
        return CallFailedError(Cause.OVERFLOW, reply.detail)
    if not answered:
        return _never_answered(reply, config)
    return CallFailedError(Cause.REJECTED, reply.detail)


def _refused_option(status: int, words: str, config: JudgeConfig) -> str:
    """Return what to do about an option of ours that an error is about; empty if about none."""
    if status not in (400, 403, 422) or not _has(words, _REFUSES):
        return ""
    remedies = {
        "temperature": "--temperature none" if config.temperature is not None else "",
        "logprobs": "--logprobs 0" if config.logprobs else "",
        "response_format": "--no-response-format" if config.response_format else "",
        **{field: f"leave {field} out of extra_body" for field in config.extra_body},
    }
    remedy = next((found for name, found in remedies.items() if name in words and found), "")
    return f"it does not take this option: {remedy}" if remedy else ""


def _never_answered(reply: Reply, config: JudgeConfig) -> RubricbenchError:
    if 300 <= reply.status < 400:
        return _endpoint(reply, config, f"it points to {reply.location!r:.200}: use that address")
    if reply.is_html or reply.status < 300:
        return not_compatible(reply, config)
    if reply.status in (404, 405):
        return _endpoint(
            reply,
            config,
            f"is {config.model!r} served there, and does the base URL end in /v1?",
        )
    # Often a bad option, but it may be about this one text: the breaker decides after a few.
    return CallFailedError(Cause.REJECTED, reply.detail)


def wants_completion_tokens(status: int, data: bytes) -> bool:
    """Return whether a reply refuses ``max_tokens`` for the name that replaced it."""
    return status in (400, 422) and "max_completion_tokens" in error_text(data)


def not_compatible(reply: Reply, config: JudgeConfig) -> EndpointError:
    """Return the error for a reply that no chat completion endpoint gives."""
    start = " ".join(reply.data[:60].decode("utf-8", "replace").split())
    return EndpointError(
        f"this does not look like an OpenAI-compatible endpoint: it answered {start!r}",
        where=config.url,
        hint="the base URL usually ends in /v1",
    )


def garbled(reply: Reply, why: str, config: JudgeConfig, *, answered: bool) -> RubricbenchError:
    """Return what a reply of status 200 means that is no chat completion."""
    inner = _error_status(reply.data)
    if inner:
        return fault(msgspec.structs.replace(reply, status=inner), config, answered=answered)
    if answered:
        return PassingFaultError(Cause.SERVER_ERROR, f"not a chat completion: {why}")
    return not_compatible(reply, config)


def _refuses_key(reply: Reply, config: JudgeConfig) -> EndpointError:
    variable = config.api_key_env or " or ".join(API_KEY_VARIABLES)
    return _endpoint(reply, config, f"put a valid API key into the variable {variable}")


def _endpoint(reply: Reply, config: JudgeConfig, hint: str) -> EndpointError:
    return EndpointError(reply.detail, where=config.url, hint=hint)


def error_text(data: bytes) -> str:
    """Return code and message of an error body, or its text, in a line fit for a terminal."""
    error = _error_object(data)
    if error is not None:
        text = " ".join(str(error[k]) for k in ("code", "type", "message") if error.get(k))
    else:
        text = data[: 4 * MAX_DETAIL_CHARS].decode("utf-8", "replace")
    return one_line(text, MAX_DETAIL_CHARS)


def one_line(text: str, most: int) -> str:
    """Return the start of a stranger's text, in a line fit for a terminal."""
    line = " ".join(text.split())[:most]
    return "".join(c if c.isprintable() else "?" for c in line)


def _error_object(data: bytes) -> Mapping[str, Any] | None:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    error = value.get("error", value)
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) and ("message" in error or "code" in error) else None


def _error_status(data: bytes) -> int | None:
    """Return the HTTP status that an error object inside a reply of status 200 stands for."""
    error = _error_object(data)
    if error is None:
        return None
    code = error.get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _has(words: str, any_of: tuple[str, ...]) -> bool:
    return any(word in words for word in any_of)
