"""Rubrics, configurations and files for the judging tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simserver.latent import truth
from simserver.server import SimServer

from rubricbench.judging import Item, JudgeConfig
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Check, Criterion, Prompt, Rubric


def make_rubric(i: int = 0, *, checked: bool = False) -> Rubric:
    """Weights 3, 1, -2; with ``checked`` also 1, for a criterion that a program decides."""
    criteria = [
        Criterion(criterion=f"Names reason {i}", weight=3),
        Criterion(criterion="Is polite", weight=1),
        Criterion(criterion=f"Invents figure {i}", weight=-2),
    ]
    if checked:
        check = Check("no_commas")
        criteria.append(Criterion(criterion="Has no comma", weight=1, check=check))
    return Rubric(prompt=Prompt.from_text(f"Question {i}?"), criteria=tuple(criteria))


def items(n: int, prompts: int = 7) -> list[Item]:
    """n different responses to a few prompts, tagged by their number."""
    rubrics = [make_rubric(i) for i in range(prompts)]
    return [Item(rubrics[i % prompts], f"Answer {i}", i) for i in range(n)]


def expected_raw(rubric: Rubric, response: str) -> float:
    """The raw score that the latent judge's verdicts make."""
    return sum(c.weight for c in rubric.criteria if truth(c.criterion, response))


def config(server: SimServer, **changes: Any) -> JudgeConfig:
    """A judge at the simulator that does not wait long."""
    fields = {"base_url": server.base_url, "model": "m", "timeout": 5.0, "retries": 2}
    return JudgeConfig(**{**fields, **changes})


def write_files(folder: Path, prompts: int, models: tuple[str, ...] = ("a", "b")) -> list[Path]:
    """Write rubrics.jsonl and responses.jsonl, a response a prompt and model; return both."""
    rubrics, responses = folder / "rubrics.jsonl", folder / "responses.jsonl"
    with rubrics.open("w") as q, responses.open("w") as r:
        for i in range(prompts):
            q.write(json.dumps(rubric_to_row(make_rubric(i))) + "\n")
            for model in models:
                row = {"prompt": f"Question {i}?", "generator": model}
                r.write(json.dumps({**row, "response": f"Answer {i} by {model}"}) + "\n")
    return [rubrics, responses]
