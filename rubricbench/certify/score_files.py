"""Scores of judging runs, as the commands that correct and bridge them read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rubricbench.certify.measure import Floats
from rubricbench.certify.pairs import Strings
from rubricbench.errors import InputError, SchemaError
from rubricbench.readers import read_rows
from rubricbench.rows import optional, typed

RUN_FILE = "scores.parquet"


class ScoreTable(msgspec.Struct, frozen=True):
    """One entry for each response with a score.

    Args:
        judge: name of the judge; empty where the file has none.
        prompt_id: its prompt.
        response_id: its id.
        generator: who wrote it; empty where the file does not say.
        value: its score.
        without_value: responses left out, a verdict being unknown.
    """

    judge: str
    prompt_id: Strings
    response_id: Strings
    generator: Strings
    value: Floats
    without_value: int

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Prompt and response id of each entry."""
        return list(zip(self.prompt_id.tolist(), self.response_id.tolist(), strict=True))


def read_scores(path: Path, judge: str = "") -> ScoreTable:
    """Read a scores table (`rubricbench.tables`), of a run directory or by itself.

    Of several gradings of a response by one judge, the mean of the known scores is taken.

    Args:
        path: the directory of a judging run, or a file with the columns ``prompt_id, response_id,
            value`` and, if there are, ``generator, judge, replicate``.
        judge: take this judge's rows alone.

    Raises:
        InputError: it cannot be read, holds several judges and none is named, or no score.
        SchemaError: a row cannot be used, or a grading is there twice.
    """
    file = path / RUN_FILE if path.is_dir() else path
    reading = _Reading(judge)
    for line, row in read_rows(file):
        try:
            reading.add(row)
        except SchemaError as error:
            raise error.at(file=str(file), line=line) from None
    return reading.table(str(file))


class _Reading:
    """The rows of a file so far."""

    def __init__(self, judge: str) -> None:
        self._judge = judge
        self._judges: dict[str, None] = {}
        self._seen: set[tuple[str, str, int | None]] = set()
        self._values: dict[tuple[str, str], list[float]] = {}
        self._generators: dict[tuple[str, str], str] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row, unless it is another judge's; SchemaError where it cannot be a score."""
        judge = optional(row, "judge", str) or ""
        self._judges[judge] = None
        if len(self._judges) > 1 and not self._judge:
            return  # said at the end, with all their names
        if self._judge and judge != self._judge:
            return
        key = (typed(row, "prompt_id", str), typed(row, "response_id", str))
        grading = (*key, optional(row, "replicate", int))
        if grading in self._seen:
            raise SchemaError(
                "duplicate_id", f"response {key[1]!r:.60} is there twice", field="response_id"
            )
        self._seen.add(grading)
        if "value" not in row:
            raise SchemaError("missing_key", "no column with scores", field="value")
        value = optional(row, "value", float | int)
        self._generators[key] = optional(row, "generator", str) or ""
        self._values.setdefault(key, []).extend([] if value is None else [float(value)])

    def table(self, file: str) -> ScoreTable:
        """Return the table; InputError where there is none, or it is not clear whose."""
        names = ", ".join(name or "(no name)" for name in self._judges)
        if self._judge and self._judge not in self._judges:
            raise InputError(
                f"no scores of judge {self._judge!r:.60}", where=file, hint=f"there are: {names}"
            )
        if len(self._judges) > 1 and not self._judge:
            raise InputError("scores of several judges", where=file, hint=f"name one of: {names}")
        known = {key: values for key, values in self._values.items() if values}
        if not known:
            raise InputError(
                "no response has a score", where=file, hint="have the unknown verdicts judged first"
            )
        return ScoreTable(
            judge=self._judge or next(iter(self._judges)),
            prompt_id=np.array([key[0] for key in known], dtype=object),
            response_id=np.array([key[1] for key in known], dtype=object),
            generator=np.array([self._generators[key] for key in known], dtype=object),
            value=np.array([sum(v) / len(v) for v in known.values()], dtype=np.float64),
            without_value=len(self._values) - len(known),
        )
