"""The run directory of a judging run: its manifest, its secret, and its summary once complete."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import EndpointError, InputError, RunError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files.inputs import Inputs
from rubricbench.judging.files.job import Job
from rubricbench.judging.summary import Summary
from rubricbench.judging.usage import Tally
from rubricbench.runs import RunDirectory, atomic_write
from rubricbench.store import Store

STAGE = "judge"
SUMMARY = "summary.json"
LABEL_SECRET = "labels.secret"
STORE = "store.sqlite"


def run_directory(job: Job, inputs: Inputs) -> RunDirectory:
    """Return the directory of a job; entering it refuses one of another job."""
    first = job.config
    config: dict[str, Any] = {
        "judge": _how_it_is_asked(first) if first else {},
        "limit": job.limit,
        "strategy": job.strategy,
    }
    templates = {first.format: first.template_hash} if first else {}
    if job.further:
        config["further"] = [_how_it_is_asked(other) for other in job.further]
        config["vote"] = job.vote
    for number, other in enumerate(job.further, start=2):
        templates[f"{other.format}, judge {number}"] = other.template_hash
    return RunDirectory(
        job.out, command=STAGE, config=config, data=inputs.hashes(), templates=templates
    )


def _how_it_is_asked(config: JudgeConfig) -> dict[str, Any]:
    """Return all of a judge that decides what a run finds."""
    fields = ("format", "response_format", "criteria_per_call", "repair", "rejudge")
    options = {field: getattr(config, field) for field in fields}
    return {**config.identity(), **options, "layout": config.arrangement}


def label_secret(directory: RunDirectory) -> bytes:
    """Return the secret of the run's labels: one for all its starts, so that prompts stay equal."""
    path = directory.path(LABEL_SECRET)
    if not path.exists():
        atomic_write(path, secrets.token_hex(16).encode("ascii"))
    return path.read_bytes()


@contextmanager
def forgotten_if_refused(directory: RunDirectory, tally: Tally) -> Iterator[None]:
    """Leave the folder free where a run just begun ends with nothing, since no judge can be asked.

    A model's name or a key that was mistyped is put right by the next start, in the same folder.
    """
    try:
        yield
    except (EndpointError, InputError):
        if not tally.calls and _is_without_answers(directory.path(STORE)):
            directory.forget([LABEL_SECRET, f"{STORE}*"])
        raise


def _is_without_answers(store: Path) -> bool:
    if not store.exists():
        return True
    with Store.open(store, read_only=True) as opened:
        return opened.count() == 0  # not so if another run shares it


def recorded_summary(directory: RunDirectory) -> Summary:
    """Return the summary of a complete run.

    Raises:
        RunError: it cannot be read.
    """
    path = directory.path(SUMMARY)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(
            f"the summary cannot be read: {error}", where=str(path), hint="remove it, and run again"
        ) from None
