"""The statistics of an evaluation report, computed from its samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rubricbench.report.bootstrap import Estimate, Resamples, Tally
from rubricbench.report.model import Kind, ReportData, Responder, SampleView, VerdictView

QUARTILES = 4
FEW_PROMPTS = 5  # a family seen in fewer prompts is listed apart: its rate is mostly chance


@dataclass(frozen=True)
class Difference:
    """A model's mean score minus a baseline's, on the prompts both answered.

    Args:
        baseline: the responder subtracted.
        estimate: the difference, paired by prompt; None if no prompt is shared.
    """

    baseline: Responder
    estimate: Estimate | None


@dataclass(frozen=True)
class ResponderSummary:
    """What one responder's samples add up to.

    Args:
        responder: whose samples.
        samples: how many.
        prompts: how many prompts they answer.
        mean: mean score.
        all_met: share of samples in which every criterion passed.
        satisfied: share of criteria that passed.
        coverage: mean share of the absolute weight whose verdict is known.
        causes: unknown verdicts by cause, most frequent first.
        median_words: median length.
        truncated: samples that ended at the token limit; None where no sample says how it ended.
        blank: samples without any visible text.
        differences: this mean minus each baseline's; only for models.
    """

    responder: Responder
    samples: int
    prompts: int
    mean: Estimate
    all_met: Estimate
    satisfied: Estimate
    coverage: float
    causes: Mapping[str, int]
    median_words: float
    truncated: int | None
    blank: int
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class FamilyRow:
    """The pass rates of one family of criteria.

    Args:
        family: its name.
        criteria: number of criteria of this family over the distinct prompts.
        prompts: number of prompts that have one.
        rates: pass rate by responder name.
    """

    family: str
    criteria: int
    prompts: int
    rates: Mapping[str, Estimate]

    @property
    def rare(self) -> bool:
        """Whether too few prompts have it for its rate to mean much."""
        return self.prompts < FEW_PROMPTS


@dataclass(frozen=True)
class LengthBin:
    """A quarter of the samples by length.

    Args:
        shortest: fewest words in it.
        longest: most words in it.
        samples: how many.
        mean: their mean score.
    """

    shortest: int
    longest: int
    samples: int
    mean: Estimate


@dataclass(frozen=True)
class LengthRelation:
    """How score and length go together among one responder's samples with a known score.

    Args:
        responder: whose samples.
        correlation: Spearman's rank correlation; None where length or score is constant.
        bins: quarters by length, shortest first; equal lengths stay together.
        left_out: samples without a value.
    """

    responder: Responder
    correlation: Estimate | None
    bins: tuple[LengthBin, ...]
    left_out: int


@dataclass(frozen=True)
class Summary:
    """All statistics of a report.

    Args:
        responders: one summary each, in the report's order.
        families: best first, by the first subject's pass rate; rare ones after all others.
        lengths: one per subject.
        subjects: the responders the report is about: the models, or all where there is no model.
    """

    responders: tuple[ResponderSummary, ...]
    families: tuple[FamilyRow, ...]
    lengths: tuple[LengthRelation, ...]
    subjects: tuple[Responder, ...]

    def of(self, responder: Responder) -> ResponderSummary:
        """Return one responder's summary."""
        return next(r for r in self.responders if r.responder == responder)


def summarise(data: ReportData) -> Summary:
    """Compute the statistics of a report."""
    data = data.ordered()
    resamples = Resamples((s.prompt_id for s in data.samples), seed=data.seed)
    by_name = _by_responder(data)
    models = tuple(r for r in data.responders if r.kind is Kind.MODEL)
    subjects = models or data.responders
    scores = {name: _score_tally(resamples, samples) for name, samples in by_name.items()}
    return Summary(
        responders=tuple(
            _responder(data, r, by_name[r.name], resamples, scores) for r in data.responders
        ),
        families=_families(by_name, resamples, subjects[0]),
        lengths=tuple(_length(r, by_name[r.name], resamples) for r in subjects),
        subjects=subjects,
    )


def _by_responder(data: ReportData) -> dict[str, list[SampleView]]:
    groups: dict[str, list[SampleView]] = {r.name: [] for r in data.responders}
    for sample in data.samples:
        groups[sample.responder].append(sample)
    return groups


def _score_tally(resamples: Resamples, samples: Sequence[SampleView]) -> Tally:
    return resamples.tally((s.prompt_id, s.low, s.high) for s in samples)


def _decided(outcome: bool | None) -> tuple[float, float]:
    """Return the low and high value of a yes-or-no outcome that may be unknown."""
    return (0.0, 1.0) if outcome is None else (float(outcome), float(outcome))


def _responder(
    data: ReportData,
    responder: Responder,
    samples: Sequence[SampleView],
    resamples: Resamples,
    scores: Mapping[str, Tally],
) -> ResponderSummary:
    all_met = resamples.tally((s.prompt_id, *_decided(s.all_passed)) for s in samples)
    criteria = resamples.tally(
        (s.prompt_id, *_decided(v.passed)) for s in samples for v in s.verdicts
    )
    causes = Counter(str(v.cause) for s in samples for v in s.verdicts if v.cause is not None)
    endings = [s.finish_reason for s in samples if s.finish_reason]
    baselines = [r for r in data.responders if r.kind is not Kind.MODEL]
    return ResponderSummary(
        responder=responder,
        samples=len(samples),
        prompts=len({s.prompt_id for s in samples}),
        mean=resamples.mean(scores[responder.name]),
        all_met=resamples.mean(all_met, proportion=True),
        satisfied=resamples.mean(criteria, proportion=True),
        coverage=float(np.mean([s.coverage for s in samples])),
        causes=dict(sorted(causes.items(), key=lambda item: (-item[1], item[0]))),
        median_words=float(np.median([s.words for s in samples])),
        truncated=endings.count("length") if endings else None,
        blank=sum(not s.response.strip() for s in samples),
        differences=tuple(
            Difference(b, resamples.difference(scores[responder.name], scores[b.name]))
            for b in baselines
        )
        if responder.kind is Kind.MODEL
        else (),
    )


def _families(
    by_name: Mapping[str, Sequence[SampleView]], resamples: Resamples, subject: Responder
) -> tuple[FamilyRow, ...]:
    verdicts: dict[str, dict[str, list[tuple[str, VerdictView]]]] = {}
    for name, samples in by_name.items():
        for sample in samples:
            for v in sample.verdicts:
                if v.family:
                    cell = verdicts.setdefault(v.family, {}).setdefault(name, [])
                    cell.append((sample.prompt_id, v))
    rows = [_family_row(family, cells, resamples) for family, cells in verdicts.items()]

    def rank(row: FamilyRow) -> tuple[bool, bool, float, str]:
        rate = row.rates.get(subject.name)
        return (row.rare, rate is None, -(rate.low + rate.high) if rate else 0.0, row.family)

    return tuple(sorted(rows, key=rank))


def _family_row(
    family: str, cells: Mapping[str, list[tuple[str, VerdictView]]], resamples: Resamples
) -> FamilyRow:
    rates = {
        name: resamples.mean(
            resamples.tally((prompt, *_decided(v.passed)) for prompt, v in found), proportion=True
        )
        for name, found in cells.items()
    }
    distinct = {(prompt, v.criterion) for found in cells.values() for prompt, v in found}
    return FamilyRow(family, len(distinct), len({prompt for prompt, _ in distinct}), rates)


def _length(
    responder: Responder, samples: Sequence[SampleView], resamples: Resamples
) -> LengthRelation:
    known = [(s, s.value) for s in samples if s.value is not None]
    known.sort(key=lambda pair: pair[0].words)
    correlation = None
    if known:
        correlation = resamples.rank_correlation(
            [s.prompt_id for s, _ in known],
            [float(s.words) for s, _ in known],
            [value for _, value in known],
        )
    return LengthRelation(
        responder=responder,
        correlation=correlation,
        bins=tuple(_length_bin(part, resamples) for part in _quarters([s for s, _ in known])),
        left_out=len(samples) - len(known),
    )


def _quarters(ordered: Sequence[SampleView]) -> list[list[SampleView]]:
    """Split samples sorted by length into up to four parts without parting equal lengths."""
    words = np.array([s.words for s in ordered])
    cuts = [0]
    for q in range(1, QUARTILES):
        at = round(len(ordered) * q / QUARTILES)
        if at < len(ordered):
            cuts.append(int(np.searchsorted(words, words[at], side="left")))
    edges = sorted({*cuts, len(ordered)})
    return [list(ordered[a:b]) for a, b in pairwise(edges)]


def _length_bin(part: Sequence[SampleView], resamples: Resamples) -> LengthBin:
    return LengthBin(
        shortest=part[0].words,
        longest=part[-1].words,
        samples=len(part),
        mean=resamples.mean(_score_tally(resamples, part)),
    )
