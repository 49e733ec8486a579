"""Each form's columns, and how a row of it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rubricbench.healthbench import rubric_to_healthbench
from rubricbench.lint.calibration import Graded
from rubricbench.rows import rubric_to_paper_row, rubric_to_row
from rubricbench.schema import Rubric
from rubricbench.tables import schema

Row = dict[str, Any]
BEST = "excellent"


@dataclass(frozen=True)
class RubricForm:
    """A form of rubrics.

    Args:
        doc: who reads it.
        row: a rubric's row.
        columns: its Arrow schema, made when it is needed; None for a form that is written as JSON
            lines alone, since its rows may have columns of their own.
    """

    doc: str
    row: Callable[[Rubric], Row]
    columns: Callable[[], Any] | None


@dataclass(frozen=True)
class GradedForm:
    """A form of graded responses, made prompt by prompt.

    Args:
        doc: who reads it.
        rows: rows of one prompt's responses.
        columns: its Arrow schema, made when it is needed.
    """

    doc: str
    rows: Callable[[Sequence[Graded]], Iterator[Row]]
    columns: Callable[[], Any]


def turns(rubric: Rubric) -> list[dict[str, str]]:
    """Return a prompt as chat messages."""
    return [{"role": m.role, "content": m.content} for m in rubric.prompt.messages]


def _trl_prompt(rubric: Rubric) -> Row:
    row = rubric_to_row(rubric)
    return {"prompt": turns(rubric), "prompt_id": row["prompt_id"], "rubrics": row["rubrics"]}


def _preferences(own: Sequence[Graded]) -> Iterator[Row]:
    """Every pair of responses of different tiers; the margin is the difference of their scores."""
    for a, b in combinations(sorted(own, key=lambda g: (-g.rank, g.response_id)), 2):
        if a.rank > b.rank:
            yield {
                "prompt": turns(a.rubric),
                "chosen": _said(a),
                "rejected": _said(b),
                "margin": _margin(a, b),
                "prompt_id": a.rubric.prompt_id,
            }


def _supervised(own: Sequence[Graded]) -> Iterator[Row]:
    for g in own:
        if g.tier == BEST:
            yield {
                "prompt": turns(g.rubric),
                "completion": _said(g),
                "prompt_id": g.rubric.prompt_id,
            }


def _best_of_four(own: Sequence[Graded]) -> Iterator[Row]:
    """RewardBench 2: one right response among four; a prompt without them gives no row."""
    ranked = sorted(own, key=lambda g: (-g.rank, g.response_id))
    if len(ranked) < 4 or ranked[0].tier != BEST or ranked[1].tier == BEST:
        return
    best, others = ranked[0], ranked[1:4]
    yield {
        "id": best.rubric.prompt_id,
        "prompt": best.rubric.prompt.text,
        "chosen": [best.text],
        "rejected": [g.text for g in others],
        "num_correct": 1,
        "num_incorrect": 3,
        "total_completions": 4,
        "models": [g.generator for g in (best, *others)],
        "subset": best.rubric.prompt.domain,
        "additional_metadata": None,
    }


def _margin(a: Graded, b: Graded) -> float | None:
    first, second = a.score.value, b.score.value
    return None if first is None or second is None else first - second


def _said(graded: Graded) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": graded.text}]


def _messages() -> Any:
    import pyarrow as pa

    return pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def _paper_columns() -> Any:
    import pyarrow as pa

    criterion = pa.struct([("criterion", pa.string()), ("weight", pa.int64())])
    return pa.schema(
        [
            ("prompt", pa.string()),
            ("rubrics", pa.list_(criterion)),
            ("number_of_criteria", pa.int64()),
            ("total_weight", pa.int64()),
        ]
    )


def _trl_prompt_columns() -> Any:
    import pyarrow as pa

    rubrics = schema("rubrics").field("rubrics").type
    return pa.schema([("prompt", _messages()), ("prompt_id", pa.string()), ("rubrics", rubrics)])


def _columns(*names: str, **others: Any) -> Any:
    import pyarrow as pa

    listed = [(name, _messages()) for name in names]
    return pa.schema([*listed, *others.items(), ("prompt_id", pa.string())])


def _preference_columns() -> Any:
    import pyarrow as pa

    return _columns("prompt", "chosen", "rejected", margin=pa.float64())


def _best_of_four_columns() -> Any:
    import pyarrow as pa

    text, number, texts = pa.string(), pa.int64(), pa.list_(pa.string())
    return pa.schema(
        [
            *(("id", text), ("prompt", text), ("chosen", texts), ("rejected", texts)),
            *((name, number) for name in ("num_correct", "num_incorrect", "total_completions")),
            *(("models", texts), ("subset", text), ("additional_metadata", text)),
        ]
    )


RUBRIC_FORMS = {
    "rubricbench": RubricForm("this package", rubric_to_row, lambda: schema("rubrics")),
    "paper": RubricForm("code for JunkaiZ/Rubrics", rubric_to_paper_row, _paper_columns),
    "healthbench": RubricForm("HealthBench's graders", rubric_to_healthbench, None),
    "trl-prompt": RubricForm("GRPOTrainer, with rubric_reward", _trl_prompt, _trl_prompt_columns),
}
GRADED_FORMS = {
    "trl-preference": GradedForm("RewardTrainer, DPOTrainer", _preferences, _preference_columns),
    "trl-sft": GradedForm("SFTTrainer", _supervised, lambda: _columns("prompt", "completion")),
    "rewardbench2": GradedForm(
        "RewardBench 2's best of four", _best_of_four, _best_of_four_columns
    ),
}
