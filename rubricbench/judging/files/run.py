"""The passes of a judging run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from rubricbench.judging.faults import Failure
from rubricbench.judging.files.directory import (
    STAGE,
    SUMMARY,
    label_secret,
    recorded_summary,
    run_directory,
)
from rubricbench.judging.files.inputs import Inputs, response_of
from rubricbench.judging.files.job import Graded, Job
from rubricbench.judging.interrupt import stopping_on_interrupt
from rubricbench.judging.items import Answer, Outcome
from rubricbench.judging.judge import Judge
from rubricbench.judging.loops import run
from rubricbench.judging.results import SCORES, VERDICTS, ResultFiles
from rubricbench.judging.summary import Summary, Summing
from rubricbench.judging.usage import Tally
from rubricbench.progress import Progress, progress
from rubricbench.readers import MatchReport
from rubricbench.readers.seen import SeenIds
from rubricbench.runs import RunDirectory, atomic_write
from rubricbench.schema import Cause
from rubricbench.scoring import Strategy
from rubricbench.store import Store


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
    inputs = Inputs(job)
    strategy = Strategy(job.strategy)
    match = inputs.survey()
    with run_directory(job, inputs) as directory:
        if directory.done(STAGE):
            say(f"{job.out} is complete already")
            return Graded(recorded_summary(directory), match, Tally(), {})
        with Store.open(job.store or directory.path("store.sqlite")) as store:
            judge = Judge(job.config, store, secret=label_secret(directory), strategy=strategy)
            grading = _Grading(job, inputs, match, judge, directory, quiet, say)
            if job.config:
                grading.ask()
                store.flush()
            summary = grading.write()
        if summary.complete:
            directory.mark_done(STAGE, [VERDICTS, SCORES, SUMMARY])
    return Graded(summary, match, judge.tally, grading.faults)


class _Grading:
    """The second and the third pass of a run."""

    def __init__(
        self,
        job: Job,
        inputs: Inputs,
        match: MatchReport,
        judge: Judge,
        directory: RunDirectory,
        quiet: bool,
        say: Callable[[str], None],
    ) -> None:
        self._job = job
        self._inputs = inputs
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
            async with aclosing(self._judge.outcomes(self._inputs.items())) as outcomes:
                async for outcome in outcomes:
                    bar.advance()
                    for answer in outcome.answers:
                        if answer.failure:
                            self._note(answer.key, answer.failure)
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
            for outcome in self._judge.stored(self._inputs.items()):
                judged = self._judge.judged(self._with_causes(outcome))
                response = response_of(outcome.item)
                files.add(judged, response)
                summing.add(judged, response.generator)
                for answer in outcome.answers:
                    if answer.completion is not None and not seen.add(answer.key):
                        summing.add_answer(answer.completion.usage)
                bar.advance()
        summary = summing.summary(
            judge=name,
            format=config.format if config else "",
            template_hash=config.template_hash if config else "",
            strategy=self._job.strategy,
            without_rubric=self._match.unmatched,
        )
        data = msgspec.json.format(msgspec.json.encode(summary), indent=2)
        atomic_write(self._directory.path(SUMMARY), data + b"\n")
        return summary

    def _with_causes(self, outcome: Outcome) -> Outcome:
        """Say of calls without an answer why, where this run knows."""
        if all(answer.completion is not None for answer in outcome.answers):
            return outcome
        answers = tuple(map(self._with_cause, outcome.answers))
        return msgspec.structs.replace(outcome, answers=answers)

    def _with_cause(self, answer: Answer) -> Answer:
        cause = self._causes.get(answer.key)
        if cause is None or answer.completion is not None:
            return answer
        return msgspec.structs.replace(answer, failure=Failure(cause, ""))

    def _progress(self, description: str) -> Progress:
        return progress(self._match.matched, description, quiet=self._quiet)
