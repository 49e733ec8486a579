"""Metrics of a rubric task, computed from the audits that its filter leaves.

====================== =============================================================================
`rubric_score`         mean of ``Σ w·v / Σ_{w>0} w``, unclipped; NaN while any verdict is unknown
`rubric_score_low`     the same with every unknown turned against the response
`rubric_score_high`    the same with every unknown turned in its favour
`all_met`              share of responses that meet every criterion and no penalty
`pass_rate`            share of criteria to the response's credit: met, or a penalty not met
`coverage`             share of the absolute weight whose verdict is known
`response_words`       words of the answer, reasoning left out
`unfinished_reasoning` share of responses whose reasoning block never closes
`truncation`           share cut off at the token limit, where the backend says how a response ended
                       (lm-eval's own backends do not; NaN then)
`pass_rate/<family>`   the same for the criteria of one check family, over the prompts that have one
====================== =============================================================================

Plain means carry lm-eval's closed-form standard error. `known_mean` carries none: lm-eval would
bootstrap each of some fifty pass rates 100,000 times, for minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from rubricbench.lmeval.audit import Audit, Judged
from rubricbench.schema import Rubric

Results = Sequence[Sequence[str]]  # of one document: per request, one audit per response


def process_results(doc: Mapping[str, Any], results: Results) -> dict[str, float]:
    """Return the metrics of one document; over repeats, their mean."""
    audits = _audits(results)
    return {
        "rubric_score": fmean(_number(a.value) for a in audits),
        "rubric_score_low": fmean(a.low for a in audits),
        "rubric_score_high": fmean(a.high for a in audits),
        "all_met": fmean(_number(a.all_met) for a in audits),
        "pass_rate": _rate(v for a in audits for v in a.verdicts),
        "coverage": fmean(a.coverage for a in audits),
        "response_words": fmean(a.words for a in audits),
        "unfinished_reasoning": fmean(a.unfinished_reasoning for a in audits),
        "truncation": fmean(_truncated(a) for a in audits),
    }


def families(docs: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the check families that occur in a dataset, sorted."""
    rubrics = (Rubric.from_row(doc) for doc in docs)
    return tuple(sorted({c.check.name for r in rubrics for c in r.criteria if c.check}))


def pass_key(family: str) -> str:
    """Return the name of a family's pass rate."""
    return f"pass_rate/{family}"


def pass_rates(results: Results, names: Iterable[str]) -> dict[str, float]:
    """Return the pass rate of every family for one document; NaN where it has none known."""
    audits = _audits(results)
    return {
        pass_key(name): _rate(v for a in audits for v in a.verdicts if v.family == name)
        for name in names
    }


def known_mean(values: Sequence[float]) -> float:
    """Return the mean of what is not NaN; NaN if nothing is left."""
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else math.nan


def _audits(results: Results) -> list[Audit]:
    return [Audit.from_json(text) for text in results[0]]


def _rate(verdicts: Iterable[Judged]) -> float:
    return known_mean([_number(v.passed) for v in verdicts])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _truncated(audit: Audit) -> float:
    return float(audit.finish_reason == "length") if audit.finish_reason else math.nan
