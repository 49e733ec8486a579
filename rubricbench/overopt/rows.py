"""A document as one flat table: a row for every result, with where in the document it stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pyarrow as pa

from rubricbench.metrics.result import Result, walk
from rubricbench.metrics.runs import Seeded
from rubricbench.overopt.document import ArmCurve, Document, SampleStudy

Row = dict[str, Any]
SCHEMA = pa.schema(
    [
        ("section", pa.string()),  # curve, best_of_n, tilt, tilt_at_kl, theory, samples, contrast
        ("arm", pa.string()),
        ("other_arm", pa.string()),  # of a contrast: arm less other_arm
        ("at", pa.string()),  # what x is: step, n, beta, kl, gold_quantile; empty for none
        ("x", pa.float64()),
        ("metric", pa.string()),
        ("estimate", pa.float64()),  # null where it is not computable: see reason
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("level", pa.float64()),
        ("method", pa.string()),
        ("n", pa.int64()),
        ("unit", pa.string()),
        ("items", pa.int64()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("cautions", pa.string()),  # codes, separated by spaces
        ("reason", pa.string()),
    ]
)


def table(document: Document) -> pa.Table:
    """Return every result of a document as a table of `SCHEMA`."""
    return pa.Table.from_pylist(list(rows(document)), schema=SCHEMA)


def csv_bytes(found: pa.Table) -> bytes:
    """Return a table as CSV; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, found.column_names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.to_pylist())
    return text.getvalue().encode("utf-8", "backslashreplace")


def rows(document: Document) -> Iterator[Row]:
    """Return a row for every result, in the order of the document."""
    for curve in document.curves:
        yield from _of_curve(curve)
    for study in document.samples:
        yield from _of_study(study)
    for c in document.contrasts:
        row = _row("contrast", c.a, c.difference, metric=c.metric)
        yield {**row, "other_arm": c.b, "p": c.p, "p_holm": c.p_holm}


def _of_curve(curve: ArmCurve) -> Iterator[Row]:
    for c in curve.checkpoints:
        yield from _each("curve", curve.arm, _fields(c), "step", float(c.step))
    yield from _each("curve", curve.arm, _fields(curve, skip=("checkpoints",)))


def _of_study(study: SampleStudy) -> Iterator[Row]:
    arm = study.arm
    for n in study.best_of_n:
        yield from _each("best_of_n", arm, _fields(n), "n", float(n.n))
    for t in study.tilt:
        yield from _each("tilt", arm, _fields(t), "beta", t.beta)
    for k in study.at_kl:
        yield from _each("tilt_at_kl", arm, _fields(k), "kl", k.kl)
    for p in study.theory:
        yield from _each("theory", arm, _fields(p), "kl", p.kl)
    for e in study.tail_error:
        yield from _each("samples", arm, [("tail_error", e.error)], "gold_quantile", e.above)
    skip = ("best_of_n", "tilt", "at_kl", "theory", "tail_error")
    yield from _each("samples", arm, _fields(study, skip=skip))


Named = Iterable[tuple[str, Result]]


def _fields(struct: Any, *, skip: tuple[str, ...] = ()) -> Iterator[tuple[str, Result]]:
    """Return the results inside a struct, named by their field; inner ones by both names."""
    for field in struct.__struct_fields__:
        value = getattr(struct, field)
        if field in skip or not isinstance(value, Result | msgspec.Struct | tuple):
            continue
        for found in walk(value):
            whole = isinstance(value, Result | Seeded)
            inner = found.name if isinstance(value, tuple) else f"{field}, {found.name}"
            yield field if whole else inner, found


def _each(
    section: str, arm: str, named: Named, at: str = "", x: float | None = None
) -> Iterator[Row]:
    for metric, result in named:
        yield _row(section, arm, result, metric=metric, at=at, x=x)


def _row(
    section: str, arm: str, result: Result, *, metric: str, at: str = "", x: float | None = None
) -> Row:
    row = {name: getattr(result, name) for name in SCHEMA.names if hasattr(result, name)}
    return {
        **row,
        "section": section,
        "arm": arm,
        "at": at,
        "x": x,
        "metric": metric,
        "method": result.method.value,
        "cautions": " ".join(dict.fromkeys(c.code for c in result.warnings)),
    }
