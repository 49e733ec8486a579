"""Our ``calibration`` table (columns: `rubricbench.tables`), as parquet, JSONL or CSV.

By hand, a JSONL line needs no more than this; a criterion is named by its id or by its text::

    {"prompt": "…", "text": "…",
     "rubrics": [{"criterion": "Advises cool water.", "weight": 3}],
     "verdicts": [{"criterion": "Advises cool water.", "status": "met", "annotators": 3}]}

A row without ``rubrics`` takes the rubric of its prompt from the file of rubrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rubricbench.canonical import canonical_json
from rubricbench.certify.labels import Labelled, Reference
from rubricbench.errors import InputError, SchemaError
from rubricbench.readers import RubricIndex, read_rows
from rubricbench.readers.rows import nested
from rubricbench.readers.rubrics import rubric_from_any_row
from rubricbench.rows import mapping, optional, rubric_to_row, typed
from rubricbench.schema import Response, Rubric, Status

_RUBRIC_KEYS = ("prompt_id", "prompt", "messages", "rubrics")


def read(path: Path, rubrics: str) -> list[Labelled]:
    """Return the labelled responses of a file.

    Raises:
        InputError: the file, or that of the rubrics, cannot be read.
        SchemaError: a row cannot be used; file, line and field are named.
    """
    index = RubricIndex(rubrics) if rubrics else None
    rows = []
    for line, row in read_rows(path):
        try:
            rows.append(_labelled(row, index, str(path), line))
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
    return rows


def _labelled(row: Mapping[str, Any], index: RubricIndex | None, file: str, line: int) -> Labelled:
    rubric = _rubric(row, index, file, line)
    response = Response(
        prompt_id=rubric.prompt_id,
        text=typed(row, "text" if "text" in row else "response", str),
        generator=optional(row, "generator", str) or "",
        id=optional(row, "response_id", str) or "",
    )
    verdicts = nested(row.get("verdicts"), "verdicts")
    if not isinstance(verdicts, list):
        raise SchemaError("wrong_type", "expected a list of verdicts", field="verdicts")
    return Labelled(rubric, response, _references(verdicts, rubric))


def _rubric(row: Mapping[str, Any], index: RubricIndex | None, file: str, line: int) -> Rubric:
    if row.get("rubrics"):
        own = {key: row[key] for key in _RUBRIC_KEYS if row.get(key) is not None}
        return rubric_from_any_row(own, file=file, line=line)
    if index is None:
        raise SchemaError(
            "missing_key",
            "the row has no rubric",
            field="rubrics",
            hint="add a column rubrics, or name a file of rubrics with --rubrics",
        )
    prompt_id, prompt = (optional(row, key, str) or "" for key in ("prompt_id", "prompt"))
    try:
        rubric = index.find(prompt_id=prompt_id, prompt=prompt)
    except InputError as error:
        raise InputError(error.what, where=f"{file}:{line}", hint=error.hint) from None
    if rubric is None:
        raise SchemaError(
            "missing_key",
            f"no rubric for {prompt_id or prompt!r:.60} in {index.source}",
            field="prompt_id",
        )
    return rubric


def _references(verdicts: list[Any], rubric: Rubric) -> tuple[Reference, ...]:
    by_name = {c.id: i for i, c in enumerate(rubric.criteria)}
    by_name.update({c.criterion: i for i, c in enumerate(rubric.criteria)})
    found: dict[int, Reference] = {}
    for number, verdict in enumerate(verdicts):
        place = f"verdicts[{number}]"
        try:
            mapping(verdict, "")
            key = "criterion_id" if verdict.get("criterion_id") is not None else "criterion"
            name = typed(verdict, key, str)
            if name not in by_name:
                raise SchemaError(
                    "id_mismatch", f"the rubric has no criterion {name!r:.60}", field=key
                )
            if by_name[name] in found:
                raise SchemaError(
                    "duplicate_id", f"two verdicts for criterion {name!r:.60}", field=key
                )
            found[by_name[name]] = _reference(verdict)
        except SchemaError as error:
            raise error.within(place) from None
    return tuple(found.get(i, Reference(None)) for i in range(len(rubric.criteria)))


def _reference(verdict: Mapping[str, Any]) -> Reference:
    status = typed(verdict, "status", str)
    if status not in list(Status):
        raise SchemaError(
            "bad_verdict", f"status {status!r:.40}", field="status", hint="met, unmet or unknown"
        )
    annotators = optional(verdict, "annotators", int) or 0
    agreement = optional(verdict, "agreement", float | int)
    if annotators < 0 or (agreement is not None and not 0.5 <= agreement <= 1):
        raise SchemaError(
            "bad_verdict",
            f"{annotators} annotators of whom {agreement} agree",
            field="agreement",
            hint="agreement is the share of annotators on the reference's side, 0.5 to 1",
        )
    tied = status == Status.UNKNOWN and agreement == 0.5
    met = None if status == Status.UNKNOWN else status == Status.MET
    return Reference(met, annotators, agreement, tied)


def calibration_row(labelled: Labelled) -> dict[str, Any]:
    """Return the row of the calibration table: what `read` reads."""
    rubric, response = labelled.rubric, labelled.response
    row = rubric_to_row(rubric)
    pairs = zip(rubric.criteria, labelled.references, strict=True)
    return {
        "prompt_id": rubric.prompt_id,
        "response_id": response.id,
        "generator": response.generator,
        "sampling": canonical_json(response.sampling).decode(),
        "text": response.text,
        "finish_reason": response.finish_reason,
        "usage": canonical_json(response.usage).decode(),
        **{key: row[key] for key in ("prompt", "messages", "rubrics")},
        "verdicts": [
            {
                "criterion_id": criterion.id,
                "status": str(_status(reference)),
                "annotators": reference.annotators,
                "agreement": reference.agreement,
            }
            for criterion, reference in pairs
        ],
    }


def _status(reference: Reference) -> Status:
    if reference.met is None:
        return Status.UNKNOWN
    return Status.MET if reference.met else Status.UNMET
