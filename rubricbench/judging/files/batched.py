"""Batch files of a run over files: out, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rubricbench.errors import InputError
from rubricbench.judging.batch import (
    BatchExport,
    BatchImport,
    BatchLimits,
    Importer,
    OutputIndex,
    export_batch,
)
from rubricbench.judging.files.asking import Asking
from rubricbench.judging.files.directory import STAGE, STORE, label_secret, run_directory
from rubricbench.judging.files.inputs import Inputs
from rubricbench.judging.files.job import Graded, Job
from rubricbench.judging.files.run import grade_files
from rubricbench.judging.items import Outcome
from rubricbench.judging.judge import Judge
from rubricbench.progress import progress, watched
from rubricbench.store import Store


def export_batches(
    job: Job,
    folder: Path,
    limits: BatchLimits | None = None,
    *,
    quiet: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> BatchExport:
    """Write the calls a run has no answer to as batch files, and nothing else but its directory.

    Args:
        job: the run.
        folder: a new or empty folder for the files.
        limits: of one file.
        quiet: show no progress.
        say: takes remarks for the user.

    Raises:
        InputError: as `grade_files`; or no judge is asked by batch files; or the folder is not
            empty.
        RunError: the run directory or the folder cannot be written.
        StoreError: the store cannot be read.
    """
    _require_endpoints(job)
    inputs = Inputs(job)
    total = inputs.survey().matched
    with run_directory(job, inputs) as directory:
        if directory.done(STAGE):
            say(f"{job.out} is complete already")
            return BatchExport()
        with (
            Store.open(job.store or directory.path(STORE)) as store,
            progress(total * len(job.configs), "exporting", quiet=quiet) as bar,
        ):
            secret = label_secret(directory)
            judges = [Judge(config, store, secret=secret) for config in job.configs]
            streams = [watched(judge.stored(inputs.items()), bar.advance) for judge in judges]
            return export_batch(streams, folder, limits)


def import_batches(
    job: Job,
    paths: Sequence[Path],
    *,
    quiet: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Graded, BatchImport | None]:
    """Put what batches brought into the store, and write the run's tables from it.

    Args:
        job: the run that exported them.
        paths: output and error files, or folders of them.
        quiet: show no progress.
        say: takes remarks for the user.

    Returns:
        What the run has come to, and what was imported: None where it was complete already.

    Raises:
        InputError: as `grade_files`; or a file is no batch's output.
        RunError: the run directory cannot be written.
        StoreError: the store cannot be written.
    """
    _require_endpoints(job)
    reports: list[BatchImport] = []
    with progress(None, "reading", quiet=quiet) as bar:
        index = OutputIndex(_files(paths), bar.advance)

    def fill(judges: Sequence[Judge], store: Store, asking: Asking) -> None:
        importer = Importer(index, store, asking.note)
        with progress(asking.total * len(judges), "importing", quiet=quiet) as bar:
            for judge in judges:
                assert judge.config is not None
                importer.take(_each_time(judge, asking, bar.advance), judge.config)
        reports.append(importer.report())

    with index:
        graded = grade_files(job, quiet=quiet, say=say, fill=fill)
    return graded, reports[0] if reports else None


def _each_time(
    judge: Judge, asking: Asking, advance: Callable[[], object]
) -> Callable[[], Iterator[Outcome]]:
    return lambda: watched(judge.stored(asking.inputs.items()), advance)


def _require_endpoints(job: Job) -> None:
    if not job.configs:
        raise InputError(
            "batch files ask a judge, and none is named",
            hint="name an endpoint and a model: --judge-base-url and --judge-model",
        )
    for config in job.configs:
        if config.backend != "endpoint":
            raise InputError(f"a judge that runs here by {config.backend} takes no batch files")


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not inside:
            raise InputError("there is no .jsonl file in the folder", where=str(path))
        found += inside
    return found
