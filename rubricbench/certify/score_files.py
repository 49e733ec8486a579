"""Scores of judging runs, as the commands that correct and bridge them read them."""

from __future__ import annotations

from pathlib import Path

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


def read_scores(path: Path) -> ScoreTable:
    """Read a scores table (`rubricbench.tables`), of a run directory or by itself.

    Args:
        path: the directory of a judging run, or a file with the columns ``prompt_id, response_id,
            value`` and, if there are, ``generator, judge``.

    Raises:
        InputError: it cannot be read, holds several judges, or no score.
        SchemaError: a row cannot be used, or a response is there twice.
    """
    file = path / RUN_FILE if path.is_dir() else path
    rows: list[tuple[str, str, str, float]] = []
    judges: set[str] = set()
    seen: set[tuple[str, str]] = set()
    without = 0
    for line, row in read_rows(file):
        try:
            key = (typed(row, "prompt_id", str), typed(row, "response_id", str))
            if key in seen:
                raise SchemaError(
                    "duplicate_id", f"response {key[1]!r:.60} is there twice", field="response_id"
                )
            seen.add(key)
            if "value" not in row:
                raise SchemaError("missing_key", "no column with scores", field="value")
            value = optional(row, "value", float | int)
            judges.add(optional(row, "judge", str) or "")
            generator = optional(row, "generator", str) or ""
        except SchemaError as error:
            raise error.at(file=str(file), line=line) from None
        if value is None:
            without += 1
        else:
            rows.append((*key, generator, float(value)))
    if len(judges) > 1:
        raise InputError(
            "scores of several judges: " + ", ".join(sorted(judges)[:3]),
            where=str(file),
            hint="one file for each judge",
        )
    if not rows:
        raise InputError(
            "no response has a score",
            where=str(file),
            hint="have the unknown verdicts judged first",
        )
    prompt_id, response_id, generators, values = zip(*rows, strict=True)
    return ScoreTable(
        judge=judges.pop(),
        prompt_id=np.array(prompt_id, dtype=object),
        response_id=np.array(response_id, dtype=object),
        generator=np.array(generators, dtype=object),
        value=np.array(values, dtype=np.float64),
        without_value=without,
    )
