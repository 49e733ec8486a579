"""The files of an audit: audit.json, audit.csv, report.html and the figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rubricbench.audit.figures import figures
from rubricbench.audit.run import AuditRecord
from rubricbench.metrics.result import Result, frame, walk
from rubricbench.runs.files import atomic_write

RECORD, TABLE, PAGE, FIGURES = "audit.json", "audit.csv", "report.html", "figures"


def write_audit(record: AuditRecord, folder: Path, formats: tuple[str, ...] = ()) -> list[str]:
    """Write an audit's files, each whole or not at all; return their names.

    Args:
        record: the audit.
        folder: of the audit.
        formats: of further files of the figures: ``svg``, ``png``, ``csv``.

    Raises:
        MissingExtraError: figures are wanted as images, and matplotlib is not installed.
        RunError: a file cannot be written.
    """
    from rubricbench.audit.page import render_audit

    atomic_write(folder / RECORD, msgspec.json.format(encoded(record), indent=2))
    atomic_write(folder / TABLE, table(record).encode("utf-8"))
    atomic_write(folder / PAGE, render_audit(record).encode("utf-8"))
    names = [RECORD, TABLE, PAGE]
    if formats:
        from rubricbench.figures.export import export

        for figure in figures(record.document.samples):
            export(figure, folder / FIGURES, formats=formats)
        names.append(f"{FIGURES}/")
    return names


def table(record: AuditRecord) -> str:
    """Return every figure of an audit as CSV, one row each, with the reward it is of."""
    rows: list[tuple[str, Result]] = []
    for study in record.document.samples:
        rows += [(study.arm, r) for r in walk(study)]
    rows += [(f"{c.a} - {c.b}", c.difference) for c in record.document.contrasts]
    if record.comparison is not None:
        rows += [("comparison", r) for r in walk(record.comparison)]
    found = frame([r for _, r in rows])
    found.insert(0, "reward", [name for name, _ in rows])
    text: str = found.to_csv(index=False, lineterminator="\n")
    return text


def encoded(value: Any) -> bytes:
    """Return a struct as JSON."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in an audit")


def headlines(record: AuditRecord) -> Iterator[str]:
    """Return the audit in a few lines, for a terminal."""
    for study in record.document.samples:
        yield f"{study.arm}: {study.verdict.headline}"
        for kind, safe in (("tilt", study.safe_tilt), ("best of n", study.safe_best_of_n)):
            if safe is not None:
                yield f"  {kind}: {safe_text(safe.largest, safe.safe_up_to)}"
        yield f"  tail accuracy {short(study.tail.accuracy)}, Spearman {short(study.rank.overall)}"
        yield from (f"  Caution: {c.text}." for c in study.cautions)


def safe_text(largest: Result, safe_up_to: Result) -> str:
    """Return the largest safe KL in words."""
    if largest.estimate is None:
        return f"largest safe KL not computable ({largest.reason})"
    still = f"; it still rises up to {safe_up_to.estimate:.2f}" if safe_up_to.estimate else ""
    if any(c.code == "censored" for c in largest.warnings):
        return f"no decline of gold is proven up to {largest.estimate:.2f} nats, the last{still}"
    high = "open" if largest.high is None else f"{largest.high:.2f}"
    low = "open" if largest.low is None else f"{largest.low:.2f}"
    return f"largest safe KL {largest.estimate:.2f} nats [{low}, {high}]"


def short(result: Result) -> str:
    """Return a result in a few characters."""
    if result.estimate is None:
        return "not computable"
    ends = f" [{result.low:.3f}, {result.high:.3f}]" if result.interval else ""
    return f"{result.estimate:.3f}{ends}"
