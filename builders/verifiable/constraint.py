"""One condition on an answer: the check, the words in which the prompt asks for it, its weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rubricbench.checks import describe
from rubricbench.schema import Check, Criterion


@dataclass(frozen=True)
class Constraint:
    """A condition.

    Args:
        check: what decides it.
        phrase: the sentence of the prompt that asks for it.
        kind: ``content``, ``form``, ``style`` or ``penalty``; decides weight and axis.
        claims: what no second constraint of the row may touch, such as ``opening``.
        weight: 1 to 3, or negative for a penalty; drawn when the row is put together.
        earlier: another wording with other numbers, for the first turn of a conversation whose
            last turn changes it.
    """

    check: Check
    phrase: str
    kind: str
    claims: frozenset[str] = frozenset()
    weight: int = 0
    earlier: str = ""

    @property
    def family(self) -> str:
        """Name of the check family."""
        return self.check.name

    def criterion(self, *tags: str) -> Criterion:
        """Return the criterion, worded as the check describes itself."""
        return Criterion(
            criterion=describe(self.check),
            weight=self.weight,
            check=self.check,
            tags=(f"family:{self.family}", f"axis:{_AXES[self.kind]}", *tags),
        )


_AXES = {
    "content": "completeness",
    "form": "instruction_following",
    "style": "communication_quality",
    "penalty": "instruction_following",
}


def made(
    name: str,
    phrase: str,
    kind: str,
    /,
    *claims: str,
    earlier: str = "",
    **params: Any,
) -> Constraint:
    """Return a constraint; parameters that are None are left out of the check."""
    given = {key: value for key, value in params.items() if value is not None}
    return Constraint(Check(name, given), phrase, kind, frozenset(claims), earlier=earlier)
