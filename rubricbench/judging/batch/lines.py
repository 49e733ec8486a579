"""A line of a batch's output: an answer, or why there is none."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from rubricbench.errors import EndpointError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import CallFailedError, Failure, Reply, error_text, fault
from rubricbench.judging.wire import ChatAnswer, read_answer
from rubricbench.schema import Cause

# Codes of OpenAI's Batch API for requests that were never run.
_NEVER_RUN = {"batch_expired": Cause.TIMEOUT, "batch_cancelled": Cause.CANCELLED}


_NOTHING = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct):
    custom_id: str
    response: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING
    method: Any = None


class _Response(msgspec.Struct):
    body: msgspec.Raw = _NOTHING
    status_code: int = 200


_envelopes = msgspec.json.Decoder(_Envelope)
_responses = msgspec.json.Decoder(_Response)


class NotAnOutputError(ValueError):
    """The line is a request of a batch, not what came of one."""


class OutputLine(msgspec.Struct, frozen=True):
    """A line of a batch's output.

    Args:
        custom_id: the request it is about.
        response: JSON of the response; empty where there is none.
        error: JSON of the error; empty where there is none.
    """

    custom_id: str
    response: bytes
    error: bytes

    def result(self, config: JudgeConfig) -> ChatAnswer | Failure:
        """Return the answer, or why there is none.

        Args:
            config: the judge, for the meaning of refusals.
        """
        if not self.response:
            return self._error(config)
        try:
            response = _read_response(self.response)
            body = _content(response.body) or self.response  # some send the body alone
            if response.status_code == 200:
                return read_answer(body)
        except ValueError as error:
            return Failure(Cause.SERVER_ERROR, f"not a chat completion: {str(error)[:200]}")
        return _meaning(Reply(response.status_code, body), config)

    def _error(self, config: JudgeConfig) -> Failure:
        words = error_text(self.error) if self.error else "neither a response nor an error"
        for code, cause in _NEVER_RUN.items():
            if code in words:
                return Failure(cause, words)
        if not self.error:
            return Failure(Cause.SERVER_ERROR, words)
        return msgspec.structs.replace(_meaning(Reply(400, self.error), config), detail=words)


def _meaning(reply: Reply, config: JudgeConfig) -> Failure:
    meant = fault(reply, config, answered=True)
    if isinstance(meant, CallFailedError):
        return meant.failure
    assert isinstance(meant, EndpointError)  # of the key or the account: nothing of the response's
    return Failure(Cause.REJECTED, reply.detail)


def read_line(data: bytes) -> OutputLine:
    """Read a line.

    Raises:
        NotAnOutputError: it is a request.
        ValueError: it is no line of a batch.
    """
    try:
        line = _envelopes.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        line = _read_leniently(data, error)
    response, refusal = _content(line.response), _content(line.error)
    if line.method is not None and not response and not refusal:
        raise NotAnOutputError("this is a request")
    return OutputLine(line.custom_id, response, refusal)


# Models emit half surrogates, which only `json` takes (see `rubricbench.judging.wire`).


def _read_response(data: bytes) -> _Response:
    try:
        return _responses.decode(data)
    except msgspec.DecodeError as error:
        try:
            response = json.loads(data)
            body = _raw(response.get("body"))
            return msgspec.convert({**response, "body": body}, _Response)
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ValueError(str(error)) from None


def _read_leniently(data: bytes, first: Exception) -> _Envelope:
    try:
        line = json.loads(data)
        return msgspec.convert(
            {**line, "response": _raw(line.get("response")), "error": _raw(line.get("error"))},
            _Envelope,
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(str(first)) from None


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode("ascii"))


def _content(raw: msgspec.Raw) -> bytes:
    data = bytes(raw)
    return b"" if data == b"null" else data
