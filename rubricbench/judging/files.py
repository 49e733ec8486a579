"""Grading files: responses and rubrics in, verdicts and scores out, in one resumable run.

Three passes over the responses. The first reads everything before anything is paid for, so that a
broken last line costs nothing. The second sees to it that the store has every answer, in whatever
order they come. The third writes the tables from the store, in the order of the input, so that the
bytes do not depend on what came when, or on how often the run was killed.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.checks import complete
from rubricbench.errors import InputError, RunError, SchemaError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import Failure
from rubricbench.judging.interrupt import stopping_on_interrupt
from rubricbench.judging.items import Item, Outcome
from rubricbench.judging.judge import Judge
from rubricbench.judging.loops import run
from rubricbench.judging.results import SCORES, VERDICTS, ResultFiles
from rubricbench.judging.summary import Summary, Summing
from rubricbench.judging.templates import template_hash
from rubricbench.judging.usage import Tally
from rubricbench.progress import Progress, progress
from rubricbench.readers import MatchReport, ResponseRow, RubricIndex, read_responses
from rubricbench.readers.seen import SeenIds
from rubricbench.runs import RunDirectory, atomic_write, file_hash
from rubricbench.schema import Cause, Response, Rubric
from rubricbench.scoring import Strategy
from rubricbench.store import Store

STAGE = "judge"
SUMMARY = "summary.json"
LABEL_SECRET = "labels.secret"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to grade, and where.

    Args:
        responses: a parquet, JSONL or CSV file (`readers.read_responses`).
        rubrics: a file, or the name of an embedded dataset (`readers.read_rubrics`).
        out: the run directory.
        config: the judge; None where every criterion has a check.
        store: the completion store; ``store.sqlite`` in the run directory if not given.
        limit: grade only the first so many responses that have a rubric.
        strategy: name of the aggregation of verdicts to a score.
    """

    responses: Path
    rubrics: str
    out: Path
    config: JudgeConfig | None = None
    store: Path | None = None
    limit: int | None = None
    strategy: str = "weighted_mean"


class Graded(msgspec.Struct, frozen=True):
    """What a run did.

    Args:
        summary: the result, of this run and those it continues.
        match: how responses met rubrics.
        tally: the calls of this run alone.
        faults: an example of what went wrong, for each cause of a failed call.
    """

    summary: Summary
    match: MatchReport
    tally: Tally
    faults: dict[str, str]


def grade_files(
    job: Job, *, quiet: bool = False, say: Callable[[str], None] = lambda text: None
) -> Graded:
    """Grade every response of a file; write verdicts.parquet, scores.parquet and summary.json.

    Started again, it goes on where it was; once complete, it returns what it found then.

    Args:
        job: what to grade.
        quiet: show no progress.
        say: takes remarks for the user.

    Raises:
        InputError: a file cannot be read, responses and rubrics do not belong together, or a judge
            is needed and not configured.
        EndpointError: the endpoint cannot be used; what was answered is stored.
        RunError: the run directory is another run's, in use, or cannot be written.
        StoreError: the store cannot be opened or written.
        KeyboardInterrupt: it was interrupted; what was answered is stored.
    """
    if job.limit is not None and job.limit < 1:
        raise InputError(f"the limit is {job.limit}", hint="give a positive number or leave it out")
    strategy = Strategy(job.strategy)
    index = RubricIndex(job.rubrics)
    match = _survey(job, index)
    with _directory(job, index) as directory:
        if directory.done(STAGE):
            say(f"{job.out} is complete already")
            return Graded(_recorded(directory), match, Tally(), {})
        with Store.open(job.store or directory.path("store.sqlite")) as store:
            judge = Judge(job.config, store, secret=_secret(directory), strategy=strategy)
            grading = _Grading(job, index, match, judge, directory, quiet, say)
            if job.config:
                grading.ask()
                store.flush()
            summary = grading.write()
        if summary.complete:
            directory.mark_done(STAGE, [VERDICTS, SCORES, SUMMARY])
    return Graded(summary, match, judge.tally, grading.faults)


def _survey(job: Job, index: RubricIndex) -> MatchReport:
    """Read every response once; raise what is wrong with any of them, or with a rubric's checks."""
    for rubric in index:
        _require_checks(rubric, job.rubrics)
    match = MatchReport()
    unjudged = 0
    for item in _items(job, index, match):
        try:
            _response(item)
        except SchemaError as error:
            raise error.at(file=str(job.responses), line=item.tag.line) from None
        unjudged += job.config is None and any(c.check is None for c in item.rubric.criteria)
    index.require_matches(match, job.responses)
    if unjudged:
        raise InputError(
            f"{unjudged:,} responses have criteria that only a judge can decide",
            where=job.rubrics,
            hint="name an endpoint and a model: --judge-base-url and --judge-model",
        )
    return match


def _require_checks(rubric: Rubric, source: str) -> None:
    for i, criterion in enumerate(rubric.criteria):
        try:
            if criterion.check:
                complete(criterion.check)
        except SchemaError as error:
            place = f"{rubric.prompt_id} rubrics[{i}]"
            raise error.within(place).at(file=source) from None


def _items(job: Job, index: RubricIndex, match: MatchReport) -> Iterator[Item]:
    """Yield the responses that have a rubric, tagged with their rows."""
    for row in read_responses(job.responses):
        if job.limit is not None and match.matched >= job.limit:
            return
        rubric = index.match(row, match)
        if rubric is not None:
            yield Item(rubric, row.text, row)


def _response(item: Item) -> Response:
    row: ResponseRow = item.tag
    return row.response(item.rubric.prompt_id)


def _directory(job: Job, index: RubricIndex) -> RunDirectory:
    judge: dict[str, Any] = {}
    if job.config:
        options = {"format": job.config.format, "response_format": job.config.response_format}
        judge = {**job.config.identity(), **options}
    return RunDirectory(
        job.out,
        command=STAGE,
        config={"judge": judge, "limit": job.limit, "strategy": job.strategy},
        data={"responses": file_hash(job.responses), "rubrics": _rubrics_hash(index)},
        templates={job.config.format: template_hash(job.config.format)} if job.config else {},
    )


def _rubrics_hash(index: RubricIndex) -> str:
    digest = hashlib.sha256()
    for rubric in index:
        digest.update(msgspec.msgpack.encode(rubric))
    return digest.hexdigest()


def _secret(directory: RunDirectory) -> bytes:
    """Return the secret of the run's labels: one for all its starts, so that prompts stay equal."""
    path = directory.path(LABEL_SECRET)
    if not path.exists():
        atomic_write(path, secrets.token_hex(16).encode("ascii"))
    return path.read_bytes()


def _recorded(directory: RunDirectory) -> Summary:
    path = directory.path(SUMMARY)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(
            f"the summary cannot be read: {error}", where=str(path), hint="remove it, and run again"
        ) from None


class _Grading:
    """The second and the third pass of a run."""

    def __init__(
        self,
        job: Job,
        index: RubricIndex,
        match: MatchReport,
        judge: Judge,
        directory: RunDirectory,
        quiet: bool,
        say: Callable[[str], None],
    ) -> None:
        self._job = job
        self._index = index
        self._match = match
        self._judge = judge
        self._directory = directory
        self._quiet = quiet
        self._say = say
        # Of failed calls, all that is kept is the cause, by key, and one example for each cause.
        self._causes: dict[str, Cause] = {}
        self.faults: dict[str, str] = {}

    def ask(self) -> None:
        """Have every answer in the store that the endpoint gives."""
        with self._progress("judging") as bar:
            try:
                run(lambda: self._ask(bar))
            except asyncio.CancelledError:  # interrupted a second time
                raise KeyboardInterrupt from None

    async def _ask(self, bar: Progress) -> None:
        with stopping_on_interrupt(self._judge, self._say) as interrupt:
            async with aclosing(self._judge.outcomes(self._items())) as outcomes:
                async for outcome in outcomes:
                    bar.advance()
                    if outcome.failure:
                        self._note(outcome.key, outcome.failure)
        if interrupt.asked:
            raise KeyboardInterrupt

    def _note(self, key: str, failure: Failure) -> None:
        self._causes[key] = failure.cause
        self.faults.setdefault(str(failure.cause), failure.detail)

    def write(self) -> Summary:
        """Write the tables from the store, and the summary."""
        config, summing, seen = self._job.config, Summing(), SeenIds()
        name = config.name if config else ""
        with (
            self._progress("writing") as bar,
            ResultFiles(self._directory, name, config.replicate if config else 0) as files,
        ):
            for outcome in self._judge.stored(self._items()):
                judged = self._judge.judged(self._with_cause(outcome))
                response = _response(outcome.item)
                files.add(judged, response)
                new = outcome.completion is not None and not seen.add(outcome.key)
                summing.add(judged, response.generator, new_answer=new)
                bar.advance()
        summary = summing.summary(
            judge=name,
            format=config.format if config else "",
            template_hash=template_hash(config.format) if config else "",
            strategy=self._job.strategy,
            without_rubric=self._match.unmatched,
        )
        data = msgspec.json.format(msgspec.json.encode(summary), indent=2)
        atomic_write(self._directory.path(SUMMARY), data + b"\n")
        return summary

    def _with_cause(self, outcome: Outcome) -> Outcome:
        cause = self._causes.get(outcome.key)
        if cause is None or outcome.completion is not None:
            return outcome
        return msgspec.structs.replace(outcome, failure=Failure(cause, ""))

    def _items(self) -> Iterator[Item]:
        return _items(self._job, self._index, MatchReport())

    def _progress(self, description: str) -> Progress:
        return progress(self._match.matched, description, quiet=self._quiet)
