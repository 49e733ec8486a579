"""What an endpoint takes, refuses (in the words of OpenAI) and silently ignores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from simserver.replies import error
from simserver.schemas import fault_of

MOST_TOP_LOGPROBS = 20
_FIELDS = frozenset(
    {
        *("model", "messages", "temperature", "top_p", "seed", "n", "stop", "stream", "user"),
        *("max_tokens", "max_completion_tokens", "response_format", "reasoning_effort"),
        *("logprobs", "top_logprobs"),
    }
)


@dataclass(frozen=True)
class Dialect:
    """What an endpoint makes of a request's fields.

    Args:
        schema: ``plain``: answers follow the words of the prompt, and so the schema; ``enforced``:
            a bad schema is refused, and no answer violates a good one, whatever the fault;
            ``ignored``: answers stand in a block of Markdown, as chatty models put JSON;
            ``refused``.
        logprobs: ``given``, ``ignored`` or ``refused``.
        tokens: how an answer is cut, one of `simserver.tokens.STYLES`.
        captured: share of a verdict's probability that is on its two words.
        token_field: the only name of the answer's limit that it takes; empty takes both.
        fixed_temperature: whether any temperature but 1 is refused.
        strict: whether fields that are not OpenAI's are refused, such as chat_template_kwargs.
        thinking: ``inline`` or ``apart``: it thinks before it answers, unless
            ``chat_template_kwargs`` has ``enable_thinking`` false; where apart, tokens with
            logprobs include the thought, as vLLM's do.
    """

    schema: str = "plain"
    logprobs: str = "given"
    tokens: str = "spaced"
    captured: float = 0.97
    token_field: str = ""
    fixed_temperature: bool = False
    strict: bool = False
    thinking: str = ""

    def refusal(self, body: dict[str, Any]) -> tuple[str, web.Response] | None:
        """Return the name and the reply of what it refuses in a request."""
        for check in (self._limit, self._temperature, self._logprobs, self._schema, self._unknown):
            found = check(body)
            if found:
                return found
        return None

    def schema_of(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the schema that answers must not violate, if any."""
        asked = body.get("response_format") or {}
        if self.schema != "enforced" or asked.get("type") != "json_schema":
            return None
        schema: dict[str, Any] = asked["json_schema"]["schema"]
        return schema

    def thinks(self, body: dict[str, Any]) -> bool:
        """Whether the answer begins with a thought."""
        told = body.get("chat_template_kwargs") or {}
        return bool(self.thinking) and told.get("enable_thinking", True) is not False

    def _limit(self, body: dict[str, Any]) -> tuple[str, web.Response] | None:
        wrong = {"max_tokens", "max_completion_tokens"} - {self.token_field}
        given = sorted(wrong & body.keys())
        if not self.token_field or not given:
            return None
        message = (
            f"Unsupported parameter: '{given[0]}' is not supported with this model. "
            f"Use '{self.token_field}' instead."
        )
        return "limit", error(400, message, code="unsupported_parameter", param=given[0])

    def _temperature(self, body: dict[str, Any]) -> tuple[str, web.Response] | None:
        given = body.get("temperature")
        if not self.fixed_temperature or given in (None, 1):
            return None
        message = (
            f"Unsupported value: 'temperature' does not support {given:g} with this model. "
            "Only the default (1) value is supported."
        )
        reply = error(400, message, code="unsupported_value", param="temperature")
        return "temperature", reply

    def _logprobs(self, body: dict[str, Any]) -> tuple[str, web.Response] | None:
        if not body.get("logprobs"):
            return None
        if self.logprobs == "refused":
            return "logprobs", error(
                403, "You are not allowed to request logprobs from this model."
            )
        top = body.get("top_logprobs", 0)
        if top > MOST_TOP_LOGPROBS and self.logprobs == "given":
            message = (
                "Invalid 'top_logprobs': integer above maximum value. Expected a value "
                f"<= {MOST_TOP_LOGPROBS}, but got {top} instead."
            )
            code = "integer_above_max_value"
            return "logprobs", error(400, message, code=code, param="top_logprobs")
        return None

    def _schema(self, body: dict[str, Any]) -> tuple[str, web.Response] | None:
        if self.schema == "refused" and body.get("response_format"):
            message = (
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported "
                "with this model."
            )
            return "schema", error(400, message, param="response_format")
        if self.schema == "enforced" and (wrong := fault_of(self.schema_of(body) or {})):
            message = f"Invalid schema for response_format 'verdicts': {wrong:.200}"
            return "schema", error(400, message, param="response_format")
        return None

    def _unknown(self, body: dict[str, Any]) -> tuple[str, web.Response] | None:
        unknown = sorted(body.keys() - _FIELDS)
        if not self.strict or not unknown:
            return None
        message = f"Unrecognized request argument supplied: {', '.join(unknown)}"
        return "argument", error(400, message)
