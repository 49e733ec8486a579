"""The forms of label files, told apart by their columns.

| form | a row is | reference |
|---|---|---|
| ``calibration`` | a response with rubric and verdicts (the table of that name) | ``verdicts`` |
| ``healthbench`` | a criterion of a completion (HealthBench's meta-eval) | ``binary_labels`` |
| ``prbench`` | a PRBench conversation with a ``response`` and ``grades`` | ``grades`` |
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rubricbench.certify.labels import Labelled
from rubricbench.certify.readers import calibration, healthbench, prbench
from rubricbench.errors import InputError
from rubricbench.readers import read_rows

Reader = Callable[[Path, str], list[Labelled]]

FORMS: dict[str, tuple[str, Reader]] = {
    "calibration": ("verdicts", calibration.read),
    "healthbench": ("binary_labels", healthbench.read),
    "prbench": ("grades", prbench.read),
}


def reader_of(path: str | Path, form: str) -> tuple[str, Reader]:
    """Return name and reader of a file's form.

    Raises:
        InputError: there is no such file or form, or the columns are of no known form.
    """
    if form != "auto":
        if form not in FORMS:
            raise InputError(
                f"unknown form of labels {form!r:.60}", hint="choose from auto, " + ", ".join(FORMS)
            )
        return form, FORMS[form][1]
    _, first = next(iter(read_rows(path)))
    for name, (column, read) in FORMS.items():
        if column in first:
            return name, read
    wanted = ", ".join(f"{column} ({name})" for name, (column, _) in FORMS.items())
    raise InputError(
        "no column with reference verdicts", where=str(path), hint=f"one of these is it: {wanted}"
    )
