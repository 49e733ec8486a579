"""A store to parquet and back: to publish verdicts that replay without an API key.

Text columns are binary (UTF-8 with ``surrogatepass``), because what models emit is not always valid
Unicode and an exact copy is the point. Rows are ordered by key, so equal stores export equal rows.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from rubricbench.errors import InputError, StoreError
from rubricbench.store import Store
from rubricbench.store.completion import Completion, from_record, to_record

ROWS_PER_GROUP = 1_000

SCHEMA = pa.schema(
    [
        ("key", pa.binary(32)),
        ("text", pa.binary()),
        ("reasoning", pa.binary()),
        ("finish_reason", pa.string()),
        ("usage", pa.binary()),
        ("model", pa.string()),
        ("url", pa.string()),
        ("request", pa.binary()),
        ("created", pa.float64()),
    ]
)


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did.

    Args:
        added: completions that were new.
        present: completions that were there already, with the same answer.
        conflicting: keys that were there with another answer; the first one stays.
        damaged: keys whose request does not hash to them; not imported.
    """

    added: int
    present: int
    conflicting: tuple[str, ...]
    damaged: tuple[str, ...]


def export_store(store: Store, path: str | Path) -> int:
    """Write every completion to a parquet file, replaced as a whole; return how many.

    Raises:
        StoreError: the store cannot be read, or the file cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    count = 0
    try:
        with pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
            for group in _grouped(store.iterate()):
                columns = zip(*map(to_record, group), strict=True)
                arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
                count += len(group)
        os.replace(partial, path)
    except OSError as error:
        raise StoreError(
            f"cannot write the export: {error.strerror or error}", where=str(path)
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _grouped(completions: Iterator[Completion]) -> Iterator[list[Completion]]:
    while group := list(itertools.islice(completions, ROWS_PER_GROUP)):
        yield group


def import_store(store: Store, path: str | Path) -> ImportReport:
    """Add the completions of an exported parquet file; what is there already stays.

    Raises:
        InputError: the file is missing or is no export of a store.
        StoreError: the store cannot be written.
    """
    added = present = 0
    conflicting: list[str] = []
    damaged: list[str] = []
    for record in _records(Path(path)):
        completion = _completion(record)
        if completion is None:
            damaged.append(record[0].hex())
            continue
        old = store.get_many([completion.key]).get(completion.key)
        if old is None:
            store.put(completion)
            added += 1
        elif (old.text, old.reasoning) == (completion.text, completion.reasoning):
            present += 1
        else:
            conflicting.append(completion.key)
    store.flush()
    return ImportReport(added, present, tuple(conflicting), tuple(damaged))


def _records(path: Path) -> Iterator[tuple[Any, ...]]:
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(SCHEMA):
                raise InputError(
                    f"columns {', '.join(file.schema_arrow.names[:9])} are not those of an export",
                    where=str(path),
                    hint="expected a file written by: rubricbench store export",
                )
            for batch in file.iter_batches(ROWS_PER_GROUP):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except (pa.ArrowInvalid, OSError) as error:
        reason = getattr(error, "strerror", None) or "not a readable parquet file"
        raise InputError(reason, where=str(path)) from None


def _completion(record: tuple[Any, ...]) -> Completion | None:
    try:
        completion = from_record(record)
    except (ValueError, TypeError, AttributeError, msgspec.DecodeError):
        return None
    keyed = hashlib.sha256(completion.request).hexdigest() == completion.key
    return completion if keyed else None
