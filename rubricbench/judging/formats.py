"""The forms a judge may answer in; adding one is adding an entry to `FORMATS`.

Every form is one JSON object with the criteria's labels as keys. A form says which templates ask
for it, what schema its values have, and how one value is read: strictly, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rubricbench.errors import InputError

MAX_EVIDENCE_CHARS = 1_000


@dataclass(frozen=True)
class Format:
    """A form of answer.

    Args:
        name: its name in `JudgeConfig.format`.
        system: templates of the system message, the first with a place for the second; or none.
        user: template of the user message.
        hidden_labels: whether the judge sees labels that a response cannot know.
        value: JSON schema of one criterion's value.
        read: value -> (met, evidence); ValueError where it is anything but a verdict.
    """

    name: str
    system: tuple[str, ...]
    user: str
    hidden_labels: bool
    value: dict[str, Any]
    read: Callable[[Any], tuple[bool, str]]

    @property
    def templates(self) -> tuple[str, ...]:
        """Names of all its templates."""
        return (*self.system, self.user)

    def schema(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return the JSON schema of an answer: every label once, nothing else."""
        return {
            "type": "object",
            "properties": dict.fromkeys(labels, self.value),
            "required": list(labels),
            "additionalProperties": False,
        }


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


def storable(text: str) -> str:
    """Return model text as tables can hold it: no NUL, no half surrogates, bounded."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean[:MAX_EVIDENCE_CHARS]


_BOOLEAN = {"type": "boolean"}

FORMATS: dict[str, Format] = {
    "json": Format(
        name="json",
        system=("instructions", "answer_json"),
        user="user",
        hidden_labels=True,
        value=_BOOLEAN,
        read=_read_bare,
    ),
    "reasoned": Format(
        name="reasoned",
        system=("instructions", "answer_reasoned"),
        user="user",
        hidden_labels=True,
        value={
            "type": "object",
            "properties": {"evidence": {"type": "string"}, "met": _BOOLEAN},
            "required": ["evidence", "met"],
            "additionalProperties": False,
        },
        read=_read_reasoned,
    ),
    # As published: the response before the rubric, labels that anybody can guess. For comparison.
    "paper": Format(
        name="paper",
        system=(),
        user="paper_user",
        hidden_labels=False,
        value={"type": "string", "enum": ["yes", "no"]},
        read=_read_word,
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
