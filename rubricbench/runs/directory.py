"""A run directory: one configuration, one process at a time, stages that can be run again alone."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rubricbench
from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError, RunError
from rubricbench.runs.files import atomic_write, explained, file_hash

MANIFEST = "manifest.json"
LOCK = ".lock"
STAGES = "stages.json"
FORMAT = 1
# Recorded for the reader; two starts of one run may differ in them.
_DESCRIPTIVE = ("created", "versions")


class RunDirectory:
    """A folder that holds one run; use it as a context manager.

    Args:
        path: the folder; made if it is not there.
        command: the command the run belongs to, such as ``judge``.
        config: everything that decides the results: inputs by content hash, judge identity,
            sampling, template hashes, data revision, seeds. What changes only speed (concurrency,
            time-outs) does not belong in it, or a run could not be resumed with other values.
        versions: versions of packages that matter, recorded but not compared.

    Raises:
        RunError: on entering, where the folder holds another configuration (the key that differs
            is named), is no run of ours, is locked by a live process, or cannot be written.
        InputError: the configuration holds a key that looks like a secret.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        command: str,
        config: Mapping[str, Any],
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.path_ = Path(path)
        self._manifest = {
            "format": FORMAT,
            "command": command,
            "rubricbench": rubricbench.__version__,
            "config": json.loads(canonical_json(_without_secrets(config))),
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "versions": dict(versions or {}),
        }
        self._lock: int | None = None

    def __enter__(self) -> Self:
        with explained(self.path_, "use the run directory"):
            self.path_.mkdir(parents=True, exist_ok=True)
            self._refuse_foreign_folder()
            self._take_lock()
        try:
            self._settle_manifest()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as recorded when the run began."""
        return dict(self._manifest)

    def path(self, name: str) -> Path:
        """Return the path of a file of the run."""
        return self.path_ / name

    def _refuse_foreign_folder(self) -> None:
        ours = {MANIFEST, LOCK, STAGES}
        present = {entry.name for entry in self.path_.iterdir() if ".partial" not in entry.name}
        if present and not present & ours:
            raise RunError(
                "the folder holds files but no run",
                where=str(self.path_),
                hint="name a new or empty folder",
            )

    def _take_lock(self) -> None:
        # The system drops a lock with its process, so one left by a kill is no obstacle.
        descriptor = os.open(self.path(LOCK), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise RunError(
                f"another run is using this folder ({holder or 'starting'})",
                where=str(self.path_),
                hint="wait for it, or name another folder",
            ) from None
        self._lock = descriptor
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()} since {started}".encode(), 0)

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _settle_manifest(self) -> None:
        path = self.path(MANIFEST)
        if not path.exists():
            text = json.dumps(self._manifest, indent=2, sort_keys=True, ensure_ascii=False)
            atomic_write(path, text.encode("utf-8") + b"\n")
            return
        recorded = _read_json(path, "manifest")
        difference = _first_difference(
            {k: v for k, v in recorded.items() if k not in _DESCRIPTIVE},
            {k: v for k, v in self._manifest.items() if k not in _DESCRIPTIVE},
        )
        if difference:
            key, old, new = difference
            raise RunError(
                f"this run was started with another {key}: {old}, now {new}",
                where=str(path),
                hint="use the same value, or name another folder",
            )
        self._manifest = recorded

    def done(self, stage: str) -> bool:
        """Return whether a stage is finished and its outputs are still what it wrote."""
        outputs = self._stages().get(stage)
        if outputs is None:
            return False
        return all(
            self.path(name).is_file() and file_hash(self.path(name)) == digest
            for name, digest in outputs.items()
        )

    def mark_done(self, stage: str, outputs: list[str]) -> None:
        """Record that a stage is finished.

        Args:
            stage: its name.
            outputs: names of the files it wrote, inside the run directory.

        Raises:
            RunError: an output is missing, or the record cannot be written.
        """
        stages = self._stages()
        stages.pop(stage, None)  # to the end: the order of the record is the order of the work
        stages[stage] = {name: file_hash(self.path(name)) for name in outputs}
        self._write_stages(stages)

    def redo(self, stage: str) -> None:
        """Forget that a stage, and those finished after it, are done."""
        stages = self._stages()
        if stage in stages:
            kept = list(stages)[: list(stages).index(stage)]
            self._write_stages({name: stages[name] for name in kept})

    def _stages(self) -> dict[str, dict[str, str]]:
        path = self.path(STAGES)
        return _read_json(path, "record of stages") if path.exists() else {}

    def _write_stages(self, stages: Mapping[str, Any]) -> None:
        atomic_write(self.path(STAGES), json.dumps(stages, indent=2).encode("utf-8") + b"\n")


def _without_secrets(config: Mapping[str, Any]) -> Mapping[str, Any]:
    for key, value in config.items():
        name = str(key).lower()
        if "api_key" in name.removesuffix("_env") and not name.endswith("_env"):
            raise InputError(f"a run's configuration may not hold {key!r}: it is written to disk")
        if isinstance(value, Mapping):
            _without_secrets(value)
    return config


def _read_json(path: Path, what: str) -> dict[str, Any]:
    with explained(path, f"read the {what}"):
        data = path.read_bytes()
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RunError(
            f"the {what} is damaged",
            where=str(path),
            hint="name another folder, or remove this one",
        )
    return value


def _first_difference(old: Any, new: Any, key: str = "") -> tuple[str, str, str] | None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            inner = f"{key}.{name}" if key else str(name)
            found = _first_difference(old.get(name), new.get(name), inner)
            if found:
                return found
        return None
    return None if old == new else (key, _short(old), _short(new))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
