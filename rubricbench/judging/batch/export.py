"""Calls to batch files, cut to the provider's limits; the folder is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.batch.ids import custom_id
from rubricbench.judging.config import ENDPOINT_PATH
from rubricbench.judging.items import Outcome
from rubricbench.judging.request import Request
from rubricbench.readers.seen import SeenIds
from rubricbench.runs.files import PARTIAL, explained

URL = "/v1" + ENDPOINT_PATH
MEGABYTE = 1_000_000


class BatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large one file may be; the defaults are those of OpenAI's Batch API.

    Args:
        requests: the most requests.
        megabytes: the most millions of bytes.

    Raises:
        InputError: a limit is not positive.
    """

    requests: int = 50_000
    megabytes: int = 200

    def __post_init__(self) -> None:
        for name in ("requests", "megabytes"):
            if getattr(self, name) < 1:
                raise InputError(f"a batch file of at most {getattr(self, name)} {name}")

    @property
    def bytes(self) -> int:
        """The most bytes."""
        return self.megabytes * MEGABYTE


class BatchExport(msgspec.Struct):
    """What an export wrote.

    Args:
        folder: where.
        files: their names, in order.
        requests: in all.
        bytes: in all.
        stored: answers that the store has.
        shared: answers that an equal request brings.
    """

    folder: str = ""
    files: list[str] = []
    requests: int = 0
    bytes: int = 0
    stored: int = 0
    shared: int = 0


def export_batch(
    judges: Sequence[Iterable[Outcome]], folder: Path, limits: BatchLimits | None = None
) -> BatchExport:
    """Write the calls that have no answer, each once; no folder if there are none.

    Args:
        judges: for each judge, what the store has of each item (`Judge.stored`). Where there are
            several, each has files of its own, as a batch has one model.
        folder: a new or empty folder.
        limits: of one file.

    Raises:
        InputError: the folder is not empty, or one request is larger than a file may be.
        RunError: the folder cannot be written.
    """
    _require_new(folder)
    report, seen = BatchExport(folder=str(folder)), SeenIds()
    with _Folder(folder, limits or BatchLimits(), report) as files:
        for number, outcomes in enumerate(judges, start=1):
            files.begin(f"judge-{number}-" if len(judges) > 1 else "")
            for outcome in outcomes:
                for answer in outcome.answers:
                    if answer.completion is not None:
                        report.stored += 1
                    elif seen.add(answer.key):
                        report.shared += 1
                    else:
                        files.add(answer.question.request(outcome.item.response))
    return report


def _require_new(folder: Path) -> None:
    with explained(folder, "use the folder"):
        if not folder.exists():
            return
        if not folder.is_dir():
            raise InputError("this is a file, not a folder", where=str(folder))
        if any(folder.iterdir()):
            # Exported twice is paid twice, unless the first export came back in between.
            raise InputError(
                "the folder is not empty",
                where=str(folder),
                hint="import what came back of the batches in it, then name a new folder",
            )


class _Folder:
    """Batch files under way, in a folder beside the one they are for."""

    def __init__(self, folder: Path, limits: BatchLimits, report: BatchExport) -> None:
        self._folder = folder
        self._partial = folder.with_name(f".{folder.name}{PARTIAL}")
        self._limits = limits
        self._report = report
        self._file: BinaryIO | None = None
        self._requests = self._bytes = 0
        self._prefix, self._number = "", 0

    def __enter__(self) -> Self:
        with explained(self._folder, "write the folder"):
            shutil.rmtree(self._partial, ignore_errors=True)  # of an export that was killed
            self._partial.mkdir(parents=True)
        return self

    def begin(self, prefix: str) -> None:
        """Give the files from here on names of their own."""
        self._end()
        self._prefix, self._number = prefix, 0

    def add(self, request: Request) -> None:
        """Write a request into the file under way, or the next."""
        line = batch_line(request)
        if len(line) > self._limits.bytes:
            raise InputError(
                f"one request has {len(line):,} bytes, more than a batch file may have",
                hint="raise --batch-max-megabytes, if the provider allows it",
            )
        full = self._requests >= self._limits.requests
        if self._file is None or full or self._bytes + len(line) > self._limits.bytes:
            self._next()
        assert self._file is not None
        with explained(self._folder, "write the folder"):
            self._file.write(line)
        self._requests += 1
        self._bytes += len(line)
        self._report.requests += 1
        self._report.bytes += len(line)

    def _next(self) -> None:
        self._end()
        self._number += 1
        name = f"{self._prefix}batch-{self._number:05d}.jsonl"
        self._report.files.append(name)
        with explained(self._folder, "write the folder"):
            self._file = (self._partial / name).open("xb")
        self._requests = self._bytes = 0

    def _end(self) -> None:
        if self._file is None:
            return
        with explained(self._folder, "write the folder"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        self._file = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._end()
                if self._report.files:
                    with explained(self._folder, "write the folder"):
                        os.replace(self._partial, self._folder)  # an empty folder may be there
        finally:
            if self._file is not None:  # what was not written yet may not fit either
                with contextlib.suppress(OSError):
                    self._file.close()
            shutil.rmtree(self._partial, ignore_errors=True)


def batch_line(request: Request) -> bytes:
    """Return the line of a request, its body byte for byte what a call would send."""
    name = custom_id(request.key, request.labels)
    head = f'{{"custom_id":"{name}","method":"POST","url":"{URL}","body":'
    return b"".join((head.encode("ascii"), request.body, b"}\n"))
