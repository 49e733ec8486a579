"""A reward that is there already: a column of the pool, or of a file beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rubricbench.audit.pool import Pool
from rubricbench.audit.rewards import Keep, RewardSpec, Scored
from rubricbench.errors import InputError
from rubricbench.readers.rows import read_rows
from rubricbench.runs.files import file_hash


class ColumnReward:
    """A column of numbers.

    A file beside the pool has a column ``response_id`` and may have ``prompt_id``, which must then
    agree. Responses it does not hold have an unknown reward.

    Args:
        spec: its name; the target is ``NAME`` or ``FILE:NAME``.

    Raises:
        InputError: the file cannot be read.
    """

    def __init__(self, spec: RewardSpec) -> None:
        file, _, self._column = spec.target.rpartition(":")
        self.name = spec.name
        self._file = Path(file) if file else None
        self.remarks: list[str] = []
        self.identity: dict[str, Any] = {"kind": "column", "column": self._column}
        if self._file is not None:
            if not self._file.is_file():
                raise InputError("no such file", where=file, hint="column:FILE:NAME")
            self.identity["sha256"] = file_hash(self._file)

    def score(self, pool: Pool, rows: Sequence[int], keep: Keep) -> None:
        """Look the rows up.

        Raises:
            InputError: there is no such column, a value is not a finite number, a response stands
                twice in the file or under another prompt, or none of the pool's is there.
        """
        if self._file is not None:
            values = dict(self._read(pool, self._file))
            if not values:
                hint = "they meet by response_id"
                raise InputError("none of the pool's responses", where=str(self._file), hint=hint)
        elif self._column == "gold" or self._column in pool.numbers:
            numbers = pool.gold if self._column == "gold" else pool.numbers[self._column]
            values = {i: float(x) for i, x in enumerate(numbers) if not math.isnan(x)}
        else:
            found = ", ".join(sorted(pool.numbers)) or "none"
            raise InputError(
                f"no column {self._column!r:.60} of numbers",
                where=pool.path,
                hint=f"columns: {found}; of another file: column:FILE:NAME",
            )
        missing = "no value in the column"
        keep({i: Scored(values[i]) if i in values else Scored(None, missing) for i in rows})

    def _read(self, pool: Pool, file: Path) -> Iterator[tuple[int, float]]:
        places = {name: i for i, name in enumerate(pool.response_ids)}
        seen: set[str] = set()
        for line, row in read_rows(file):
            where = f"{file}:{line}"
            for name in ("response_id", self._column):
                if name not in row:
                    raise InputError(f"no column {name!r:.60}", where=where)
            response = str(row["response_id"])
            if response in seen:
                raise InputError(f"response {response!r:.60} stands twice", where=where)
            seen.add(response)
            at = places.get(response)
            if at is None:
                continue
            if row.get("prompt_id") not in (None, pool.prompt_ids[at]):
                raise InputError(
                    f"response {response!r:.60} answers another prompt in the pool", where=where
                )
            value = _finite(row[self._column], where)
            if value is not None:
                yield at, value


def _finite(value: Any, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r:.40} is not a number", where=where) from None
    if not math.isfinite(number):
        raise InputError(f"{value!r:.40} is not a finite number", where=where)
    return number
