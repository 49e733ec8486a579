"""Graded responses as the tables ``verdicts`` and ``scores``, written as they come."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from rubricbench.judging.judge import Judged
from rubricbench.runs import ParquetSink, RunDirectory
from rubricbench.schema import Response
from rubricbench.tables import schema

VERDICTS, SCORES = "verdicts.parquet", "scores.parquet"
CHECKED = "check"  # what stands in the judge column where a program decided
RESPONSES_PER_GROUP = 2_000


class _Columns:
    """Rows of a table, kept by column: building a table from rows takes ten times as long."""

    def __init__(self, table: str, sink: ParquetSink) -> None:
        self._schema = schema(table)
        self._sink = sink
        self._columns: list[list[Any]] = [[] for _ in self._schema]

    def add(self, *values: Any) -> None:
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)

    def flush(self) -> None:
        if self._columns[0]:
            self._sink.append_table(pa.table(self._columns, schema=self._schema))
            self._columns = [[] for _ in self._schema]


class ResultFiles:
    """Both tables of a run, there only once they are complete; a context manager.

    Args:
        run: the run directory.
        judge: model and revision, for the ``judge`` column.
        replicate: number of the repetition.
    """

    def __init__(self, run: RunDirectory, judge: str, replicate: int) -> None:
        self._run = run
        self._judge = judge
        self._replicate = replicate
        self._files = ExitStack()
        self._responses = 0

    def __enter__(self) -> Self:
        self._verdicts = self._columns("verdicts", VERDICTS)
        self._scores = self._columns("scores", SCORES)
        return self

    def _columns(self, table: str, name: str) -> _Columns:
        sink = ParquetSink(self._run.path(name), schema(table))
        return _Columns(table, self._files.enter_context(sink))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._files.__exit__(kind, error, trace)
            return
        with self._files:
            self._flush()

    def add(self, judged: Judged, response: Response) -> None:
        """Add a graded response.

        Raises:
            RunError: a file cannot be written.
        """
        self._add_verdicts(judged, response)
        self._add_score(judged, response)
        self._responses += 1
        if self._responses % RESPONSES_PER_GROUP == 0:
            self._flush()

    def _flush(self) -> None:
        self._verdicts.flush()
        self._scores.flush()

    def _add_verdicts(self, judged: Judged, response: Response) -> None:
        for criterion, verdict in zip(judged.item.rubric.criteria, judged.verdicts, strict=True):
            self._verdicts.add(
                response.prompt_id,
                response.id,
                response.generator,
                verdict.criterion_id,
                str(verdict.status),
                verdict.p_met,
                None if verdict.cause is None else str(verdict.cause),
                verdict.evidence,
                verdict.captured,
                CHECKED if criterion.check else self._judge,
                self._replicate,
            )

    def _add_score(self, judged: Judged, response: Response) -> None:
        score = judged.score
        self._scores.add(
            response.prompt_id,
            response.id,
            response.generator,
            judged.item.rubric.id,
            score.value,
            score.low,
            score.high,
            score.raw,
            score.coverage,
            score.all_met,
            score.strategy,
            self._judge or CHECKED,
        )
