"""What is published: the tables of a folder, checked before anything leaves the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rubricbench.errors import InputError, SchemaError

SPLITS = ("train", "test", "validation")
ABOUT = "ABOUT.md"
_CONFIG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MAX_BYTES = 2 << 30  # of a parquet file: what is larger is to be cut into configs


@dataclass(frozen=True)
class Table:
    """One parquet file.

    Args:
        config: name of the dataset configuration.
        split: its split.
        path: of the file.
        rows: how many there are.
        bytes: size of the file.
        schema: its Arrow schema.
        is_rubrics: whether its rows are rubrics.
    """

    config: str
    split: str
    path: Path
    rows: int
    bytes: int
    schema: Any
    is_rubrics: bool

    @property
    def remote(self) -> str:
        """Its path in the repository."""
        return f"{self.config}/{self.split}.parquet"


@dataclass(frozen=True)
class Package:
    """A folder of tables.

    Args:
        folder: the folder.
        tables: its tables, sorted by config and split.
        about: text of ``ABOUT.md``: where the data come from and what they are for.
        default: the config that loads where none is named.
    """

    folder: Path
    tables: tuple[Table, ...]
    about: str = ""
    default: str = ""
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def configs(self) -> dict[str, list[Table]]:
        """Tables by configuration."""
        found: dict[str, list[Table]] = {}
        for table in self.tables:
            found.setdefault(table.config, []).append(table)
        return found


def read_package(folder: str | Path, *, default: str = "") -> Package:
    """Read ``folder/<config>/<split>.parquet``, all of it checked.

    Args:
        folder: the folder.
        default: config that loads where none is named; by default the first.

    Raises:
        InputError: no table, a name the Hub does not take, splits of one config whose columns
            differ, a prompt in two splits.
        SchemaError: a row of rubrics breaks the data model.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), hint="it holds CONFIG/SPLIT.parquet")
    tables = tuple(_tables(folder))
    if not tables:
        raise InputError(
            "no table",
            where=str(folder),
            hint="put files at CONFIG/SPLIT.parquet, such as health/test.parquet",
        )
    names = list(dict.fromkeys(t.config for t in tables))
    if default and default not in names:
        raise InputError(f"no config {default!r:.60}", where=str(folder), hint=", ".join(names))
    package = Package(folder, tables, _about(folder), default or names[0])
    for config, own in package.configs.items():
        _require_one_schema(config, own)
        package.statistics[config] = _statistics(own)
    return package


def _tables(folder: Path) -> Iterator[Table]:
    for path in sorted(folder.glob("*/*.parquet")):
        config, split = path.parent.name, path.stem
        if not _CONFIG.fullmatch(config):
            raise InputError(
                f"config {config!r:.80}",
                where=str(path),
                hint="letters, digits, dot, dash, underscore",
            )
        if split not in SPLITS:
            raise InputError(
                f"split {split!r:.40}", where=str(path), hint=f"one of {', '.join(SPLITS)}"
            )
        yield _table(config, split, path)


def _table(config: str, split: str, path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        size = path.stat().st_size
        with pq.ParquetFile(path) as file:
            rows, schema = file.metadata.num_rows, file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"not a readable parquet file: {error}", where=str(path)) from None
    if not rows:
        raise InputError("the table has no rows", where=str(path))
    if size > MAX_BYTES:
        raise InputError(
            f"{size / 2**30:.1f} GiB", where=str(path), hint="cut it into several configs"
        )
    return Table(
        config, split, path, rows, size, schema, {"prompt", "rubrics"} <= set(schema.names)
    )


def _require_one_schema(config: str, tables: list[Table]) -> None:
    for table in tables[1:]:
        if not table.schema.equals(tables[0].schema):
            first = set(map(str, tables[0].schema))
            other = [str(f) for f in table.schema if str(f) not in first]
            missing = [
                str(f) for f in tables[0].schema if str(f) not in set(map(str, table.schema))
            ]
            raise InputError(
                f"its columns are not those of {tables[0].split}: {(other or missing)[0]:.120}",
                where=str(table.path),
                hint=f"all splits of {config} need the same columns",
            )


def _statistics(tables: list[Table]) -> dict[str, Any]:
    """Read every row of rubrics strictly, and count."""
    found: dict[str, Any] = {
        "rows": {t.split: t.rows for t in tables},
        "bytes": sum(t.bytes for t in tables),
    }
    if not all(table.is_rubrics for table in tables):
        return found
    seen: dict[str, str] = {}
    criteria = multi_turn = penalties = checks = 0
    for table in tables:
        for rubric in _rubrics(table):
            elsewhere = seen.setdefault(rubric.prompt_id, table.split)
            if elsewhere != table.split:
                raise InputError(
                    f"prompt {rubric.prompt_id} is in {elsewhere} and in {table.split}",
                    where=str(table.path),
                    hint="what is tested may not be trained on: keep it in one split",
                )
            criteria += len(rubric.criteria)
            multi_turn += len(rubric.prompt.messages) > 1
            penalties += sum(c.is_penalty for c in rubric.criteria)
            checks += sum(c.check is not None for c in rubric.criteria)
    rows = sum(t.rows for t in tables)
    return {
        **found,
        "criteria": criteria,
        "per_prompt": criteria / rows,
        "multi_turn": multi_turn / rows,
        "penalties": penalties / criteria,
        "checked": checks / criteria,
    }


def _rubrics(table: Table) -> Iterator[Any]:
    from rubricbench.readers import read_rubrics

    for line, rubric in read_rubrics(table.path):
        split = rubric.prompt.split
        if split and split != table.split:
            raise SchemaError(
                "id_mismatch",
                f"the row says split {split!r:.40}",
                field="split",
                file=str(table.path),
                line=line,
            )
        yield rubric


def _about(folder: Path) -> str:
    path = folder / ABOUT
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from None
