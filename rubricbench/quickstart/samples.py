"""lm-eval's samples of one responder, as a file of the run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rubricbench.lmeval.audit import Audit
from rubricbench.runs import atomic_write
from rubricbench.schema import Rubric


class Scored(NamedTuple):
    """One response as it came out of the task: its rubric and its audit."""

    rubric: Rubric
    audit: Audit


def samples_file(responder: str) -> str:
    """Return the name of a responder's file."""
    return f"samples_{responder}.jsonl"


def write_samples(path: Path, samples: Iterable[Mapping[str, Any]]) -> None:
    """Write lm-eval's samples, one JSON object a line; NaN, which JSON has not, becomes null.

    Raises:
        RunError: the file cannot be written.
    """
    lines = [json.dumps(_finite(s), ensure_ascii=False, default=str) + "\n" for s in samples]
    atomic_write(path, "".join(lines).encode("utf-8", "replace"))


def read_samples(path: Path) -> Iterator[Scored]:
    """Read them back, with the audit of each response."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            sample = json.loads(line)
            for text in sample["filtered_resps"][0]:
                yield Scored(Rubric.from_row(sample["doc"]), Audit.from_json(text))


def _finite(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in sample.items()
    }
