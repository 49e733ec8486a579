"""The passes of a judging run, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from rubricbench.judging.files.asking import Asking
from rubricbench.judging.files.directory import (
    STAGE,
    SUMMARY,
    label_secret,
    recorded_summary,
    run_directory,
)
from rubricbench.judging.files.inputs import Inputs
from rubricbench.judging.files.job import Graded, Job
from rubricbench.judging.files.writing import Writing
from rubricbench.judging.judge import Judge
from rubricbench.judging.panel import Panel
from rubricbench.judging.results import SCORES, VERDICTS, VOTES
from rubricbench.judging.usage import Tally
from rubricbench.progress import progress
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
            secret = label_secret(directory)
            judges = [
                Judge(config, store, secret=secret, strategy=strategy)
                for config in job.configs or (None,)
            ]
            tally = Tally()
            for judge in judges:
                judge.tally = tally  # one count for all
            panel = Panel(judges, vote=job.vote, strategy=strategy) if job.further else None
            asking = Asking(inputs, match.matched, quiet=quiet, say=say)
            for number, judge in enumerate(judges, start=1):
                if judge.config:
                    asking.ask(judge, _title(judge, number, len(judges)))
            if job.configs:
                store.flush()
            writing = Writing(job, inputs, judges, panel, asking.with_causes)
            with progress(match.matched, "writing", quiet=quiet) as bar:
                summary = writing.write(directory, match.unmatched, bar.advance)
        if summary.complete:
            directory.mark_done(STAGE, [VERDICTS, SCORES, *((VOTES,) if panel else ()), SUMMARY])
    return Graded(summary, match, tally, asking.faults)


def _title(judge: Judge, number: int, judges: int) -> str:
    if judges == 1 or judge.config is None:
        return "judging"
    return f"judge {number} of {judges}, {judge.config.name} replicate {judge.config.replicate}"
