"""A question as it is sent, and the identity under which its answer is stored."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.neutral import well_formed
from rubricbench.judging.request import Request
from rubricbench.store import request_key

_AGAIN = (
    "Your last answer could not be read: {fault}. Answer again, with the JSON object alone and "
    "nothing before or after it."
)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    Args:
        messages: chat messages, ``{"role", "content"}`` each.
        schema: JSON schema of the answer; endpoints that can are asked to enforce it.
        name: name of the schema, letters and underscores.
        tag: the caller's, carried through.
    """

    messages: tuple[dict[str, str], ...]
    schema: dict[str, Any]
    name: str = "answer"
    tag: Any = None

    @classmethod
    def of(cls, text: str, *, schema: Mapping[str, Any], name: str = "answer", tag: Any) -> Self:
        """Return a question of one user message."""
        message = {"role": "user", "content": well_formed(text)}
        return cls(messages=(message,), schema=dict(schema), name=name, tag=tag)

    def again(self, text: str, fault: str) -> Question:
        """Return the question after an answer that could not be read.

        Args:
            text: that answer.
            fault: what was the matter with it.
        """
        more = (
            {"role": "assistant", "content": well_formed(text)},
            {"role": "user", "content": _AGAIN.format(fault=fault)},
        )
        return msgspec.structs.replace(self, messages=(*self.messages, *more))

    def request(self, config: JudgeConfig) -> Request:
        """Return the call that asks it of a model."""
        messages: Sequence[dict[str, str]] = [copy.copy(m) for m in self.messages]
        schema = self.schema if config.response_format else None
        identity = {**config.identity(), "messages": messages, "response_format": schema}
        key, canonical = request_key(identity)
        return Request(key, canonical, msgspec.json.encode(self._body(config, messages)))

    def _body(self, config: JudgeConfig, messages: Sequence[dict[str, str]]) -> dict[str, Any]:
        body: dict[str, Any] = {"model": config.model}
        if config.max_tokens is not None:
            body[config.token_field] = config.max_tokens
        if config.temperature is not None:
            body["temperature"] = config.temperature
        body.update(config.extra_body)
        body["messages"] = messages
        if config.response_format:
            form = {"name": self.name, "strict": True, "schema": self.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body
