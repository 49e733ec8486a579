"""Verdicts, rubrics and gold from files, put together prompt by prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rubricbench.errors import InputError
from rubricbench.metrics.criteria import Graded
from rubricbench.readers import RubricIndex
from rubricbench.readers.rows import read_rows

COLUMNS = ("prompt_id", "response_id", "criterion_id", "status", "p_met", "judge", "replicate")
NEEDED = COLUMNS[:4]


@dataclass(frozen=True)
class Choice:
    """Which verdicts and which gold.

    Args:
        rubrics: a file, or the name of an embedded dataset.
        verdicts: ``verdicts.parquet`` of a judging run, or the run's folder.
        gold: a file with response_id and gold; None for no gold.
        gold_column: its column.
        judge: name of the judge, where there are several; empty for the only one.
        replicate: number of the repetition; None for the only one.
    """

    rubrics: str
    verdicts: Path
    gold: Path | None = None
    gold_column: str = "gold"
    judge: str = ""
    replicate: int | None = None

    @property
    def path(self) -> Path:
        """The file of verdicts."""
        return self.verdicts / "verdicts.parquet" if self.verdicts.is_dir() else self.verdicts


def read_graded(choice: Choice) -> tuple[list[Graded], int]:
    """Return the verdicts of every prompt that has some, by prompt id, and rows left out.

    With gold, responses without it are left out and counted.

    Raises:
        InputError: a file cannot be read, lacks a column, holds several judges, verdicts on
            criteria the rubrics do not have, or two for one; nothing matches.
    """
    index = RubricIndex(choice.rubrics)
    gold = None if choice.gold is None else _gold(choice.gold, choice.gold_column)
    verdicts = _verdicts(choice)
    by_prompt: dict[str, dict[str, dict[str, float]]] = {}
    for prompt, response, criterion, credit in verdicts:
        own = by_prompt.setdefault(prompt, {}).setdefault(response, {})
        if criterion in own:
            raise InputError(
                f"two verdicts on criterion {criterion:.40} of response {response:.40}",
                where=str(choice.verdicts),
            )
        own[criterion] = credit
    graded = []
    without_gold = 0
    for prompt in sorted(by_prompt):
        rubric = index.get(prompt)
        if rubric is None:
            raise InputError(
                f"no rubric of prompt {prompt:.60}",
                where=choice.rubrics,
                hint="name the rubrics that the verdicts were made with",
            )
        responses = sorted(by_prompt[prompt])
        if gold is not None:
            without_gold += sum(r not in gold for r in responses)
            responses = [r for r in responses if r in gold]
        if not responses:
            continue
        places = {c.id: i for i, c in enumerate(rubric.criteria)}
        credits = np.full((len(responses), len(places)), np.nan)
        for i, response in enumerate(responses):
            for criterion, credit in by_prompt[prompt][response].items():
                if criterion not in places:
                    raise InputError(
                        f"the rubric of prompt {prompt:.40} has no criterion {criterion:.40}",
                        where=str(choice.verdicts),
                        hint="were the verdicts made with another version of the rubrics?",
                    )
                credits[i, places[criterion]] = credit
        values = None if gold is None else np.array([gold[r] for r in responses])
        graded.append(Graded(rubric, credits, values))
    if not graded:
        raise InputError("no response has verdicts and gold", where=str(choice.verdicts))
    return graded, without_gold


def _verdicts(choice: Choice) -> Iterator[tuple[str, str, str, float]]:
    path = choice.path
    table = _table(path)
    table = _one(table, "judge", choice.judge or None, path)
    table = _one(table, "replicate", choice.replicate, path)
    columns = [table.column(name).to_pylist() for name in (*NEEDED, "p_met")]
    for prompt, response, criterion, status, p_met in zip(*columns, strict=True):
        if status not in ("met", "unmet", "unknown"):
            raise InputError(f"a verdict is {status!r:.40}", where=str(path))
        credit = p_met if p_met is not None else float(status == "met")
        yield prompt, response, criterion, float("nan") if status == "unknown" else credit


def _table(path: Path) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from None
    names = file.schema_arrow.names
    missing = [name for name in NEEDED if name not in names]
    if missing:
        hint = "take verdicts.parquet of rubricbench judge"
        raise InputError(f"no column {missing[0]!r}", where=str(path), hint=hint)
    table = file.read([name for name in COLUMNS if name in names])
    for name, kind in (("p_met", pa.float64()), ("judge", pa.string()), ("replicate", pa.int64())):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), kind))
    return table


def _one(table: pa.Table, column: str, wanted: str | int | None, path: Path) -> pa.Table:
    """Return the rows of one judge or replicate; all of them where there is but one."""
    import pyarrow.compute as pc

    there = sorted({str(x) for x in table.column(column).to_pylist() if x is not None})
    if wanted is None:
        # Checks are decided by no judge: their rows belong to every judge's verdicts.
        if len(there) > 1:
            raise InputError(
                f"verdicts of several: {column} " + ", ".join(x[:40] for x in there[:5]),
                where=str(path),
                hint=f"name one with --{column}",
            )
        return table
    if str(wanted) not in there:
        raise InputError(
            f"no verdicts of {column} {wanted!r}",
            where=str(path),
            hint="there are: " + (", ".join(x[:40] for x in there[:5]) or "none"),
        )
    return table.filter(pc.equal(table.column(column), wanted))


def _gold(path: Path, column: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for line, row in read_rows(path):
        for name in ("response_id", column):
            if name not in row:
                raise InputError(f"no column {name!r:.60}", where=f"{path}:{line}")
        response, value = str(row["response_id"]), row[column]
        if value is None or value == "":
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(f"{value!r:.40} is not a number", where=f"{path}:{line}") from None
        if not np.isfinite(number):
            raise InputError(f"{value!r:.40} is not finite", where=f"{path}:{line}")
        if response in found:
            raise InputError(f"response {response:.60} stands twice", where=f"{path}:{line}")
        found[response] = number
    return found
