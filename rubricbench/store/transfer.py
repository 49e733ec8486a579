"""A store to parquet and back: to publish verdicts that replay without an API key.

Texts are plain string columns. Parquet's strings are valid Unicode, which a model's answer need not
be: a row with half a surrogate pair shows U+FFFD in its place, and has in the column ``exact`` the
bytes that its digest hashes, from which it is read back. Rows are ordered by key, so equal stores
export equal bytes. Exports from before log-probabilities were kept have no such column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rubricbench.errors import InputError, RunError, StoreError
from rubricbench.store.audit import key_shown
from rubricbench.store.completion import COLUMNS, Completion, from_record, packed, unpacked

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rubricbench.store.store import Store

MAX_GROUP_ROWS = 1_000
MAX_GROUP_BYTES = 16 << 20
_TEXTS = COLUMNS[2:]
_HINT = "give a file written by: rubricbench store export"


class ExportReport(msgspec.Struct, frozen=True):
    """What an export did.

    Args:
        exported: completions written.
        damaged: keys of damaged completions, which were left out.
    """

    exported: int
    damaged: tuple[str, ...]


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did.

    Args:
        added: completions that were new.
        present: completions that were there already, with the same answer.
        conflicting: keys that were there with another answer; the first one stays.
        damaged: keys of rows that do not match their digest; they were refused.
    """

    added: int
    present: int
    conflicting: tuple[str, ...]
    damaged: tuple[str, ...]


def schema() -> pa.Schema:
    """Return the columns of an export."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in _TEXTS]
    return pa.schema(
        [
            ("key", pa.string()),
            ("digest", pa.string()),
            ("created", pa.float64()),
            *texts,
            ("exact", pa.binary()),
        ]
    )


def export_store(store: Store, path: Path, advance: Callable[[], object]) -> ExportReport:
    """Write every completion to a parquet file, replaced as a whole.

    Args:
        store: where from.
        path: where to.
        advance: called after each row.

    Raises:
        StoreError: the store cannot be read, or the file cannot be written.
        InputError: the file is the store itself.
    """
    import pyarrow as pa

    from rubricbench.runs.files import ParquetSink

    if path.exists() and path.samefile(store.path):
        raise InputError("the export would replace the store", hint="name another file")
    exported, damaged = 0, []
    try:
        with ParquetSink(path, schema()) as sink:
            for group in _groups(store.rows()):
                sound = []
                for *record, digest in group:
                    if from_record(record, digest) is None:
                        damaged.append(key_shown(record[0]))
                    else:
                        sound.append(_row(record, digest))
                    advance()
                sink.append_table(pa.Table.from_pylist(sound, schema=schema()))
                exported += len(sound)
    except RunError as error:
        raise StoreError(error.what, where=error.where, hint=error.hint) from error
    return ExportReport(exported, tuple(damaged))


def _groups(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """Cut by number and by size: an answer may have megabytes, memory has a bound."""
    group: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        group.append(row)
        size += sum(len(part) for part in row if isinstance(part, bytes))
        if len(group) >= MAX_GROUP_ROWS or size >= MAX_GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _row(record: Sequence[Any], digest: bytes) -> dict[str, Any]:
    key, created, *texts = record
    row: dict[str, Any] = {"key": key.hex(), "digest": digest.hex(), "created": created}
    for name, data in zip(_TEXTS, texts, strict=True):
        try:
            row[name] = data.decode("utf-8")
        except UnicodeDecodeError:
            row[name] = data.decode("utf-8", "surrogatepass").encode("utf-8", "replace").decode()
            row["exact"] = packed(record)
    return row


def count_rows(path: Path) -> int:
    """Return the number of rows of an export.

    Raises:
        InputError: the file is missing or is no export of a store.
    """
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def import_store(store: Store, path: Path, advance: Callable[[], object]) -> ImportReport:
    """Add the completions of an exported parquet file; what is there already stays.

    Args:
        store: where to.
        path: where from.
        advance: called after each row.

    Raises:
        InputError: the file is missing, damaged, or is no export of a store.
        StoreError: the store cannot be read or written.
    """
    added = present = 0
    conflicting: list[str] = []
    damaged: list[str] = []
    for group in _read(path):
        completions = [_completion(row) for row in group]
        there = store.get_many([c.key for c in completions if c])
        for row, completion in zip(group, completions, strict=True):
            advance()
            if completion is None:
                damaged.append(str(row["key"]))
                continue
            first = there.setdefault(completion.key, completion)
            if first is completion:
                store.put(completion)
                added += 1
            elif first.same_answer(completion):
                present += 1
            else:
                conflicting.append(completion.key)
    store.flush()
    return ImportReport(added, present, tuple(conflicting), tuple(damaged))


def _read(path: Path) -> Iterator[list[dict[str, Any]]]:
    import pyarrow as pa

    with _opened(path) as file:
        names = set(file.schema_arrow.names)
        columns = [name for name in schema().names if name in names]
        batches = file.iter_batches(MAX_GROUP_ROWS, columns=columns)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(path, error) from None
            if batch is None:
                return
            yield batch.to_pylist()


def _opened(path: Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():  # a pipe would be waited for
        what = "this is not a file" if path.exists() else "no such file"
        raise InputError(what, where=str(path), hint=_HINT)
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    found = {field.name: field.type for field in file.schema_arrow}
    found.setdefault("logprobs", pa.string())
    wrong = [field.name for field in schema() if found.get(field.name) != field.type]
    if wrong:
        file.close()
        raise InputError(
            f"column {wrong[0]!r} is missing or of another type",
            where=str(path),
            hint=_HINT,
        )
    return file


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or "not a readable parquet file"
    return InputError(reason, where=str(path), hint=_HINT)


def _completion(row: Mapping[str, Any]) -> Completion | None:
    try:
        digest = bytes.fromhex(row["digest"])
        if row["exact"] is not None:
            record: Sequence[Any] = unpacked(row["exact"])
        else:
            texts = ({"logprobs": "", **row}[name].encode("utf-8") for name in _TEXTS)
            record = (bytes.fromhex(row["key"]), row["created"], *texts)
    except (AttributeError, TypeError, ValueError, msgspec.MsgspecError):
        return None
    return from_record(record, digest)
