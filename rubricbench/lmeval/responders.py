"""Responders that need no model, for lm-eval: they bracket what a score can mean.

A model is worth its score only between what anyone gets for nothing (an empty response, the prompt
repeated) and what can be had (a response built to meet every criterion). They are `LM` instances,
so they pass through the same task, filter and metrics as a model does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lm_eval.api.model import LM

from rubricbench.schema import Rubric

Respond = Callable[[Rubric], str]


def empty(rubric: Rubric) -> str:
    """Answer nothing."""
    return ""


def echo(rubric: Rubric) -> str:
    """Repeat the turn that is to be answered."""
    return rubric.prompt.messages[-1].content


def solver(rubric: Rubric) -> str:
    """Meet every criterion, by construction."""
    from rubricbench.solver import solve

    return solve(rubric)


BRACKETS: dict[str, Respond] = {"empty": empty, "echo": echo, "solver": solver}


class Responder(LM):  # type: ignore[misc]  # lm-eval ships no types
    """An lm-eval model that answers a document by a function of its rubric.

    Args:
        respond: the function.
    """

    def __init__(self, respond: Respond) -> None:
        super().__init__()
        self._respond = respond

    def generate_until(self, requests: list[Any]) -> list[str]:
        """Answer each request from its document."""
        return [self._respond(Rubric.from_row(request.doc)) for request in requests]

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        """Refuse: there are no probabilities here."""
        raise NotImplementedError("a responder has no likelihoods")

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
        """Refuse: there are no probabilities here."""
        raise NotImplementedError("a responder has no likelihoods")

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """Return the turns as JSON; nothing reads it but the log."""
        return json.dumps(chat_history, ensure_ascii=False)

    @property
    def tokenizer_name(self) -> str:
        """Name for lm-eval's request cache: there is no tokenizer."""
        return ""
