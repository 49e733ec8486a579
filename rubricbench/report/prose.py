"""What the numbers say, in sentences: no more than they support."""

from __future__ import annotations

from collections.abc import Iterator

from rubricbench.report.bootstrap import Estimate
from rubricbench.report.formats import decimal, interval, percent, plural, point
from rubricbench.report.model import Kind
from rubricbench.report.summary import Difference, FamilyRow, ResponderSummary, Summary

FEW_PROMPTS = 5  # a family seen in fewer prompts is not named as best or worst
NAMED_FAMILIES = 2


def sentences(summary: Summary) -> list[str]:
    """Return the report's opening paragraph, one sentence per entry."""
    said: list[str] = []
    for found in summary.responders:
        if found.responder in summary.subjects:
            said.extend(_subject(found, summary))
    said.extend(_length(summary))
    said.extend(_families(summary))
    return said


def _subject(found: ResponderSummary, summary: Summary) -> Iterator[str]:
    yield _mean(found)
    yield from _against(found, summary)
    yield _all_met(found)
    yield _coverage(found)
    if found.truncated:
        yield (
            f"{found.truncated:,} of its {plural(found.samples, 'response')} stopped at the token "
            "limit."
        )
    if found.blank and found.responder.kind is Kind.MODEL:
        yield f"{found.blank:,} of its {plural(found.samples, 'response')} had no text."


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
    floors = [d for d in found.differences if d.baseline.kind is Kind.FLOOR and d.estimate]
    if floors:
        strongest = max(floors, key=lambda d: summary.of(d.baseline).mean.low)
        kind = "the strongest floor" if len(floors) > 1 else "the floor"
        yield f"{_difference(strongest)} {kind}, {_named(strongest, summary)}."
    for ceiling in (d for d in found.differences if d.baseline.kind is Kind.CEILING and d.estimate):
        yield f"{_difference(ceiling)} the ceiling, {_named(ceiling, summary)}."


def _named(difference: Difference, summary: Summary) -> str:
    return f"{difference.baseline.name} ({point(summary.of(difference.baseline).mean)})"


def _difference(difference: Difference) -> str:
    """Put a difference into words that end with a preposition."""
    estimate = difference.estimate
    assert estimate is not None  # the callers have left out baselines without shared prompts
    if estimate.interval is None:
        return f"A difference of {point(estimate)} without an interval separates it from"
    low, high = estimate.interval
    if low > 0:
        return f"That is {point(estimate)} (95% interval {interval(estimate)}) above"
    if high < 0:
        gap = Estimate(
            -estimate.high, -estimate.low, (-high, -low), estimate.method, estimate.prompts, 0
        )
        return f"That is {point(gap)} (95% interval {interval(gap)}) below"
    return (
        f"The data do not separate it (difference {point(estimate)}, 95% interval "
        f"{interval(estimate)}) from"
    )


def _all_met(found: ResponderSummary) -> str:
    rate = found.all_met
    if rate.value is None:
        return (
            f"Between {percent(rate.low)} and {percent(rate.high)} of its responses meet every "
            "criterion."
        )
    number = round(rate.value * rate.items)
    return (
        f"{number:,} of its {plural(rate.items, 'response')} "
        f"{'meets' if number == 1 else 'meet'} every criterion (95% interval "
        f"{interval(rate, percent)})."
        if rate.interval
        else f"{number:,} of its {plural(rate.items, 'response')} meet every criterion."
    )


def _coverage(found: ResponderSummary) -> str:
    unknown = sum(found.causes.values())
    if not unknown:
        return "Every verdict is known."
    causes = ", ".join(f"{cause} {number:,}" for cause, number in found.causes.items())
    return (
        f"{unknown:,} of its {plural(found.satisfied.items, 'verdict')} "
        f"{'is' if unknown == 1 else 'are'} unknown ({causes}), and none of them is counted as "
        f"unmet: coverage is {percent(found.coverage)} of the weight."
    )


def _length(summary: Summary) -> Iterator[str]:
    for relation in summary.lengths:
        rho = relation.correlation
        whose = f" of {relation.responder.name}" if len(summary.lengths) > 1 else ""
        if rho is None or rho.interval is None:
            continue
        figures = f"Spearman {decimal(rho.low, 2)}, 95% interval {interval(rho, _two)}"
        if rho.interval[0] > 0:
            yield f"Longer responses{whose} tended to score higher ({figures})."
        elif rho.interval[1] < 0:
            yield f"Longer responses{whose} tended to score lower ({figures})."
        else:
            yield f"No clear relation of score to length{whose} ({figures})."


def _two(value: float) -> str:
    return decimal(value, 2)


def _families(summary: Summary) -> Iterator[str]:
    subject = summary.subjects[0].name
    known = [
        (row, row.rates[subject].low)
        for row in summary.families
        if row.prompts >= FEW_PROMPTS
        and subject in row.rates
        and row.rates[subject].value is not None
    ]
    if len(known) > 2 * NAMED_FAMILIES:
        best = ", ".join(_rate(row, rate) for row, rate in known[:NAMED_FAMILIES])
        worst = ", ".join(_rate(row, rate) for row, rate in reversed(known[-NAMED_FAMILIES:]))
        whose = f" of {subject}" if len(summary.subjects) > 1 else ""
        yield (
            f"Among families seen in at least {FEW_PROMPTS} prompts, pass rates{whose} are highest "
            f"for {best} and lowest for {worst}."
        )


def _rate(row: FamilyRow, rate: float) -> str:
    return f"{row.family} ({percent(rate)})"
