"""Responses meet rubrics: by prompt id, else by prompt text. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.readers.responses import ResponseRow
from rubricbench.readers.rubrics import read_rubrics
from rubricbench.schema import Rubric

MAX_EXAMPLES = 5


class MatchReport(msgspec.Struct):
    """How responses met rubrics, counted by `RubricIndex.match`.

    Args:
        matched: responses with a rubric.
        unmatched: responses without one.
        examples: line and prompt of the first few without.
        answered: ids of the prompts that have a response.
    """

    matched: int = 0
    unmatched: int = 0
    examples: list[str] = []
    answered: set[str] = set()

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and examples as plain values."""
        return {
            "matched": self.matched,
            "unmatched": self.unmatched,
            "prompts_answered": len(self.answered),
            "examples": list(self.examples),
        }

    def __str__(self) -> str:
        text = f"{self.matched:,} responses to {len(self.answered):,} prompts matched"
        if not self.unmatched:
            return text
        more = "; …" if self.unmatched > len(self.examples) else ""
        return f"{text}, {self.unmatched:,} have no rubric: {'; '.join(self.examples)}{more}"

    def _miss(self, row: ResponseRow) -> None:
        self.unmatched += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(f"line {row.line} ({row.prompt_id or row.prompt!r:.60})")


class RubricIndex:
    """All rubrics of a source, in memory, found by prompt id or by prompt text.

    Two texts are the same if they differ in white space at their end only; a response whose
    prompt is not exactly there has no rubric.

    Args:
        source: as for `read_rubrics`.

    Raises:
        InputError: no such file or dataset.
        SchemaError: a row breaks the data model, or one prompt has two rubrics; both lines named.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = str(source)
        self._by_id: dict[str, Rubric] = {}
        self._by_text: dict[str, list[str]] = {}
        lines: dict[str, int] = {}
        for line, rubric in read_rubrics(source):
            first = lines.setdefault(rubric.prompt_id, line)
            if rubric.prompt_id in self._by_id:
                raise SchemaError(
                    "duplicate_prompt",
                    f"this prompt has a rubric on line {first} already",
                    field="prompt",
                    file=self.source,
                    line=line,
                    hint="keep one rubric a prompt",
                )
            self._by_id[rubric.prompt_id] = rubric
            self._by_text.setdefault(rubric.prompt.text.rstrip(), []).append(rubric.prompt_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Rubric]:
        return iter(self._by_id.values())

    def get(self, prompt_id: str) -> Rubric | None:
        """Return the rubric of a prompt id."""
        return self._by_id.get(prompt_id)

    def find(self, *, prompt_id: str = "", prompt: str = "") -> Rubric | None:
        """Return the rubric of a prompt id or, where that is unknown, of a prompt text.

        Raises:
            InputError: several prompts have this text, or id and text name two different prompts.
        """
        named = self._by_id.get(prompt_id)
        alike = self._by_text.get(prompt.rstrip(), []) if prompt.strip() else []
        if named is not None:
            if alike and prompt_id not in alike:
                raise InputError(
                    f"prompt_id is {prompt_id!r:.60}, but the prompt is that of {alike[0]!r:.60}",
                    hint="do responses and rubrics come from the same version?",
                )
            return named
        if len(alike) > 1:
            raise InputError(
                f"{len(alike)} rubrics of {self.source} have this prompt text",
                hint="name one by prompt_id: " + ", ".join(f"{i:.60}" for i in alike[:3]),
            )
        return self._by_id[alike[0]] if alike else None

    def match(self, row: ResponseRow, report: MatchReport) -> Rubric | None:
        """Return the rubric of a response, or None, and count it in the report.

        Raises:
            InputError: the row contradicts itself or is ambiguous (`find`); file and line named.
        """
        try:
            rubric = self.find(prompt_id=row.prompt_id, prompt=row.prompt)
        except InputError as error:
            raise InputError(error.what, where=f"{row.file}:{row.line}", hint=error.hint) from None
        if rubric is None:
            report._miss(row)
            return None
        report.matched += 1
        report.answered.add(rubric.prompt_id)
        return rubric

    def require_matches(self, report: MatchReport, responses: str | Path) -> None:
        """Raise InputError if nothing matched at all: two files that do not belong together."""
        if not report.matched:
            raise InputError(
                f"none of {report.unmatched:,} responses has a rubric in {self.source}",
                where=str(responses),
                hint="they meet by prompt_id or by the exact prompt text; first: "
                + (report.examples[0] if report.examples else "no responses"),
            )
