"""Files that are there whole or not at all, whatever kills the process or fills the disk."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rubricbench.errors import RunError

if TYPE_CHECKING:
    import pyarrow as pa

HASH_CHUNK = 1 << 20
PARTIAL = ".partial"
_numbers = itertools.count()


@contextlib.contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn the system's errors into one RunError line."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise RunError(
            f"cannot {doing}: {why}",
            where=str(path),
            hint="nothing finished is lost; mend it and run again",
        ) from error


def atomic_write(path: Path, data: bytes) -> None:
    """Replace a file as a whole, safe against a kill and a power cut.

    Raises:
        RunError: the file cannot be written; the old one is untouched.
    """
    _require_replaceable(path)
    partial = _partial(path)
    with explained(path, "write the file"):
        try:
            with open(partial, "xb") as file:
                file.write(data)
            _settle(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def write_parquet_atomic(path: Path, table: pa.Table) -> None:
    """Replace a parquet file as a whole.

    Raises:
        RunError: the file cannot be written; the old one is untouched.
    """
    with ParquetSink(path, table.schema) as sink:
        sink.append_table(table)


def remove_partials(folder: Path) -> None:
    """Remove what killed writers left behind; only while nobody else writes there."""
    for partial in folder.rglob(f".*{PARTIAL}"):
        partial.unlink(missing_ok=True)


def _require_replaceable(path: Path) -> None:
    # A rename would put a file in the place of a device, a pipe or a socket: /dev/stdout too.
    with explained(path, "write the file"):
        if path.exists() and not path.is_file():
            what = "this is a folder" if path.is_dir() else "this is not a regular file"
            raise RunError(what, where=str(path), hint="name a file")


def _partial(path: Path) -> Path:
    # In the same folder, or the rename could not be atomic; unique among threads and processes.
    return path.with_name(f".{path.name}.{os.getpid()}.{next(_numbers)}{PARTIAL}")


def _settle(partial: Path, path: Path) -> None:
    """Put a written file in its place: its bytes reach the disk before its name does."""
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class ParquetSink:
    """A parquet file written row by row, there only once it is complete; a context manager.

    Leaving it by an exception leaves no file, or the old one. Equal rows give equal bytes.

    Args:
        path: the file.
        schema: its columns.
        rows_per_group: rows held in memory before they are written.
    """

    def __init__(self, path: Path, schema: pa.Schema, *, rows_per_group: int = 10_000) -> None:
        self._path = path
        self._schema = schema
        self._names = frozenset(schema.names)
        self._limit = rows_per_group
        self._rows: list[Mapping[str, Any]] = []
        self._partial = _partial(path)
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        import pyarrow.parquet as pq

        _require_replaceable(self._path)
        with explained(self._path, "write the file"):
            # Arrow takes a path for UTF-8, and `~` for a home: a file has its name from us.
            self._file = open(self._partial, "xb")
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")
        return self

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row; a column it does not name is null.

        Raises:
            ValueError: it names a column that is not there.
            RunError: the file cannot be written.
        """
        if not self._names.issuperset(row):
            raise ValueError(f"no column {min(row.keys() - self._names)!r} in {self._path.name}")
        self._rows.append(row)
        if len(self._rows) >= self._limit:
            self._flush()

    def extend(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, each as by `append`."""
        for row in rows:
            self.append(row)

    def append_table(self, table: pa.Table) -> None:
        """Add a table of the same schema.

        Raises:
            RunError: the file cannot be written.
        """
        self._flush()
        with explained(self._path, "write the file"):
            self._writer.write_table(table, row_group_size=self._limit)

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            table = pa.Table.from_pylist(self._rows, schema=self._schema)
            self._rows = []
            with explained(self._path, "write the file"):
                self._writer.write_table(table, row_group_size=self._limit)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
            else:
                # The error on its way out is the one that counts.
                with contextlib.suppress(OSError):
                    self._close()
        finally:
            self._partial.unlink(missing_ok=True)

    def _finish(self) -> None:
        try:
            self._flush()
        finally:
            with explained(self._path, "write the file"):
                self._close()
        with explained(self._path, "write the file"):
            _settle(self._partial, self._path)

    def _close(self) -> None:
        with self._file:
            self._writer.close()


def file_hash(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes.

    Raises:
        RunError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with explained(path, "read the file"), path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
