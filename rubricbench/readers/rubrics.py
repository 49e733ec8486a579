"""Rubrics from files, and the index that finds a response's rubric by prompt id or text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError, SchemaError
from rubricbench.healthbench import rubric_from_healthbench
from rubricbench.readers.responses import ResponseRow
from rubricbench.readers.rows import nested, read_rows
from rubricbench.rows import rubric_from_row
from rubricbench.schema import Rubric

_NESTED = ("rubrics", "messages")
_NUMBERS = ("number_of_criteria", "total_weight")
MAX_EXAMPLES = 5


def read_rubrics(source: str | Path) -> Iterator[tuple[int, Rubric]]:
    """Yield ``(line, rubric)`` of a file or an embedded dataset.

    Args:
        source: a parquet, JSONL or CSV file in our form, the paper's (`JunkaiZ/Rubrics`) or
            HealthBench's; or the name of an embedded dataset, ``verifiable`` or
            ``verifiable:test``.

    Raises:
        InputError: no such file or dataset.
        SchemaError: a row breaks the data model; file, line and field are named.
    """
    if not Path(source).suffix and not Path(source).exists():
        yield from _embedded(str(source))
        return
    for line, row in read_rows(source):
        yield line, rubric_from_any_row(row, file=str(source), line=line)


def _embedded(name: str) -> Iterator[tuple[int, Rubric]]:
    from rubricbench.hub import load

    dataset, _, split = name.partition(":")
    loaded = load(dataset, split=split or None)
    for rows in [loaded] if split else loaded.values():
        for line, row in enumerate(rows, start=1):
            yield line, rubric_from_row(row, file=name, line=line)


def rubric_from_any_row(row: Mapping[str, Any], *, file: str, line: int) -> Rubric:
    """Read a row of our form, the paper's or HealthBench's, told apart by its columns.

    Raises:
        SchemaError: the row breaks the data model.
    """
    try:
        flat = {key: value for key, value in row.items() if value not in (None, "")}
        for key in _NESTED:
            if key in flat:
                flat[key] = nested(flat[key], key)
        for key in _NUMBERS:
            if isinstance(flat.get(key), str):
                flat[key] = nested(flat[key], key)
        if _is_healthbench(flat):
            if isinstance(flat["prompt"], str):
                flat["prompt"] = nested(flat["prompt"], "prompt")
            return rubric_from_healthbench(flat)
        return rubric_from_row(flat)
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _is_healthbench(row: Mapping[str, Any]) -> bool:
    criteria = row.get("rubrics")
    first = criteria[0] if isinstance(criteria, list) and criteria else None
    return isinstance(first, Mapping) and "points" in first


class MatchReport(msgspec.Struct):
    """How responses met rubrics.

    Args:
        matched: responses with a rubric.
        unmatched: responses without one.
        examples: lines and prompts of the first few without.
    """

    matched: int = 0
    unmatched: int = 0
    examples: list[str] = []

    def __str__(self) -> str:
        if not self.unmatched:
            return f"{self.matched:,} responses matched"
        shown = "; ".join(self.examples)
        return f"{self.matched:,} responses matched, {self.unmatched:,} have no rubric: {shown}"


class RubricIndex:
    """Rubrics by prompt id, and by prompt text up to white space at its ends.

    Nothing is guessed: a response whose prompt is not exactly there has no rubric.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = str(source)
        self._by_id: dict[str, Rubric] = {}
        self._by_text: dict[str, str] = {}
        lines: dict[str, int] = {}
        for line, rubric in read_rubrics(source):
            first = lines.setdefault(rubric.prompt_id, line)
            if rubric.prompt_id in self._by_id:
                raise SchemaError(
                    "duplicate_prompt",
                    f"the prompt of line {first} again",
                    field="prompt",
                    file=self.source,
                    line=line,
                    hint="keep one rubric a prompt",
                )
            self._by_id[rubric.prompt_id] = rubric
            self._by_text.setdefault(rubric.prompt.text.strip(), rubric.prompt_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Rubric]:
        return iter(self._by_id.values())

    def get(self, prompt_id: str) -> Rubric | None:
        """Return the rubric of a prompt id."""
        return self._by_id.get(prompt_id)

    def match(self, row: ResponseRow, report: MatchReport) -> Rubric | None:
        """Return the rubric of a response and count it in the report."""
        rubric = self._by_id.get(row.prompt_id)
        if rubric is None and row.prompt:
            rubric = self._by_id.get(self._by_text.get(row.prompt.strip(), ""))
        if rubric is not None:
            report.matched += 1
            return rubric
        report.unmatched += 1
        if len(report.examples) < MAX_EXAMPLES:
            report.examples.append(f"line {row.line}: {row.prompt_id or row.prompt!r:.60}")
        return None

    def require_matches(self, report: MatchReport, responses: str | Path) -> None:
        """Raise InputError if nothing matched at all: two files that do not belong together."""
        if not report.matched:
            raise InputError(
                f"none of {report.unmatched:,} responses has a rubric in {self.source}",
                where=str(responses),
                hint="responses meet rubrics by prompt_id or by the exact prompt text; "
                + (report.examples[0] if report.examples else ""),
            )
