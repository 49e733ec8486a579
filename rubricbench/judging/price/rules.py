"""What providers serve from a prefix cache: how long a prefix must be, and in what steps."""

from __future__ import annotations

import re

import msgspec

from rubricbench.errors import InputError

_NUMBERS = re.compile(r"(\d{1,9}):(\d{1,9})")


class CacheRule(msgspec.Struct, frozen=True):
    """When a prompt's beginning, sent before, is served from a cache.

    Args:
        name: its name, or ``MINIMUM:BLOCK``.
        minimum: tokens of the shortest prefix that is served; 0 where nothing ever is.
        block: tokens are served in multiples of so many.
        at_once: whether a prompt's beginning is there for prompts sent while it is still being
            answered; else only calls that begin after its answer find it.
    """

    name: str
    minimum: int
    block: int
    at_once: bool = False

    @property
    def caches(self) -> bool:
        """Whether anything is ever served."""
        return self.minimum > 0

    def served(self, shared: int, prompt: int) -> int:
        """Return how many tokens are served of a prompt.

        Args:
            shared: tokens of its longest beginning that is in the cache.
            prompt: all its tokens; the last one is always computed.
        """
        if not self.caches:
            return 0
        tokens = min(shared, prompt - 1) // self.block * self.block
        return tokens if tokens >= self.minimum else 0

    def __str__(self) -> str:
        if not self.caches:
            return "none"
        return f"{self.name}: from {self.minimum:,} tokens, in steps of {self.block:,}"


# OpenAI: prompts from 1,024 tokens, in steps of 128 (its guide to prompt caching). Gemini: implicit
# caching from 1,024 tokens for Flash (the Gemini API's guide); no step is published. vLLM: blocks
# of 16 tokens by default, entered as they are scheduled, so that calls of one moment share them;
# SGLang's radix tree shares single tokens.
RULES: dict[str, CacheRule] = {
    rule.name: rule
    for rule in (
        CacheRule("openai", 1024, 128),
        CacheRule("gemini", 1024, 1),
        CacheRule("vllm", 16, 16, at_once=True),
        CacheRule("sglang", 1, 1, at_once=True),
        CacheRule("none", 0, 1),
    )
}


def cache_rule(text: str, *, where: str | None = None) -> CacheRule:
    """Return a rule by its name, or as ``MINIMUM:BLOCK`` in tokens.

    Raises:
        InputError: it is neither.
    """
    if text in RULES:
        return RULES[text]
    numbers = _NUMBERS.fullmatch(text)
    if numbers and int(numbers[2]) > 0:
        return CacheRule(text, int(numbers[1]), int(numbers[2]))
    raise InputError(
        f"unknown prefix cache {text!r:.40}",
        where=where,
        hint=f"choose from {', '.join(RULES)}, or give MINIMUM:BLOCK in tokens, such as 1024:128",
    )
