"""What the numbers say, in sentences: no more than they support."""

from __future__ import annotations

from collections.abc import Iterator

from rubricbench.report.bootstrap import Estimate
from rubricbench.report.formats import decimal, interval, percent, plural, point
from rubricbench.report.model import Kind
from rubricbench.report.summary import (
    FEW_PROMPTS,
    Difference,
    FamilyRow,
    LengthRelation,
    ResponderSummary,
    Summary,
)

NAMED_FAMILIES = 2


def opening(summary: Summary) -> list[str]:
    """Return a paragraph for each subject: score, floor, ceiling, coverage, what went wrong."""
    found = (r for r in summary.responders if r.responder in summary.subjects)
    return [" ".join(_subject(r, summary)) for r in found]


def _subject(found: ResponderSummary, summary: Summary) -> Iterator[str]:
    yield _mean(found)
    yield from _against(found, summary)
    yield _all_met(found)
    yield _coverage(found)
    if found.truncated:
        yield f"{_share(found.truncated, found.samples)} stopped at the token limit."
    if found.blank and found.responder.kind is Kind.MODEL:
        yield f"{_share(found.blank, found.samples)} had no text."


def _mean(found: ResponderSummary) -> str:
    name, mean = found.responder.name, found.mean
    over = f"over {plural(found.prompts, 'prompt')}"
    if found.samples != found.prompts:
        over += f" ({plural(found.samples, 'response')})"
    if mean.value is None:
        return (
            f"The mean score of {name} is unknown: with the verdicts there are, it lies between "
            f"{decimal(mean.low)} and {decimal(mean.high)} {over}{_within(mean)}."
        )
    return f"{name} has a mean score of {decimal(mean.value)} {over}{_within(mean)}."


def _within(estimate: Estimate) -> str:
    if estimate.interval:
        return f" (95% interval {interval(estimate)})"
    return " (one prompt: no interval)" if estimate.prompts == 1 else " (no spread)"


def _against(found: ResponderSummary, summary: Summary) -> Iterator[str]:
    """Compare with the strongest floor and with every ceiling."""

    def mean_low(difference: Difference) -> float:
        return summary.of(difference.baseline).mean.low

    floors = [d for d in found.differences if d.baseline.kind is Kind.FLOOR and d.estimate]
    if floors:
        kind = "the strongest floor" if len(floors) > 1 else "the floor"
        yield from _compared(max(floors, key=mean_low), kind, summary)
    for ceiling in (d for d in found.differences if d.baseline.kind is Kind.CEILING):
        yield from _compared(ceiling, "the ceiling", summary)


def _compared(difference: Difference, kind: str, summary: Summary) -> Iterator[str]:
    estimate, baseline = difference.estimate, difference.baseline
    if estimate is None:
        return
    named = f"{kind}, {baseline.name} ({point(summary.of(baseline).mean)})"
    if estimate.interval is None:
        yield f"It differs from {named} by {point(estimate)}{_within(estimate)}."
    elif estimate.interval[0] > 0:
        yield f"It is {point(estimate)} ({interval(estimate)}) above {named}."
    elif estimate.interval[1] < 0:
        gap = _negated(estimate)
        yield f"It is {point(gap)} ({interval(gap)}) below {named}."
    else:
        yield (
            f"These data do not tell it apart from {named}: the difference is {point(estimate)} "
            f"({interval(estimate)})."
        )


def _negated(estimate: Estimate) -> Estimate:
    low, high = estimate.interval or (0.0, 0.0)
    return Estimate(
        low=-estimate.high,
        high=-estimate.low,
        interval=(-high, -low),
        method=estimate.method,
        prompts=estimate.prompts,
        items=estimate.items,
    )


def _share(number: int, total: int) -> str:
    shown = f"{number:,}" if number else "None"
    return f"{shown} of its {plural(total, 'response')}"


def _all_met(found: ResponderSummary) -> str:
    rate = found.all_met
    if rate.value is None:
        shown = f"Between {percent(rate.low)} and {percent(rate.high)} of its responses meet"
        return f"{shown} every criterion."
    number = round(rate.value * rate.items)
    verb = "meets" if number <= 1 else "meet"
    within = f" ({interval(rate, percent)})" if rate.interval else ""
    return f"{_share(number, rate.items)} {verb} every criterion{within}."


def _coverage(found: ResponderSummary) -> str:
    unknown = sum(found.causes.values())
    if not unknown:
        return "Every verdict is known."
    causes = ", ".join(f"{cause} {number:,}" for cause, number in found.causes.items())
    verb = "is" if unknown == 1 else "are"
    return (
        f"{unknown:,} of its {plural(found.satisfied.items, 'verdict')} {verb} unknown ({causes}) "
        f"and counted neither way: coverage is {percent(found.coverage)} of the weight."
    )


def length_remarks(summary: Summary) -> list[str]:
    """Say, for each subject, whether longer responses score higher."""
    return [_length(relation, summary) for relation in summary.lengths]


def _length(relation: LengthRelation, summary: Summary) -> str:
    rho = relation.correlation
    whose = f" of {relation.responder.name}" if len(summary.lengths) > 1 else ""
    said = f"No rank correlation{whose}: all lengths or all scores are equal."
    if rho is not None:
        figures = f"Spearman’s ρ {decimal(rho.low, 2)}"
        if rho.interval:
            figures += f", 95% interval {interval(rho, lambda value: decimal(value, 2))}"
        said = f"{_tendency(rho, whose)} ({figures}, {plural(rho.items, 'response')})."
    if relation.left_out:
        verb = "is" if relation.left_out == 1 else "are"
        said += f" {plural(relation.left_out, 'response')} without a score {verb} left out."
    return said


def _tendency(rho: Estimate, whose: str) -> str:
    if rho.interval and rho.interval[0] > 0:
        return f"Longer responses{whose} tended to score higher"
    if rho.interval and rho.interval[1] < 0:
        return f"Longer responses{whose} tended to score lower"
    return f"Length and score{whose} show no clear relation"


def family_remarks(summary: Summary) -> list[str]:
    """Name the first subject's best and worst families, and those that a floor passes as often."""
    subject = summary.subjects[0].name
    rated = [(row, rate) for row in summary.families if (rate := row.rates.get(subject))]
    often = [(row, rate.low) for row, rate in rated if rate.value is not None and not row.rare]
    remarks = []
    if len(often) > 2 * NAMED_FAMILIES:
        best = " and ".join(_rate(*entry) for entry in often[:NAMED_FAMILIES])
        worst = " and ".join(_rate(*entry) for entry in reversed(often[-NAMED_FAMILIES:]))
        remarks.append(
            f"{subject} passes {best} most often, {worst} least often, among families seen in at "
            f"least {FEW_PROMPTS} prompts."
        )
    floors = [r.responder.name for r in summary.responders if r.responder.kind is Kind.FLOOR]
    easy = sum(_reached(row, rate.high, floors) for row, rate in rated)
    if easy and subject not in floors:
        verb = "passes" if len(floors) == 1 else "pass"
        which = floors[0] if len(floors) == 1 else " or ".join(floors)
        remarks.append(
            f"In {easy:,} of {plural(len(rated), 'family', 'families')}, {which} {verb} at least "
            "as often as it does, so these say little about it."
        )
    return remarks


def _reached(row: FamilyRow, rate: float, floors: list[str]) -> bool:
    """Whether a floor passes the family at all, and at least at this rate."""
    found = (row.rates[name].low for name in floors if name in row.rates)
    return any(low >= rate and low > 0 for low in found)


def _rate(row: FamilyRow, rate: float) -> str:
    return f"{row.family} ({percent(rate)})"
