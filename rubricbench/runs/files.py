"""Files that are either there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rubricbench.errors import RunError

if TYPE_CHECKING:
    import pyarrow as pa

HASH_CHUNK = 1 << 20


@contextlib.contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn the system's errors into one RunError line."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot {doing}: {error.strerror or error}",
            where=str(path),
            hint="nothing finished is lost; mend it and run again",
        ) from error


def atomic_write(path: Path, data: bytes) -> None:
    """Replace a file as a whole, safe against a kill and a power cut.

    Raises:
        RunError: the file cannot be written; the old one is untouched.
    """
    partial = _partial(path)
    with explained(path, "write the file"):
        try:
            with open(partial, "wb") as file:
                file.write(data)
            _settle(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _settle(partial: Path, path: Path) -> None:
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class ParquetSink:
    """A parquet file written row by row in bounded memory, there only once it is complete.

    Args:
        path: the file.
        schema: its columns.
        rows_per_group: rows held in memory before they are written.
    """

    def __init__(self, path: Path, schema: pa.Schema, *, rows_per_group: int = 10_000) -> None:
        self._path = path
        self._schema = schema
        self._limit = rows_per_group
        self._rows: list[dict[str, Any]] = []
        self._partial = _partial(path)
        self._writer: Any = None

    def __enter__(self) -> Self:
        import pyarrow.parquet as pq

        with explained(self._path, "write the file"):
            self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        return self

    def append(self, row: dict[str, Any]) -> None:
        """Add a row.

        Raises:
            RunError: the file cannot be written.
        """
        self._rows.append(row)
        if len(self._rows) >= self._limit:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa

        if self._rows:
            with explained(self._path, "write the file"):
                self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._write()
            with explained(self._path, "write the file"):
                self._writer.close()
                if error is None:
                    _settle(self._partial, self._path)
        finally:
            self._partial.unlink(missing_ok=True)


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
