"""Gates on criteria side by side, and against the prompt: repetition, contradiction, leakage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from rubricbench.lint.finding import Finding, finding
from rubricbench.lint.terms import negated, overlap, stem, terms
from rubricbench.lint.words import word_list
from rubricbench.schema import Criterion, Rubric

SAME, NEAR = 0.999, 0.75  # share of content words in common
LEAST_TERMS = 3  # of a criterion whose words say enough to be compared
_BOUNDS = ("minimum", "maximum")


def together(rubric: Rubric) -> Iterator[Finding]:
    """Yield what is wrong with the criteria of a rubric beside each other."""
    for a, b in combinations(rubric.criteria, 2):
        found = _checked_pair(rubric, a, b) if a.check and b.check else _judged_pair(rubric, a, b)
        if found is not None:
            yield found


def _judged_pair(rubric: Rubric, a: Criterion, b: Criterion) -> Finding | None:
    first, second = terms(a.criterion), terms(b.criterion)
    if a.check or b.check or min(len(first), len(second)) < LEAST_TERMS:
        return None
    share = overlap(first, second)
    if share < NEAR:
        return None
    opposed = negated(a.criterion) != negated(b.criterion)
    same_sign = (a.weight > 0) == (b.weight > 0)
    if share >= SAME and opposed == same_sign:
        return finding("contradiction", rubric, b, f"against: {a.criterion:.80}")
    if share >= SAME and not opposed:
        return finding("duplicate", rubric, b, f"as: {a.criterion:.80}")
    if opposed or not same_sign:  # the same thing from its other side: a choice, if a costly one
        return finding("near_duplicate", rubric, b, f"the other side of: {a.criterion:.80}")
    return finding("near_duplicate", rubric, b, f"shares {share:.0%} with: {a.criterion:.80}")


def _checked_pair(rubric: Rubric, a: Criterion, b: Criterion) -> Finding | None:
    assert a.check is not None
    assert b.check is not None
    if a.check.name != b.check.name:
        return None
    if a.check.params == b.check.params:
        same_sign = (a.weight > 0) == (b.weight > 0)
        rule = "duplicate" if same_sign else "contradiction"
        return finding(rule, rubric, b, f"the same check as: {a.criterion:.80}")
    others = [{k: v for k, v in c.params.items() if k not in _BOUNDS} for c in (a.check, b.check)]
    if others[0] != others[1] or a.weight < 0 or b.weight < 0:
        return None
    low = max((c.params.get("minimum") or 0) for c in (a.check, b.check))
    most = [c.params["maximum"] for c in (a.check, b.check) if c.params.get("maximum") is not None]
    if most and low > min(most):
        text = f"at least {low} and at most {min(most)} {a.check.name}"
        return finding("contradiction", rubric, b, text)
    return None


def leakage(rubric: Rubric) -> Iterator[Finding]:
    """Yield criteria that repeating the prompt would meet."""
    said, saying = terms(rubric.prompt.text), set(map(stem, word_list("saying")))
    for criterion in rubric.criteria:
        if criterion.check is not None or criterion.weight < 0 or negated(criterion.criterion):
            continue
        asked = terms(criterion.criterion) - saying
        if len(asked) >= LEAST_TERMS and asked <= said:
            text = "every word of it stands in the prompt"
            yield finding("leaked", rubric, criterion, text)
