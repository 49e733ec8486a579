"""From one file to another, row by row, in bounded memory."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rubricbench.convert.forms import GRADED_FORMS, RUBRIC_FORMS, Row
from rubricbench.errors import InputError
from rubricbench.lint.calibration import by_prompt, read_graded
from rubricbench.readers import read_rubrics
from rubricbench.runs.files import ParquetSink, explained

KINDS = (".parquet", ".jsonl", ".csv")


def convert(source: str, form: str, out: Path) -> int:
    """Convert a dataset; return the number of rows written.

    Args:
        source: rubrics (a file in any form this package reads, or an embedded dataset); for the
            forms of `GRADED_FORMS` a calibration table with tiers.
        form: a key of `RUBRIC_FORMS` or `GRADED_FORMS`.
        out: file to write, as parquet, JSONL or CSV by its ending; there once it is complete.

    Raises:
        InputError: no such form, a file that cannot be read, an ending the form cannot have, or
            nothing to write.
        SchemaError: a row breaks the data model.
        RunError: the file cannot be written.
    """
    if out.suffix not in KINDS:
        raise InputError(f"cannot write {out.name!r:.60}", hint="end it in " + ", ".join(KINDS))
    if form in RUBRIC_FORMS:
        rubric_form = RUBRIC_FORMS[form]
        rows: Iterator[Row] = (rubric_form.row(rubric) for _, rubric in read_rubrics(source))
        columns = rubric_form.columns
    elif form in GRADED_FORMS:
        graded_form = GRADED_FORMS[form]
        rows = (
            row for own in by_prompt(read_graded(Path(source))) for row in graded_form.rows(own)
        )
        columns = graded_form.columns
    else:
        known = ", ".join([*RUBRIC_FORMS, *GRADED_FORMS])
        raise InputError(f"no form {form!r:.40}", hint=f"one of {known}")
    if out.suffix != ".jsonl" and columns is None:
        raise InputError(
            f"{form} is written as JSON lines", where=str(out), hint="end it in .jsonl"
        )
    count = _parquet(rows, columns, out) if out.suffix == ".parquet" else _text(rows, out)
    if not count:
        out.unlink(missing_ok=True)
        raise InputError(f"nothing in it makes a row of {form}", where=source)
    return count


def _parquet(rows: Iterable[Row], columns: Any, out: Path) -> int:
    count = 0
    with ParquetSink(out, columns()) as sink:
        for row in rows:
            sink.append(row)
            count += 1
    return count


def _text(rows: Iterable[Row], out: Path) -> int:
    count = 0
    partial = out.with_name(out.name + ".partial")
    with explained(out, "write the file"):
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                for line in _lines(rows, csv_form=out.suffix == ".csv"):
                    file.write(line)
                    count += 1
                file.flush()
                os.fsync(file.fileno())
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    return count


def _lines(rows: Iterable[Row], *, csv_form: bool) -> Iterator[str]:
    if not csv_form:
        for row in rows:
            yield json.dumps(row, ensure_ascii=False) + "\n"
        return
    text = io.StringIO()
    writer: Any = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: _cell(value) for name, value in row.items()})
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
