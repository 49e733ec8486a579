"""A run directory: one configuration, one process at a time, stages that can be run again alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rubricbench.errors import RunError
from rubricbench.runs import manifest as manifests
from rubricbench.runs.files import PARTIAL, explained, remove_partials
from rubricbench.runs.lock import FolderLock
from rubricbench.runs.stages import StageBook

MANIFEST = "manifest.json"
STAGES = "stages.json"
LOCK = ".rubricbench.lock"


class RunDirectory:
    """A folder that holds one run; use it as a context manager.

    Args:
        path: the folder; made if it is not there.
        command: the command the run belongs to, such as ``judge``.
        config: what decides the results: judge identity, sampling, format. What only changes how
            fast they come does not belong in it (`rubricbench.runs.manifest`).
        data: name -> revision or content hash of what the run reads.
        templates: name -> hash of the prompt templates it renders.
        seeds: its seeds.
        versions: versions of the packages that shape its results.

    Raises:
        InputError: a value has no JSON form, or a key looks like a secret.
        RunError: on entering: the folder holds a run of another manifest (the keys that differ are
            named), or files of something else, is in use, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        command: str,
        config: Mapping[str, Any],
        data: Mapping[str, str] | None = None,
        templates: Mapping[str, str] | None = None,
        seeds: Sequence[int] = (),
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(path)
        self._manifest = manifests.build(
            command, config, data=data, templates=templates, seeds=seeds, versions=versions
        )
        self._lock = FolderLock(self.path(LOCK))
        self._stages = StageBook(self.path(STAGES))
        self._began = False

    def __enter__(self) -> Self:
        self._make_folder()
        self._lock.acquire()
        try:
            with explained(self.folder, "use the run directory"):
                remove_partials(self.folder)
                self._began = not self.path(MANIFEST).exists()
            self._manifest = manifests.settle(self.path(MANIFEST), self._manifest)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def _make_folder(self) -> None:
        with explained(self.folder, "use the run directory"):
            if self.folder.exists() and not self.folder.is_dir():
                raise RunError(
                    "this is a file, not a folder",
                    where=str(self.folder),
                    hint="name another folder",
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            present = {entry.name for entry in self.folder.iterdir()}
        # A run that was killed before its manifest was written leaves the lock file at most.
        strange = [n for n in present if n != LOCK and not n.endswith(PARTIAL)]
        if strange and MANIFEST not in present:
            raise RunError(
                f"the folder holds files that are no run's, such as {min(strange)!r:.60}",
                where=str(self.folder),
                hint="name a new or empty folder",
            )
        if MANIFEST in present:
            manifests.read(self.path(MANIFEST))  # before a lock file is put beside a stranger's

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest; once entered, as recorded when the run first began."""
        return dict(self._manifest)

    def path(self, name: str) -> Path:
        """Return the path of a file of the run."""
        return self.folder / name

    def done(self, stage: str) -> bool:
        """Return whether a stage is finished and its files are still those of then."""
        return self._stages.done(stage)

    def mark_done(self, stage: str, outputs: Iterable[str], inputs: Iterable[str] = ()) -> None:
        """Record that a stage is finished.

        Args:
            stage: its name.
            outputs: names of the files it wrote, relative to the run directory.
            inputs: names of the files it read, likewise; the stage is done only while they stay.

        Raises:
            RunError: a file is missing, the record cannot be written, or the run is not entered.
        """
        self._require_lock()
        self._stages.mark_done(stage, outputs, inputs)

    def redo(self, stage: str) -> None:
        """Take back that a stage, and those that finished after it, are done; their files stay.

        Raises:
            RunError: the record cannot be written, or the run is not entered.
        """
        self._require_lock()
        self._stages.redo(stage)

    def forget(self, patterns: Iterable[str]) -> None:
        """Take back that the run began, so that the folder is free for another configuration.

        For a run that found nothing, since it could not be done as configured. One that an earlier
        entry began stays as it is: that may have found something.

        Args:
            patterns: the files the run made, relative to the run directory, such as ``store.*``.

        Raises:
            RunError: a file cannot be removed, or the run is not entered.
        """
        self._require_lock()
        if not self._began:
            return
        with explained(self.folder, "clear the run directory"):
            made = [path for pattern in patterns for path in self.folder.glob(pattern)]
            # Without its manifest, a folder with files in it would be no run's.
            for path in (*made, self.path(MANIFEST)):
                path.unlink(missing_ok=True)

    def _require_lock(self) -> None:
        if not self._lock.held:
            raise RunError("the run is not entered", where=str(self.folder), hint="use `with`")
