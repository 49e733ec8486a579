"""A judge with a latent truth: its verdict is a function of criterion and response alone.

It reads the prompts that `rubricbench.judging.render` writes, as a model would, so what it answers
depends on the texts and labels that were really sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

_CRITERION = re.compile(r"^\[([\w<> ]+)\] (.+)$", re.MULTILINE)
_FENCED = re.compile(r"\A(`{3,})\n(.*)\n\1\Z", re.DOTALL)


def truth(criterion: str, response: str) -> bool:
    """Whether the latent judge finds a criterion met: a fair coin, the same one every time."""
    return hashlib.sha256(f"{criterion}\x00{response}".encode()).digest()[0] % 2 == 0


@dataclass(frozen=True)
class Question:
    """What a request asks: label and text of each criterion, the response, the answer's form."""

    criteria: tuple[tuple[str, str], ...]
    response: str
    form: str

    @property
    def key(self) -> str:
        """The question without its labels, which differ from run to run."""
        texts = [self.form, self.response, *(text for _, text in self.criteria)]
        return hashlib.sha256("\x00".join(texts).encode()).hexdigest()

    def answer(self) -> dict[str, Any]:
        """The judge's answer, in the form asked for."""
        found = {label: truth(text, self.response) for label, text in self.criteria}
        if self.form == "paper":
            return {label: "yes" if met else "no" for label, met in found.items()}
        if self.form == "reasoned":
            quote = self.response[:20]
            return {label: {"evidence": quote, "met": met} for label, met in found.items()}
        return dict(found)


def read_question(messages: list[dict[str, str]]) -> Question | None:
    """Return what the messages ask, or None if they ask for no grading."""
    text = messages[-1]["content"]
    if text.startswith("# Conversation"):
        before, _, rest = text.rpartition("\n# Response\n\n")
        response = rest.rpartition("\n\n# Task\n")[0]
        criteria = before.rpartition("\n# Criteria\n\n")[2]
        form = "reasoned" if '"evidence"' in messages[0]["content"] else "json"
    elif text.startswith("Below are a prompt"):
        before, _, criteria = text.rpartition("\nCriteria:\n\n")
        response = before.rpartition("\nResponse:\n\n")[2].rstrip("\n")
        form = "paper"
    else:
        return None
    block = _FENCED.match(response)
    assert block, "the response stands in a fence"
    return Question(tuple(_CRITERION.findall(criteria)), block[2], form)


def content(question: Question | None) -> str:
    """The text of an honest answer."""
    return json.dumps(question.answer()) if question else "Understood."
