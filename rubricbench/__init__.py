"""rubricbench: rubric datasets, rubric scoring, and how far a reward can be optimised.

The usual names live here and load on first use, so ``import rubricbench`` stays cheap::

    import rubricbench as rb

    rows = rb.load("verifiable", split="test")
    rubric = rb.Rubric.from_row(rows[0])
    score = rb.score(rubric, rb.check_response(rubric, "some response"))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_EXPORTS = {
    "Check": "rubricbench.schema",
    "Criterion": "rubricbench.schema",
    "Judge": "rubricbench.judging",
    "JudgeConfig": "rubricbench.judging",
    "Message": "rubricbench.schema",
    "Response": "rubricbench.schema",
    "Rubric": "rubricbench.schema",
    "Score": "rubricbench.scoring",
    "Verdict": "rubricbench.schema",
    "RubricbenchError": "rubricbench.errors",
    "check_response": "rubricbench.checks",
    "load": "rubricbench.hub",
    "rubric_reward": "rubricbench.reward",
    "score": "rubricbench.scoring",
    "score_matrix": "rubricbench.scoring",
}

if TYPE_CHECKING:
    from rubricbench.checks import check_response
    from rubricbench.errors import RubricbenchError
    from rubricbench.hub import load
    from rubricbench.judging import Judge, JudgeConfig
    from rubricbench.reward import rubric_reward
    from rubricbench.schema import Check, Criterion, Message, Response, Rubric, Verdict
    from rubricbench.scoring import Score, score, score_matrix

__all__ = [
    "Check",
    "Criterion",
    "Judge",
    "JudgeConfig",
    "Message",
    "Response",
    "Rubric",
    "RubricbenchError",
    "Score",
    "Verdict",
    "__version__",
    "check_response",
    "load",
    "rubric_reward",
    "score",
    "score_matrix",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'rubricbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
