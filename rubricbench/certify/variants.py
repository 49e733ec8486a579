"""Ways of asking a judge, each certified on its own: ``format:criteria per call:layout``.

``json:all:rubric_first``, ``compact:1``, ``reasoned``: what is left out is the judge's own.
"""

from __future__ import annotations

from typing import Self

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig

ALL = "all"
PAPER = "paper"


class Variant(msgspec.Struct, frozen=True):
    """One way of asking.

    Args:
        format: form of the answer.
        criteria_per_call: criteria in one call; None for all.
        layout: order of the prompt's parts.
    """

    format: str
    criteria_per_call: int | None
    layout: str

    @classmethod
    def of(cls, config: JudgeConfig) -> Self:
        """Return the variant a configuration asks in."""
        return cls(config.format, config.criteria_per_call, config.arrangement)

    def __str__(self) -> str:
        return f"{self.format}:{self.criteria_per_call or ALL}:{self.layout}"


def configured(base: JudgeConfig, text: str) -> JudgeConfig:
    """Return a judge's configuration with a variant put in.

    Args:
        base: the judge.
        text: ``format[:criteria per call[:layout]]``.

    Raises:
        InputError: it is no such text, or format and layout do not go together.
    """
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise InputError(
            f"variant {text!r:.60} is not format:criteria per call:layout",
            hint="such as json:all:rubric_first or compact:1",
        )
    changes: dict[str, str | int | None] = {"format": parts[0]}
    if len(parts) > 1:
        changes["criteria_per_call"] = _per_call(parts[1], text)
    if len(parts) > 2:
        if (parts[0] == PAPER) != (parts[2] == PAPER):
            raise InputError(
                f"variant {text!r:.60}: format and layout do not go together",
                hint="the paper's order and answer form come together: paper alone",
            )
        changes["layout"] = parts[2]
    elif PAPER in (base.layout, parts[0]):
        changes["layout"] = "auto"
    return msgspec.structs.replace(base, **changes)


def _per_call(part: str, text: str) -> int | None:
    if part == ALL:
        return None
    if not (part.isascii() and part.isdigit()) or int(part) < 1:
        raise InputError(
            f"variant {text!r:.60}: {part!r:.20} is no number of criteria",
            hint=f"give 1, 4, … or {ALL}",
        )
    return int(part)


def all_configured(base: JudgeConfig, texts: tuple[str, ...]) -> list[JudgeConfig]:
    """Return a configuration for each variant; the judge's own if there is none.

    Raises:
        InputError: as `configured`, or two variants are the same.
    """
    found = [configured(base, text) for text in texts] or [base]
    names = [str(Variant.of(config)) for config in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"variant {name} is asked for twice")
    return found
