"""Token counts: of one answer, and of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def token_counts(usage: Mapping[str, Any] | None) -> dict[str, int]:
    """Return the counts of an endpoint's ``usage``, under the names we store.

    ``cached_tokens`` of the prompt and ``reasoning_tokens`` of the answer are parts of
    ``prompt_tokens`` and ``completion_tokens``, taken from where the protocol nests them.
    """
    if not usage:
        return {}
    prompt = usage.get("prompt_tokens_details") or {}
    answer = usage.get("completion_tokens_details") or {}
    found = {
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "cached_tokens": prompt.get("cached_tokens") if isinstance(prompt, dict) else None,
        "reasoning_tokens": answer.get("reasoning_tokens") if isinstance(answer, dict) else None,
    }
    return {name: count for name, count in found.items() if type(count) is int and count >= 0}


class Tally(msgspec.Struct):
    """What a judge has asked and been served.

    Args:
        calls: requests answered by the endpoint.
        attempts: requests sent, further attempts included.
        failed: calls that stayed without an answer.
        stored: gradings served from the store.
        shared: gradings that were served by another's call under way.
        without_usage: answers for which the endpoint gave no token counts.
        tokens: sums of the token counts of the answers.
        faulty: endpoints of several that were of no use in the end, by address: why.
    """

    calls: int = 0
    attempts: int = 0
    failed: int = 0
    stored: int = 0
    shared: int = 0
    without_usage: int = 0
    tokens: dict[str, int] = {}
    faulty: dict[str, str] = {}

    def answered(self, usage: Mapping[str, int]) -> None:
        """Count an answer, readable or not."""
        self.calls += 1
        if not usage:
            self.without_usage += 1
        add_tokens(self.tokens, usage)


def add_tokens(total: dict[str, int], usage: Mapping[str, int]) -> None:
    """Add token counts to sums."""
    for name, count in usage.items():
        total[name] = total.get(name, 0) + count
