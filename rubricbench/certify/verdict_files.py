"""Verdicts of judging runs, as the command that corrects their scores reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.certify.pairs import Asked
from rubricbench.errors import InputError, SchemaError
from rubricbench.judging.results import CHECKED
from rubricbench.readers import RubricIndex, read_rows
from rubricbench.rows import optional, typed
from rubricbench.schema import Rubric, Status

RUN_FILE, RUN_SUMMARY = "verdicts.parquet", "summary.json"

Key = tuple[str, str, int]  # prompt, response, replicate
Answered = tuple[str, str]  # prompt, response
Given = dict[str, float]  # criterion id -> credit, NaN where unknown


class RunResponse(msgspec.Struct):
    """A grading of a response: its rubric, the credit of each criterion, and which were given."""

    rubric: Rubric
    generator: str
    credit: Given
    given: set[str]


def read_verdicts(path: Path, index: RubricIndex, asked: Asked) -> dict[Key, RunResponse]:
    """Return the responses of a run, of the certified judge's verdicts alone.

    Args:
        path: a verdicts table (`rubricbench.tables`).
        index: the rubrics the run was graded by.
        asked: the certified judge; one without a name is taken for the run's.

    Raises:
        InputError: the file cannot be read, is of another judge, or the rubrics are not its own.
        SchemaError: a row cannot be used, or a verdict is there twice.
    """
    found: dict[Key, RunResponse] = {}
    judges: set[str] = set()
    for line, row in read_rows(path):
        try:
            judge = optional(row, "judge", str) or ""
            judges |= {judge} - {CHECKED}
            if judge in ("", CHECKED, asked.judge) or not asked.judge:
                _add(row, found, index)
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
        except InputError as error:
            raise InputError(error.what, where=f"{path}:{line}", hint=error.hint) from None
    _require_one_judge(judges, asked, path)
    return found


def _require_one_judge(judges: set[str], asked: Asked, path: Path) -> None:
    named = ", ".join(sorted(judge or "(no name)" for judge in judges)[:3])
    if asked.judge and judges and not judges & {"", asked.judge}:
        raise InputError(
            f"the verdicts are of {named}, and the certificate is of {asked.judge}",
            where=str(path),
            hint="certify the judge that graded the run",
        )
    if not asked.judge and len(judges) > 1:
        raise InputError(
            f"verdicts of several judges ({named}), and the certificate names none",
            where=str(path),
            hint="leave one judge's verdicts in the file",
        )


def _add(row: Mapping[str, Any], found: dict[Key, RunResponse], index: RubricIndex) -> None:
    replicate = optional(row, "replicate", int) or 0
    key = (typed(row, "prompt_id", str), typed(row, "response_id", str), replicate)
    response = found.get(key)
    if response is None:
        rubric = index.get(key[0])
        if rubric is None:
            raise InputError(
                f"no rubric for prompt {key[0]!r:.60}",
                hint="name the rubrics the run was graded by",
            )
        empty = {c.id: float("nan") for c in rubric.criteria}
        response = found[key] = RunResponse(
            rubric, optional(row, "generator", str) or "", empty, set()
        )
    name = typed(row, "criterion_id", str)
    if name not in response.credit:
        raise InputError(
            f"the rubric of {key[0]!r:.60} has no criterion {name!r:.60}",
            hint="name the rubrics the run was graded by",
        )
    if name in response.given:
        if row.get("judge") == CHECKED:  # written once for each judge of the run
            return
        raise SchemaError(
            "duplicate_id", f"two verdicts for criterion {name!r:.60}", field="criterion_id"
        )
    response.given.add(name)
    response.credit[name] = _credit(row)


def _credit(row: Mapping[str, Any]) -> float:
    status = typed(row, "status", str)
    if status == Status.UNKNOWN:
        return float("nan")
    p_met = optional(row, "p_met", float | int)
    return float(status == Status.MET) if p_met is None else float(p_met)


def require_same_templates(verdicts: Path, asked: Asked) -> None:
    """Refuse a run that was asked in another way, where its summary says how it was."""
    path = verdicts.with_name(RUN_SUMMARY)
    try:
        noted = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return
    template = noted.get("template_hash", "")
    if asked.template_hash and template and template != asked.template_hash:
        raise InputError(
            f"the run was asked with other prompts (templates {template}) than the certified "
            f"variant {asked.variant} ({asked.template_hash})",
            where=str(path),
            hint="certify the judge asked as in the run, or name its variant",
        )
