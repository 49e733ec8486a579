"""The passes of a judging run, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rubricbench.judging.files.asking import Asking
from rubricbench.judging.files.directory import (
    STAGE,
    STORE,
    SUMMARY,
    forgotten_if_refused,
    label_secret,
    recorded_summary,
    run_directory,
)
from rubricbench.judging.files.inputs import Inputs
from rubricbench.judging.files.job import Graded, Job
from rubricbench.judging.files.writing import Writing
from rubricbench.judging.judge import Judge
from rubricbench.judging.panel import Panel
from rubricbench.judging.price.budget import Account, Budget
from rubricbench.judging.price.prices import PriceList
from rubricbench.judging.results import SCORES, VERDICTS, VOTES
from rubricbench.judging.usage import Tally
from rubricbench.progress import progress
from rubricbench.readers import MatchReport
from rubricbench.runs import RunDirectory
from rubricbench.scoring import Strategy
from rubricbench.store import Store

Fill = Callable[[Sequence[Judge], Store, Asking], None]
"""Has answers put into the store: judges, store, and what remembers failures."""


def grade_files(
    job: Job,
    *,
    quiet: bool = False,
    say: Callable[[str], None] = lambda text: None,
    fill: Fill | None = None,
) -> Graded:
    """Grade every response of a file; write verdicts.parquet, scores.parquet and summary.json.

    Started again, it goes on where it was; once complete, it returns what it found then.

    Args:
        job: what to grade.
        quiet: show no progress.
        say: takes remarks for the user.
        fill: has the answers put into the store; by default the judges are asked.

    Raises:
        InputError: a file cannot be read, responses and rubrics do not belong together, or a judge
            is needed and not configured.
        EndpointError: the endpoint cannot be used; what was answered is stored.
        RunError: the run directory is another run's, in use, or cannot be written.
        StoreError: the store cannot be opened or written.
        KeyboardInterrupt: it was interrupted; what was answered is stored.
    """
    inputs = Inputs(job)
    Strategy(job.strategy)  # an unknown one, or a cap that cannot be kept, costs no survey
    opened_accounts(job, Budget(job.caps) if job.caps else None)
    match = inputs.survey()
    with run_directory(job, inputs) as directory:
        if directory.done(STAGE):
            say(f"{job.out} is complete already")
            return Graded(recorded_summary(directory), match, Tally(), {})
        return _graded(job, inputs, directory, match, fill or _ask_all, quiet=quiet, say=say)


def _graded(
    job: Job,
    inputs: Inputs,
    directory: RunDirectory,
    match: MatchReport,
    fill: Fill,
    *,
    quiet: bool,
    say: Callable[[str], None],
) -> Graded:
    """Have the answers put into the store, write the tables, and say what was done."""
    budget = Budget(job.caps) if job.caps else None
    accounts = opened_accounts(job, budget)
    tally = Tally()
    with (
        forgotten_if_refused(directory, tally),
        Store.open(job.store or directory.path(STORE)) as store,
    ):
        judges = _judges(job, store, label_secret(directory), accounts, tally)
        asking = Asking(inputs, match.matched, quiet=quiet, say=say)
        if job.configs:
            fill(judges, store, asking)
            store.flush()
        strategy = Strategy(job.strategy)
        panel = Panel(judges, vote=job.vote, strategy=strategy) if job.further else None
        writing = Writing(job, inputs, judges, panel, asking.with_causes)
        with progress(match.matched, "writing", quiet=quiet) as bar:
            summary = writing.write(directory, match.unmatched, bar.advance)
    if summary.complete:
        directory.mark_done(STAGE, [VERDICTS, SCORES, *((VOTES,) if panel else ()), SUMMARY])
    spent, used_up = (budget.spent, budget.used_up) if budget else (None, "")
    return Graded(summary, match, tally, asking.faults, spent=spent, used_up=used_up)


def _judges(
    job: Job, store: Store, secret: bytes, accounts: Sequence[Account | None], tally: Tally
) -> list[Judge]:
    strategy = Strategy(job.strategy)
    judges = [
        Judge(config, store, secret=secret, strategy=strategy, account=own)
        for config, own in zip(job.configs or (None,), accounts, strict=True)
    ]
    for judge in judges:
        judge.tally = tally  # one count for all
    return judges


def opened_accounts(job: Job, budget: Budget | None) -> list[Account | None]:
    """Return the accounts of a job's judges, in their order; none without a budget.

    Raises:
        InputError: a cap cannot be kept, or the price file cannot be read.
    """
    if budget is None or not job.configs:
        return [None] * max(1, len(job.configs))
    prices = PriceList(job.prices)
    return [
        budget.account(max_tokens=config.max_tokens, price=prices.find(config.model))
        for config in job.configs
    ]


def _ask_all(judges: Sequence[Judge], store: Store, asking: Asking) -> None:
    for number, judge in enumerate(judges, start=1):
        asking.ask(judge, _title(judge, number, len(judges)))


def _title(judge: Judge, number: int, judges: int) -> str:
    if judges == 1 or judge.config is None:
        return "judging"
    return f"judge {number} of {judges}, {judge.config.name} replicate {judge.config.replicate}"
