"""Prompts and completions as trainers pass them, as text and turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rubricbench.errors import InputError
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.schema import ROLES

Turns = str | Sequence[Mapping[str, Any]]


def prompt_turns(prompt: Turns) -> list[dict[str, str]]:
    """Return a prompt's turns: those of a conversation, or one user turn.

    Raises:
        InputError: it is neither text nor a conversation.
    """
    if isinstance(prompt, str):
        return [{"role": "user", "content": clean(prompt)}]
    turns = [
        {"role": _role(turn), "content": _content(turn)} for turn in _conversation(prompt, "prompt")
    ]
    if not turns:
        raise InputError("a prompt has no turns")
    return turns


def response_text(completion: Turns, *, strip_reasoning: bool = True) -> str:
    """Return what is graded of a completion: its text, or that of its last assistant turn.

    Args:
        completion: plain text, or the turns a policy added to a conversation.
        strip_reasoning: take off a leading ``<think>`` block. One that never ends leaves an empty
            response: there is no answer in it.

    Raises:
        InputError: it is neither text nor a conversation.
    """
    if isinstance(completion, str):
        text = clean(completion)
    else:
        turns = _conversation(completion, "completion")
        said = [_content(turn) for turn in turns if turn.get("role") == "assistant"]
        text = said[-1] if said else ""
    return split_reasoning(text).answer.strip() if strip_reasoning else text


def clean(text: str) -> str:
    """Return text that can be written as UTF-8: half surrogates become replacement characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text


def _conversation(value: Any, name: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, Sequence) or not all(isinstance(turn, Mapping) for turn in value):
        raise InputError(
            f"a {name} must be text or a list of turns with role and content, got {value!r:.80}"
        )
    return value


def _role(turn: Mapping[str, Any]) -> str:
    role = turn.get("role")
    if role == "developer":  # the newer name of the same thing
        return "system"
    if role not in ROLES:
        raise InputError(
            f"a turn of the prompt has the role {role!r:.40}", hint="roles: " + ", ".join(ROLES)
        )
    return str(role)


def _content(turn: Mapping[str, Any]) -> str:
    """Return a turn's text, whose content may come in parts; images have none."""
    content = turn.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return clean(content)
    if not isinstance(content, Sequence):
        raise InputError(f"the content of a turn must be text or parts, got {content!r:.80}")
    parts = (part.get("text") for part in content if isinstance(part, Mapping))
    return clean("".join(part for part in parts if isinstance(part, str)))
