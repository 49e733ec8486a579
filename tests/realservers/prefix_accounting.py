"""What a prefix cache could save, from the tokens of the requests, and what a server's did save."""

from __future__ import annotations

import itertools
import re
import urllib.request
from collections.abc import Iterable
from typing import NamedTuple

from rubricbench.judging import Item, Judge, JudgeConfig
from rubricbench.judging.backends.chat import read_chat
from rubricbench.judging.backends.sequences import common_length
from rubricbench.judging.backends.tokens import ChatTokens
from rubricbench.judging.book import QuestionBook
from rubricbench.schema import Status
from rubricbench.store import Store

SECRET = b"prefix-accounting"  # the same labels, so the same tokens, here and at the server


class Tokens(NamedTuple):
    """Tokens of an arm's prompts.

    Args:
        calls: requests.
        prompt: tokens of all prompts.
        shareable: those that an earlier prompt, in the best order, begins with as well.
        cached: those the server took from its cache.
        known: share of verdicts that are not unknown.
    """

    calls: int
    prompt: int
    shareable: int
    cached: int
    known: float

    @property
    def computed(self) -> int:
        """Tokens the server had to compute."""
        return self.prompt - self.cached


def grade(
    config: JudgeConfig, items: list[Item], store: Store, tokens: ChatTokens, metrics: str
) -> Tokens:
    """Grade the items at a server whose cache is empty, and account for the tokens."""
    prompts = encoded(config, items, tokens)
    before = counters(metrics)
    verdicts = [
        verdict
        for judged in Judge(config, store, secret=SECRET).grade_all(items)
        for verdict in judged.verdicts
    ]
    after = counters(metrics)
    known = sum(verdict.status is not Status.UNKNOWN for verdict in verdicts)
    return Tokens(
        calls=len(prompts),
        prompt=int(after["queries"] - before["queries"]),
        shareable=shareable(prompts),
        cached=int(after["hits"] - before["hits"]),
        known=known / len(verdicts),
    )


def encoded(config: JudgeConfig, items: list[Item], tokens: ChatTokens) -> list[list[int]]:
    """Return the tokens of every request that grading the items makes."""
    book = QuestionBook(config, SECRET)
    chats = [
        read_chat(question.request(item.response))
        for item in items
        for question in book.questions(item.rubric)
    ]
    return [tokens.prompt(chat.messages, chat.template_kwargs) for chat in chats]


def shareable(prompts: Iterable[list[int]]) -> int:
    """Return how many tokens need not be computed twice: all, less the nodes of their tree.

    In the order of their tokens each prompt shares most with the one before it.
    """
    ordered = sorted(prompts)
    return sum(common_length(left, right) for left, right in itertools.pairwise(ordered))


def counters(metrics: str) -> dict[str, float]:
    """Return the tokens looked up in the server's prefix cache, and found there, so far."""
    with urllib.request.urlopen(metrics, timeout=10) as reply:
        text = reply.read().decode("utf-8")
    return {
        name: float(re.findall(rf"^vllm:prefix_cache_{name}_total{{.*}} (\S+)$", text, re.M)[0])
        for name in ("queries", "hits")
    }


def empty_cache(root: str) -> None:
    """Empty the server's prefix cache."""
    request = urllib.request.Request(f"{root}/reset_prefix_cache", method="POST")
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200
