"""A conversation as chat messages, or as a transcript for models that only continue text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LABELS = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}

# A model that continues a transcript goes on to write the next turn; it ends where that begins.
STOPS = tuple(f"\n{label}:" for label in LABELS.values())


def conversation(
    messages: Sequence[Mapping[str, str]], system: str | None = None
) -> list[dict[str, str]]:
    """Return the turns, oldest first, with a further system instruction put before them.

    A system turn of the prompt itself and the instruction become one turn: chat templates take one.
    """
    turns = [{"role": m["role"], "content": m["content"]} for m in messages]
    if not system:
        return turns
    if turns and turns[0]["role"] == "system":
        own = turns.pop(0)["content"]
        system = f"{system}\n\n{own}"
    return [{"role": "system", "content": system}, *turns]


def transcript(messages: Sequence[Mapping[str, str]]) -> str:
    """Return the turns as labelled text that the assistant's next turn continues."""
    turns = [f"{LABELS[m['role']]}: {m['content']}" for m in messages]
    return "\n\n".join([*turns, f"{LABELS['assistant']}:"])
