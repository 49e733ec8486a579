"""Gates on signs and weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rubricbench.lint.finding import Finding, finding
from rubricbench.schema import Rubric

LARGEST = 3  # of the paper; HealthBench goes to 10
LEAST_CRITERIA = 3
_ABSENCE = re.compile(
    r"^(?:the response )?(?:does not|doesn't|fails to|omits|lacks|misses|neglects to|never|"
    r"leaves out|forgets)\b",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"^(?:the response )?(?:fails to|incorrectly|wrongly|falsely|misstates|misidentifies|invents|"
    r"hallucinates|fabricates|contradicts itself|neglects to|omits|forgets)\b",
    re.IGNORECASE,
)


def weights(rubric: Rubric) -> Iterator[Finding]:
    """Yield what is wrong with the weights of a rubric."""
    for criterion in rubric.criteria:
        weight = criterion.weight
        if abs(weight) > LARGEST:
            yield finding("weight_range", rubric, criterion, f"weight {weight:+g}")
        if criterion.check is not None:
            continue
        fault, absence = _FAULT.search(criterion.criterion), _ABSENCE.search(criterion.criterion)
        if weight > 0 and fault:
            yield finding("rewarded_fault", rubric, criterion, f"{fault[0]!r} earns {weight:+g}")
        elif weight < 0 and absence:
            yield finding("penalised_absence", rubric, criterion, f"{absence[0]!r} at {weight:+g}")
    if len(rubric.criteria) < LEAST_CRITERIA:
        text = f"{len(rubric.criteria)} criteria, at least {LEAST_CRITERIA} are usual"
        yield finding("few_criteria", rubric, None, text)
