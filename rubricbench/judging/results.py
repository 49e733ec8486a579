"""Graded responses as the tables ``verdicts`` and ``scores``, written as they come.

Several judges have a row each, told apart by the columns ``judge`` and ``replicate``. What they
come to is a row of ``scores`` too, with ``panel`` for a judge, and by criterion the table
``votes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from rubricbench.judging.judge import Judged
from rubricbench.judging.panel import Ruling
from rubricbench.runs import ParquetSink, RunDirectory
from rubricbench.schema import Response
from rubricbench.scoring import Score
from rubricbench.tables import schema

VERDICTS, SCORES, VOTES = "verdicts.parquet", "scores.parquet", "votes.parquet"
CHECKED = "check"  # what stands in the judge column where a program decided
PANEL = "panel"  # and where several judges did
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
    """The tables of a run, there only once they are complete; a context manager.

    Args:
        run: the run directory.
        judges: of each, model and revision, and the number of the repetition.
    """

    def __init__(self, run: RunDirectory, judges: Sequence[tuple[str, int]]) -> None:
        self._run = run
        self._judges = judges
        self._files = ExitStack()
        self._responses = 0

    def __enter__(self) -> Self:
        self._verdicts = self._columns("verdicts", VERDICTS)
        self._scores = self._columns("scores", SCORES)
        self._votes = self._columns("votes", VOTES) if len(self._judges) > 1 else None
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

    def add(
        self, members: Sequence[Judged], response: Response, ruling: Ruling | None = None
    ) -> None:
        """Add a graded response.

        Args:
            members: what each judge says of it.
            response: the response.
            ruling: what they come to, if they are several.

        Raises:
            RunError: a file cannot be written.
        """
        for number, judged in enumerate(members):
            judge, replicate = self._judges[number]
            self._add_verdicts(number, judged, response)
            self._add_score(judged, judged.score, response, (judge or CHECKED, replicate, None))
        if ruling:
            self._add_score(members[0], ruling.score, response, (PANEL, None, ruling.spread))
            self._add_votes(ruling, response)
        self._responses += 1
        if self._responses % RESPONSES_PER_GROUP == 0:
            self._flush()

    def _flush(self) -> None:
        self._verdicts.flush()
        self._scores.flush()
        if self._votes:
            self._votes.flush()

    def _add_verdicts(self, number: int, judged: Judged, response: Response) -> None:
        judge, replicate = self._judges[number]
        for criterion, verdict in zip(judged.item.rubric.criteria, judged.verdicts, strict=True):
            if criterion.check and number:
                continue  # a program's verdict is all judges', and stands once
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
                CHECKED if criterion.check else judge,
                replicate,
            )

    def _add_score(
        self,
        judged: Judged,
        score: Score,
        response: Response,
        by: tuple[str, int | None, float | None],
    ) -> None:
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
            *by,
        )

    def _add_votes(self, ruling: Ruling, response: Response) -> None:
        assert self._votes is not None
        for vote in ruling.votes:
            verdict = vote.verdict
            self._votes.add(
                response.prompt_id,
                response.id,
                response.generator,
                verdict.criterion_id,
                str(verdict.status),
                verdict.p_met,
                None if verdict.cause is None else str(verdict.cause),
                vote.met,
                vote.unmet,
                vote.unknown,
                vote.spread,
            )
