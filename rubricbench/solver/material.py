"""What a request gives to write about: subject, notes, people, register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rubricbench.checks.text import sentences
from rubricbench.schema import Message, Rubric
from rubricbench.solver.pools import table

_BULLET = re.compile(r"^[-*•] (.+)$", re.MULTILINE)
_NOTES_LEAD = re.compile(r"\b(?:notes?|background|material|facts?|know|came up)\b.*:$", re.I)
_TEXT_LEAD = re.compile(r"\b(?:text|passage|draft|article|excerpt)\b.*:$", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:total|sum|altogether|result)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"\b(?:about|on|of|into|for|explain|describe|is)\s+((?:the\s+)?[\w'’-]+(?:\s+[\w'’-]+){0,2})"
)
_RECIPIENT = re.compile(
    r"\b(?:to|[Ii]nvite|[Mm]essage from)\s+([A-Z][a-z]+)\b|^([A-Z][a-z]+) (?:wrote|asks)\b"
)
_PERSON = re.compile(r"\b(?:from|by|of)\s+([A-Z][a-z]+)\b|^([A-Z][a-z]+)(?='s | (?:is|has|wants))")


@dataclass(frozen=True)
class Material:
    """What the request gives.

    Args:
        topic: the subject, a noun phrase.
        notes: statements of the request that can be passed on.
        writer: first name of who writes, "" where nobody is named.
        recipient: first name of who is written to, "" where nobody is named.
        mode: register, a pool of `pools`; ``body`` is plain explanation.
        totals: whether the request is about a sum.
        asked: the text of the request.
    """

    topic: str
    notes: tuple[str, ...]
    writer: str
    recipient: str
    mode: str
    totals: bool
    asked: str


def read_material(rubric: Rubric) -> Material:
    """Gather the material from the prompt and the ``topic:`` tag of the criteria."""
    messages = rubric.prompt.messages
    first, last = messages[0].content, messages[-1].content
    recipient = _name(_RECIPIENT.search(first))
    writer = _name(_PERSON.search(first))
    return Material(
        topic=_topic(rubric, first),
        notes=tuple(dict.fromkeys(note for note in _notes(messages) if _is_statement(note))),
        writer=writer if writer != recipient else "",
        recipient=recipient,
        mode=_mode(f"{first.splitlines()[0]} {last.splitlines()[0]}"),
        totals=bool(_TOTAL.search(first)),
        asked="\n\n".join(m.content for m in messages if m.role == "user"),
    )


def _name(match: re.Match[str] | None) -> str:
    return next((name for name in match.groups() if name), "") if match else ""


def _topic(rubric: Rubric, asked: str) -> str:
    for criterion in rubric.criteria:
        for tag in criterion.tags:
            if tag.startswith("topic:"):
                return tag.removeprefix("topic:")
    found = _SUBJECT.search(asked)
    return found[1] if found else "the subject"


def _notes(messages: tuple[Message, ...]) -> Iterator[str]:
    """Yield bulleted notes, the sentences of a text to work on, and those of earlier answers."""
    for message in messages:
        blocks = message.content.split("\n\n")
        for i, block in enumerate(blocks):
            lead = block.partition("\n")[0].strip()
            before = blocks[i - 1].strip() if i else ""
            if _NOTES_LEAD.search(lead):
                yield from (row.strip() for row in _BULLET.findall(block))
            elif message.role == "assistant" or _TEXT_LEAD.search(before):
                # The first and the last frame the text; what is between them is its content.
                yield from sentences(block)[1:-1]


def _is_statement(note: str) -> bool:
    plain = note.endswith(".") and not any(mark in note for mark in '"“*[]<>:;?!#_`')
    return plain and len(note.split()) >= 4


def _mode(request: str) -> str:
    lowered = request.lower()
    for mode, cues in table("cues").items():
        if any(re.search(rf"\b{re.escape(cue)}", lowered) for cue in cues):
            return str(mode)
    return "body"
