"""What a request asks, read from its messages as a model would: whatever the order of the parts.

A line of three or more backticks opens a block, and the next line that is exactly the same closes
it. Headings outside blocks part the message; text inside blocks is material.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_HEADINGS = {
    "# Conversation": "conversation",
    "# Criteria": "criteria",
    "# Response": "response",
    "# Task": "task",
    "Prompt:": "conversation",
    "Criteria:": "criteria",
    "Response:": "response",
}
_CRITERION = re.compile(r"\[([^\[\]]+)\](?: (.+))?")
_REPAIR = "earlier answer"
# Answer form -> words outside all blocks that ask for it; the first that fits.
_FORMS = {
    "reasoned": '"evidence"',
    "compact": "one letter for each criterion",
    "paper": '"yes" or "no"',
}


@dataclass(frozen=True)
class Block:
    """Text between two fences."""

    text: str


@dataclass(frozen=True)
class Question:
    """What a request asks.

    Args:
        criteria: label and text of each, in the order asked.
        response: the response to be graded.
        form: form of the answer: json, reasoned, compact or paper.
        conversation: the texts of its turns.
        order: the message's sections in the order in which they stand.
        repair: whether the judge is told that an earlier answer could not be read.
    """

    criteria: tuple[tuple[str, str], ...]
    response: str
    form: str
    conversation: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    repair: bool = False

    @property
    def key(self) -> str:
        """The question without its labels, which differ from run to run."""
        texts = [self.form, self.response, *(text for _, text in self.criteria)]
        texts += [",".join(self.order), "repair" * self.repair, *self.conversation]
        return hashlib.sha256("\x00".join(texts).encode()).hexdigest()


def read_question(messages: list[dict[str, Any]]) -> Question | None:
    """Return what the messages ask, or None if they ask for no grading."""
    system = "\n".join(m["content"] for m in messages if m["role"] == "system")
    user = "\n".join(m["content"] for m in messages if m["role"] == "user")
    sections: dict[str, list[str | Block]] = {}
    ours: list[str] = []
    section: list[str | Block] = []
    for part in outline(user):
        if isinstance(part, str) and part in _HEADINGS:
            assert _HEADINGS[part] not in sections, "each section is there once"
            section = sections[_HEADINGS[part]] = []
        elif part:
            section.append(part)
            if isinstance(part, str):
                ours.append(part)
    if not {"response", "criteria"} <= sections.keys():
        return None
    (response,) = sections["response"]
    assert isinstance(response, Block), "the response stands in a fence, alone"
    return Question(
        tuple(_criteria(sections["criteria"])),
        response.text,
        _form(system) if system else _form("\n".join(ours)),
        tuple(part.text for part in sections.get("conversation", ()) if isinstance(part, Block)),
        tuple(sections),
        _REPAIR in ours[-1],
    )


@functools.lru_cache(maxsize=64)
def _form(told: str) -> str:
    return next((form for form, words in _FORMS.items() if words in told), "json")


def outline(text: str) -> Iterator[str | Block]:
    """Yield the lines outside blocks, and the blocks, in order."""
    at = 0
    for start, first, last, end in _blocks(text):
        if start > at:
            yield from text[at : start - 1].split("\n")
        yield Block(text[first:last])
        at = end + 1
    if at < len(text):
        yield from text[at:].split("\n")


def _blocks(text: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield where a block, its text, the text's end and the block's end are."""
    at = text.find("```")
    while at >= 0:
        line = text.find("\n", at)
        if line < 0:
            return
        fence = text[at:line]
        if fence.strip("`") or (at and text[at - 1] != "\n"):
            at = text.find("```", line)
            continue
        last = text.find(f"\n{fence}\n", line)
        if last < 0:
            if not text.endswith(f"\n{fence}"):
                return
            last = len(text) - len(fence) - 1
        end = last + 1 + len(fence)
        yield at, line + 1, last, end
        at = text.find("```", end)


def _criteria(section: list[str | Block]) -> Iterator[tuple[str, str]]:
    label = ""
    for part in section:
        if isinstance(part, Block):
            assert label, "a criterion in a fence follows its label"
            yield label, part.text
            label = ""
        elif found := _CRITERION.fullmatch(part):
            if found[2]:
                yield found[1], found[2]
            else:
                label = found[1]
