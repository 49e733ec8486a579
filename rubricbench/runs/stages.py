"""Which stages of a run are finished, and from what files to what files.

A stage counts as done only while its inputs and outputs still have the bytes recorded when it
finished, so an edited, lost or half-copied file makes it run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rubricbench.errors import RunError
from rubricbench.runs.files import atomic_write, explained, file_hash


class StageRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished stage: SHA-256 of its files by their names, relative to the run directory."""

    outputs: dict[str, str]
    inputs: dict[str, str] = {}


class StageBook:
    """The record of finished stages, a JSON file in the run directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.parent

    def done(self, stage: str) -> bool:
        """Return whether a stage is finished and its files are still those of then."""
        record = self._read().get(stage)
        if record is None:
            return False
        return all(
            (self._folder / name).is_file() and file_hash(self._folder / name) == digest
            for name, digest in [*record.inputs.items(), *record.outputs.items()]
        )

    def mark_done(self, stage: str, outputs: Iterable[str], inputs: Iterable[str] = ()) -> None:
        """Record that a stage is finished.

        A stage that is repeated with other results takes back those that finished after it.

        Raises:
            RunError: a file is missing, or the record cannot be written.
        """
        record = StageRecord(outputs=self._hashes(outputs), inputs=self._hashes(inputs))
        stages = self._read()
        if stages.get(stage) != record:
            self._write({**_before(stages, stage), stage: record})

    def redo(self, stage: str) -> None:
        """Take back a stage and those that finished after it; their files stay."""
        stages = self._read()
        if stage in stages:
            self._write(_before(stages, stage))

    def _hashes(self, names: Iterable[str]) -> dict[str, str]:
        return {name: file_hash(self._folder / name) for name in names}

    def _read(self) -> dict[str, StageRecord]:
        if not self._path.exists():
            return {}
        with explained(self._path, "read the record of stages"):
            data = self._path.read_bytes()
        try:
            return msgspec.json.decode(data, type=dict[str, StageRecord])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RunError(
                "the record of finished stages is damaged",
                where=str(self._path),
                hint="remove this file: every stage then runs again",
            ) from None

    def _write(self, stages: dict[str, StageRecord]) -> None:
        data = msgspec.json.format(msgspec.json.encode(stages), indent=2)
        atomic_write(self._path, data + b"\n")


def _before(stages: dict[str, StageRecord], stage: str) -> dict[str, StageRecord]:
    """Return the stages recorded before one; all of them if it is not recorded."""
    names = list(stages)
    kept = names[: names.index(stage)] if stage in stages else names
    return {name: stages[name] for name in kept}
