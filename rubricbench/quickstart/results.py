"""From the samples of a run to its report, its summary and its leaderboard rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rubricbench.hub import CANARY
from rubricbench.leaderboard import DatasetIdentity, to_json
from rubricbench.quickstart.contestants import MODEL
from rubricbench.quickstart.model import ModelUnderTest
from rubricbench.quickstart.outcome import Outcome, leaderboard_rows, responder_outcomes
from rubricbench.quickstart.samples import read_samples, samples_file
from rubricbench.quickstart.settings import Settings
from rubricbench.report import ReportData, Responder, SampleView, sample_view, write_report
from rubricbench.runs import RunDirectory, atomic_write
from rubricbench.runs.directory import MANIFEST
from rubricbench.runs.manifest import read

REPORT, SUMMARY, ROWS = "report.html", "summary.json", "leaderboard.jsonl"
OUTPUTS = (REPORT, SUMMARY, ROWS)
_CHOICE = (
    "The prompts were chosen so that every check family and multi-turn prompts occur; "
    "the mean over a plain random sample would differ."
)


def write_results(
    run: RunDirectory,
    settings: Settings,
    model: ModelUnderTest,
    responders: Mapping[str, Responder],
) -> None:
    """Write report, summary and leaderboard rows from the samples in the run directory.

    Raises:
        RunError: a file cannot be written.
    """
    # From the disk, where its keys are sorted: the first report and a repeated one are the same.
    manifest = read(run.path(MANIFEST))
    data = _report_data(run, manifest, settings, responders)
    outcome = Outcome(
        report=REPORT,
        created=data.created,
        model=responders[MODEL].name,
        revision=model.revision,
        dataset=_dataset(manifest),
        responders=responder_outcomes(data),
    )
    rows = leaderboard_rows(outcome, seed=settings.seed, notes=data.notes)
    write_report(data, run.path(REPORT))
    atomic_write(run.path(ROWS), b"".join(to_json(row) + b"\n" for row in rows))
    summary = msgspec.json.format(msgspec.json.encode(outcome), indent=2)
    atomic_write(run.path(SUMMARY), summary + b"\n")


def read_outcome(run: RunDirectory) -> Outcome:
    """Return the outcome of a finished run, its report by its full path."""
    found = msgspec.json.decode(run.path(SUMMARY).read_bytes(), type=Outcome)
    return msgspec.structs.replace(found, report=str(run.path(REPORT).absolute()))


def _dataset(manifest: Mapping[str, Any]) -> DatasetIdentity:
    ((name, revision),) = manifest["data"].items()
    dataset, _, split = name.partition("/")
    return DatasetIdentity(
        name=dataset, revision=revision, split=split, rows=manifest["config"]["limit"]
    )


def _report_data(
    run: RunDirectory,
    manifest: Mapping[str, Any],
    settings: Settings,
    responders: Mapping[str, Responder],
) -> ReportData:
    return ReportData(
        title=f"{responders[MODEL].name} on verifiable prompts",
        created=manifest["created"],
        responders=tuple(responders.values()),
        samples=tuple(_sample_views(run, responders)),
        configuration={**manifest["config"], "data": manifest["data"]},
        versions={"rubricbench": manifest["rubricbench"], **manifest["versions"]},
        dataset=f"verifiable/test, {settings.limit} prompts",
        command=settings.command,
        notes=(_CHOICE,),
        canary=CANARY,
        seed=settings.seed,
    )


def _sample_views(run: RunDirectory, responders: Mapping[str, Responder]) -> Iterator[SampleView]:
    for key, responder in responders.items():
        for rubric, audit in read_samples(run.path(samples_file(key))):
            yield sample_view(
                rubric,
                audit.answer,
                responder.name,
                [judged.verdict for judged in audit.verdicts],
                finish_reason=audit.finish_reason,
            )
