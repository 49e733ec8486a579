"""PRBench rows (`rubricbench.prbench`) with a graded response.

PRBench publishes rubrics, not labelled responses. Add to its rows what your experts graded: a
column ``response`` with the answer, a column ``grades`` with one value for each entry of
``rubric``, in its order (true, false, or null where nobody graded), and a ``generator`` if several
models answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rubricbench.certify.labels import Labelled, Reference
from rubricbench.errors import SchemaError
from rubricbench.prbench import rubric_from_prbench
from rubricbench.readers import read_rows
from rubricbench.readers.rows import nested
from rubricbench.rows import optional, typed
from rubricbench.schema import Response

_WORDS = {"true": True, "false": False, "met": True, "unmet": False}


def read(path: Path, rubrics: str) -> list[Labelled]:
    """Return the labelled responses of a file.

    Args:
        path: the file.
        rubrics: not needed; the rubric stands in the row.

    Raises:
        InputError: the file cannot be read.
        SchemaError: a row cannot be used; file, line and field are named.
    """
    rows = []
    for line, row in read_rows(path):
        try:
            rows.append(_labelled({**row, "rubric": nested(row.get("rubric"), "rubric")}))
        except SchemaError as error:
            raise error.at(file=str(path), line=line) from None
    return rows


def _labelled(row: Mapping[str, Any]) -> Labelled:
    rubric = rubric_from_prbench(row)
    response = Response(
        prompt_id=rubric.prompt_id,
        text=typed(row, "response", str),
        generator=optional(row, "generator", str) or "",
        id=optional(row, "response_id", str) or "",
    )
    grades = nested(row.get("grades"), "grades")
    if not isinstance(grades, list) or len(grades) != len(rubric.criteria):
        raise SchemaError(
            "count_mismatch",
            f"expected a list of {len(rubric.criteria)} grades, one for each criterion",
            field="grades",
        )
    return Labelled(rubric, response, tuple(_reference(grade, i) for i, grade in enumerate(grades)))


def _reference(grade: Any, index: int) -> Reference:
    if grade is None or isinstance(grade, bool):
        return Reference(grade)
    if isinstance(grade, str) and grade.lower() in _WORDS:
        return Reference(_WORDS[grade.lower()])
    raise SchemaError(
        "wrong_type", f"expected true, false or null, got {grade!r:.40}", field=f"grades[{index}]"
    )
