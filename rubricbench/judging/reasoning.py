"""Reasoning text, told apart from the answer."""

from __future__ import annotations

from typing import NamedTuple

_OPEN, _CLOSE = "<think>", "</think>"


class Split(NamedTuple):
    """An answer's parts.

    Args:
        reasoning: what the model thought aloud.
        answer: the rest.
        complete: False where the reasoning never ended, so that there is no answer.
    """

    reasoning: str
    answer: str
    complete: bool


def split_reasoning(text: str) -> Split:
    """Split off a leading ``<think>`` block.

    Chat templates may open the block in the prompt, so an answer can hold its end alone. The block
    ends at the last ``</think>``: a thought may quote one. An answer that begins as JSON has none,
    whatever its strings quote.
    """
    body = text.lstrip()
    opened = body.startswith(_OPEN)
    if not opened and (_CLOSE not in body or body.startswith(("{", "```"))):
        return Split("", text, True)
    reasoning, mark, answer = body.removeprefix(_OPEN).rpartition(_CLOSE)
    return Split(reasoning, answer, True) if mark else Split(answer, "", False)
