"""The forms a judge may answer in; adding one is adding an entry to `FORMATS`.

A form is one JSON object with the criteria's labels as keys, or, to be short, one letter for each
criterion in the order asked. It says which templates ask for it, how an answer can be enforced (a
JSON schema, a regular expression, a skeleton to be filled in), and how one value is read: strictly,
or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rubricbench.errors import InputError

MAX_EVIDENCE_CHARS = 1_000


class Slot(msgspec.Struct, frozen=True):
    """A place of a skeleton where the judge decides: one of two texts stands there.

    A space before the word belongs to it, as most tokenizers have it in one token.

    Args:
        met: the text that says met.
        unmet: the text that says unmet.
    """

    met: str
    unmet: str


class Quote(msgspec.Struct, frozen=True):
    """A place of a skeleton for free text: the inside of a JSON string, its end excluded."""


Part = str | Slot | Quote
"""A part of a skeleton: text of ours, or a place for the judge's."""


@dataclass(frozen=True)
class Format:
    """A form of answer.

    Args:
        name: its name in `JudgeConfig.format`.
        system: templates of the system message, the first with a place for the second; or none.
        closing: template of the sentence that closes the user message; empty where its template
            says all (`rubricbench.judging.layouts`).
        hidden_labels: whether the judge sees labels that a response cannot know.
        value: JSON schema of one criterion's value; None where the answer is letters alone.
        read: value -> (met, evidence); ValueError where it is anything but a verdict.
        opening: what an answer has between a label's colon and the verdict.
        slot: the verdict's two texts.
        closing_mark: what an answer has behind the verdict, before the comma.
        before_verdict: the same as `opening`, as a pattern for answers with spaces of their own.
    """

    name: str
    system: tuple[str, ...]
    closing: str
    hidden_labels: bool
    value: dict[str, Any] | None
    read: Callable[[Any], tuple[bool, str]]
    slot: Slot
    opening: tuple[str | Quote, ...] = ()
    closing_mark: str = ""
    before_verdict: re.Pattern[str] = re.compile(r"\s*:\s*")

    @property
    def templates(self) -> tuple[str, ...]:
        """Names of all its templates."""
        return (*self.system, self.closing) if self.closing else self.system

    @property
    def is_json(self) -> bool:
        """True if an answer is a JSON object, False if it is letters."""
        return self.value is not None

    def schema(self, labels: Sequence[str]) -> dict[str, Any] | None:
        """Return the JSON schema of an answer, every label once; None for letters."""
        if not self.is_json:
            return None
        return {
            "type": "object",
            "properties": dict.fromkeys(labels, self.value),
            "required": list(labels),
            "additionalProperties": False,
        }

    def regex(self, count: int) -> str | None:
        """Return the regular expression of an answer of so many letters; None for JSON."""
        if self.is_json:
            return None
        letter = f"[{self.slot.met}{self.slot.unmet}]"
        return f"{letter}( {letter}){{{count - 1}}}" if count > 1 else letter

    def skeleton(self, labels: Sequence[str]) -> list[Part]:
        """Return an answer's parts in order: texts that are given, and the places to be filled.

        No two texts follow each other. Any choice of the slots' texts, and any valid inside of a
        JSON string for the quotes, makes an answer that the parser reads.
        """
        parts: list[Part] = []
        for i, label in enumerate(labels):
            if not self.is_json:
                space = " " if i else ""
                parts.append(Slot(space + self.slot.met, space + self.slot.unmet))
                continue
            parts += [f'{", " if i else "{"}"{label}":', *self.opening, self.slot]
            parts.append(self.closing_mark)
        return _joined([*parts, "}"]) if self.is_json else parts

    def places(self, answer: str, labels: Sequence[str]) -> list[int | None]:
        """Return where in an answer each criterion's verdict begins; None where that is not plain.

        Args:
            answer: the text, without reasoning.
            labels: as they stand in it.
        """
        if self.is_json:
            return [self._place(answer, label) for label in labels]
        words = list(_WORD.finditer(answer))
        if len(words) != len(labels):
            return [None] * len(labels)
        return [word.start() for word in words]

    def _place(self, answer: str, label: str) -> int | None:
        # Inside a JSON string a quotation mark has a backslash before it, so a label with both of
        # its marks is a string of its own; a second one would leave open which is meant.
        key = f'"{label}"'
        start = answer.find(key)
        if start < 0 or answer.find(key, start + 1) >= 0:
            return None
        found = self.before_verdict.match(answer, start + len(key))
        return found.end() if found else None


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with neighbouring texts made one."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined


def _read_bare(value: Any) -> tuple[bool, str]:
    if value is True or value is False:
        return value, ""
    raise ValueError("not true or false")


def _read_reasoned(value: Any) -> tuple[bool, str]:
    if not isinstance(value, dict) or value.keys() != {"evidence", "met"}:
        raise ValueError("not an object of evidence and met")
    if not isinstance(value["evidence"], str):
        raise ValueError("evidence is not text")
    return _read_bare(value["met"])[0], storable(value["evidence"])


def _read_word(value: Any) -> tuple[bool, str]:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("yes", "no"):
        raise ValueError("not yes or no")
    return word == "yes", ""


def _read_letter(value: Any) -> tuple[bool, str]:
    return _LETTERS[value], ""


def storable(text: str) -> str:
    """Return model text as tables can hold it: no NUL, no half surrogates, bounded."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean[:MAX_EVIDENCE_CHARS]


_BOOLEAN = {"type": "boolean"}
_TRUE_FALSE = Slot(" true", " false")
_LETTERS = {"Y": True, "N": False}
_WORD = re.compile(r"\S+")

FORMATS: dict[str, Format] = {
    "json": Format(
        name="json",
        system=("instructions", "answer_json"),
        closing="closing_json",
        hidden_labels=True,
        value=_BOOLEAN,
        read=_read_bare,
        slot=_TRUE_FALSE,
    ),
    "reasoned": Format(
        name="reasoned",
        system=("instructions", "answer_reasoned"),
        closing="closing_json",
        hidden_labels=True,
        value={
            "type": "object",
            "properties": {"evidence": {"type": "string"}, "met": _BOOLEAN},
            "required": ["evidence", "met"],
            "additionalProperties": False,
        },
        read=_read_reasoned,
        slot=_TRUE_FALSE,
        opening=(' {"evidence": "', Quote(), '", "met":'),
        closing_mark="}",
        before_verdict=re.compile(
            r'\s*:\s*\{\s*(?:"evidence"\s*:\s*"(?:[^"\\]|\\.)*"\s*,\s*)?"met"\s*:\s*', re.DOTALL
        ),
    ),
    # Fewest output tokens. The order is the id: numbers keep it in sight, and hidden labels would
    # hide nothing, since no answer names one.
    "compact": Format(
        name="compact",
        system=("instructions", "answer_compact"),
        closing="closing_compact",
        hidden_labels=False,
        value=None,
        read=_read_letter,
        slot=Slot("Y", "N"),
    ),
    # As published: the response before the rubric, labels that anybody can guess. For comparison.
    "paper": Format(
        name="paper",
        system=(),
        closing="",
        hidden_labels=False,
        value={"type": "string", "enum": ["yes", "no"]},
        read=_read_word,
        slot=Slot("yes", "no"),
        opening=(' "',),
        closing_mark='"',
        before_verdict=re.compile(r'\s*:\s*"\s*'),
    ),
}


def get_format(name: str) -> Format:
    """Return a form by name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in FORMATS:
        raise InputError(
            f"unknown answer format {name!r:.40}", hint="choose from " + ", ".join(FORMATS)
        )
    return FORMATS[name]
