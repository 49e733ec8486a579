"""The run directory of a judging run: its manifest, its secret, and its summary once complete."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from rubricbench.errors import RunError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files.inputs import Inputs
from rubricbench.judging.files.job import Job
from rubricbench.judging.summary import Summary
from rubricbench.runs import RunDirectory, atomic_write

STAGE = "judge"
SUMMARY = "summary.json"
LABEL_SECRET = "labels.secret"


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
