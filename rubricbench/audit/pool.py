"""The pool: a frozen set of responses to many prompts, each with its gold reward.

A parquet or JSONL file of the ``pool`` table (`rubricbench.tables`), one row a response:

==============  ======  ============================================================
prompt_id       text    needed
response_id     text    needed, no two alike
text            text    needed; may be empty
gold            number  needed; null where it is not known
generator       text    the model that wrote it
prompt          text    what was asked; or ``messages``, its turns
length          number  in tokens; by default the number of words of ``text``
==============  ======  ============================================================

Further columns of numbers can be audited as rewards (``column:NAME``). All responses to a prompt
should be samples of one policy: KL and best-of-n are counted from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError, SchemaError
from rubricbench.readers.rows import nested, read_rows
from rubricbench.rows import messages_from
from rubricbench.runs.files import file_hash

NEEDED = ("prompt_id", "response_id", "text", "gold")
TEXTS = ("prompt_id", "response_id", "text", "generator", "prompt", "messages")
ENDINGS = (".parquet", ".jsonl", ".ndjson")

Floats = NDArray[np.float64]
Turns = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Pool:
    """A pool in memory, in the order of its file.

    Args:
        path: the file.
        sha256: of the file.
        prompt_ids: one a response, shape ``(N,)``.
        response_ids: likewise, no two alike.
        texts: the responses.
        generators: names of models, empty where not given.
        turns: what was asked, as turns; empty where not given.
        gold: gold reward, NaN where it is not known, shape ``(N,)``.
        length: in tokens as given, else in words, shape ``(N,)``.
        numbers: further columns of numbers, NaN where there is none, each of shape ``(N,)``.
    """

    path: str
    sha256: str
    prompt_ids: list[str]
    response_ids: list[str]
    texts: list[str]
    generators: list[str]
    turns: list[Turns]
    gold: Floats
    length: Floats
    numbers: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def prompts(self) -> list[str]:
        """Text of each prompt: its last user turn."""
        return [turns[-1]["content"] if turns else "" for turns in self.turns]

    def require_prompts(self, reward: str) -> None:
        """Raise InputError if a reward needs to know what was asked, and the pool does not say."""
        missing = sum(not turns for turns in self.turns)
        if missing:
            raise InputError(
                f"{missing:,} of {len(self):,} responses do not say what was asked, which the "
                f"reward {reward!r:.80} needs",
                where=self.path,
                hint="add a column prompt or messages",
            )


class PoolSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool holds, for people who are about to use it.

    Args:
        path: the file.
        sha256: of the file.
        prompts: how many.
        responses: how many.
        per_prompt: least and greatest number of responses a prompt.
        generators: how many responses each wrote, the most first.
        gold_unknown: responses without gold.
        gold_levels: different values of gold.
        remarks: what a user should know before trusting an audit on it.
    """

    path: str
    sha256: str
    prompts: int
    responses: int
    per_prompt: tuple[int, int]
    generators: dict[str, int]
    gold_unknown: int
    gold_levels: int
    remarks: tuple[str, ...]


def read_pool(path: str | Path) -> Pool:
    """Read and check a pool.

    Raises:
        InputError: the file cannot be read, or lacks a column.
        SchemaError: a row is broken, or two have one response_id; file, line and field are named.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise InputError("a pool is a parquet or JSONL file", where=str(path))
    rows: list[_Row] = []
    seen: dict[str, int] = {}
    for line, row in read_rows(path):
        try:
            found = _row(row)
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
        if found.response_id in seen:
            raise SchemaError(
                "duplicate_id",
                f"{found.response_id!r:.60} stands on line {seen[found.response_id]} already",
                field="response_id",
                file=str(path),
                line=line,
            )
        seen[found.response_id] = line
        rows.append(found)
    return _pool(path, rows)


@dataclass(frozen=True)
class _Row:
    prompt_id: str
    response_id: str
    text: str
    generator: str
    turns: Turns
    gold: float
    numbers: dict[str, float]


def _row(row: Mapping[str, Any]) -> _Row:
    missing = [name for name in NEEDED if name not in row]
    if missing:
        found = ", ".join(f"{name:.40}" for name in list(row)[:20])
        raise SchemaError("missing_key", f"a pool needs it; found: {found}", field=missing[0])
    numbers = {
        name: _number(value, name)
        for name, value in row.items()
        if name not in TEXTS and _is_number(value)
    }
    return _Row(
        prompt_id=_text(row, "prompt_id"),
        response_id=_text(row, "response_id"),
        text=_text(row, "text", empty=True),
        generator=_text(row, "generator", empty=True) if row.get("generator") else "",
        turns=_turns(row),
        gold=_number(row["gold"], "gold"),
        numbers=numbers,
    )


def _text(row: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise SchemaError("wrong_type", f"expected text, got {value!r:.40}", field=name)
    if not value and not empty:
        raise SchemaError("empty", "it is empty", field=name)
    return value


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number(value: Any, name: str) -> float:
    if not _is_number(value):
        raise SchemaError("wrong_type", f"expected a number, got {value!r:.40}", field=name)
    number = float("nan") if value is None else float(value)
    if np.isinf(number):
        raise SchemaError("not_finite", "it is infinite", field=name)
    return number


def _turns(row: Mapping[str, Any]) -> Turns:
    turns = nested(row.get("messages") or (), "messages")
    if turns:
        return tuple(
            {"role": m.role, "content": m.content} for m in messages_from(turns, "messages")
        )
    prompt = row.get("prompt")
    return ({"role": "user", "content": _text(row, "prompt")},) if prompt else ()


def _pool(path: Path, rows: Sequence[_Row]) -> Pool:
    names = sorted({name for row in rows for name in row.numbers} - {"gold"})
    numbers = {name: np.array([r.numbers.get(name, np.nan) for r in rows]) for name in names}
    words = np.array([len(row.text.split()) for row in rows], dtype=np.float64)
    length = numbers.get("length", words)
    return Pool(
        path=str(path),
        sha256=file_hash(path),
        prompt_ids=[row.prompt_id for row in rows],
        response_ids=[row.response_id for row in rows],
        texts=[row.text for row in rows],
        generators=[row.generator for row in rows],
        turns=[row.turns for row in rows],
        gold=np.array([row.gold for row in rows], dtype=np.float64),
        length=np.where(np.isnan(length), words, length),
        numbers={n: v for n, v in numbers.items() if np.isfinite(v).any()},
    )


def summarise(pool: Pool) -> PoolSummary:
    """Return what a pool holds, and remarks on what an audit on it can show."""
    counts = Counter(pool.prompt_ids)
    known = pool.gold[np.isfinite(pool.gold)]
    return PoolSummary(
        path=pool.path,
        sha256=pool.sha256,
        prompts=len(counts),
        responses=len(pool),
        per_prompt=(min(counts.values()), max(counts.values())),
        generators=dict(Counter(pool.generators).most_common()),
        gold_unknown=len(pool) - len(known),
        gold_levels=len(np.unique(known)),
        remarks=tuple(_remarks(pool, counts, known)),
    )


def _remarks(pool: Pool, counts: Counter[str], known: Floats) -> Iterator[str]:
    fewest = min(counts.values())
    if len(counts) < 50:
        yield f"{len(counts)} prompts: intervals are wide and may cover too little; use 100 or more"
    if fewest < 8:
        yield f"{fewest} responses to a prompt: best-of-n reaches n = {fewest // 2} at most"
    if fewest < 40:
        yield (
            f"{fewest} responses to a prompt: the tilt needs an effective 20, so it reaches little "
            "or no KL; 64 or more are wanted"
        )
    if len(set(pool.generators)) > 1:
        yield (
            f"{len(set(pool.generators))} generators: KL is counted from their mixture, which is "
            "no policy that can be trained"
        )
    if len(known) < len(pool):
        yield f"{len(pool) - len(known):,} responses have no gold"
    if len(np.unique(known)) < 2:
        yield "gold does not vary: nothing can be seen"
