"""Labelled responses whose truth is that of the simulator (`simserver.latent.truth`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simserver.latent import truth

from rubricbench.certify.labels import Labelled, Reference
from rubricbench.certify.readers.calibration import calibration_row
from rubricbench.schema import Criterion, Prompt, Response, Rubric

# Criteria that recur in every rubric, so that each has figures of its own.
SHARED = (
    ("Says what to do first.", 3, ("axis:completeness",)),
    ("Names a warning sign.", 2, ("axis:safety", "critical")),
    ("Uses plain words.", 1, ("axis:style",)),
    ("Claims a cure.", -2, ("axis:safety",)),
)


def rubric(number: int) -> Rubric:
    own = Criterion(criterion=f"Answers question {number}.", weight=2, tags=("axis:completeness",))
    shared = [Criterion(criterion=c, weight=w, tags=t) for c, w, t in SHARED]
    return Rubric(prompt=Prompt.from_text(f"Question {number}?"), criteria=(*shared, own))


def labelled(prompts: int, generators: Iterable[str] = ("x", "y")) -> list[Labelled]:
    """Return a response of each generator to each prompt, references being the truth."""
    rows = []
    for i in range(prompts):
        one = rubric(i)
        for name in generators:
            text = f"Answer {i} by {name}." + " More words." * (i % 7)
            response = Response(prompt_id=one.prompt_id, text=text, generator=name)
            known = tuple(Reference(truth(c.criterion, text)) for c in one.criteria)
            rows.append(Labelled(one, response, known))
    return rows


def write_labels(path: Path, rows: Iterable[Labelled]) -> Path:
    return write_lines(path, map(calibration_row, rows))


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
