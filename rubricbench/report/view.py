"""What the evaluation template shows: charts drawn, samples chosen, words found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from rubricbench.report.bootstrap import RESAMPLES
from rubricbench.report.cards import Card, Group, cards
from rubricbench.report.charts.distribution import Histogram, distribution, histogram
from rubricbench.report.charts.legend import bar_key, legend, marker_key, step_key
from rubricbench.report.charts.markers import Style, definitions, styles, swatch
from rubricbench.report.charts.scatter import MOST_TITLES, Cloud, length_axis, scatter
from rubricbench.report.charts.tracks import RATE_SCALE, Mark, axis, score_scale, track
from rubricbench.report.formats import decimal, plural
from rubricbench.report.model import Kind, ReportData, Responder, SampleView, VerdictView
from rubricbench.report.prose import family_remarks, length_remarks, opening
from rubricbench.report.settings import flatten
from rubricbench.report.summary import FEW_PROMPTS, FamilyRow, Summary, summarise
from rubricbench.report.svg import Scale
from rubricbench.schema import Status

NAMED = 5  # families listed by name in a sentence
GROUPS = {
    Group.LOWEST: ("Lowest", "Lowest scores"),
    Group.HIGHEST: ("Highest", "Highest scores"),
    Group.MIDDLE: ("Between", "Scores between"),
}


@dataclass(frozen=True)
class _View:
    """The parts every section draws from."""

    data: ReportData
    summary: Summary
    styles: Mapping[str, Style]
    scale: Scale

    def samples(self, responder: Responder) -> list[SampleView]:
        return [s for s in self.data.samples if s.responder == responder.name]


def evaluation_context(data: ReportData) -> dict[str, Any]:
    """Return the context of the evaluation template."""
    data = data.ordered()
    summary = summarise(data)
    view = _View(data, summary, styles(data.responders), score_scale(data.samples))
    subjects = [r for r in summary.responders if r.responder in summary.subjects]
    return {
        "data": data,
        "summary": summary,
        "subjects": subjects,
        "baselines": [r for r in data.responders if r not in summary.subjects],
        "opening": opening(summary),
        "family_remarks": family_remarks(summary),
        "length_remarks": length_remarks(summary),
        "resamples": RESAMPLES,
        "roles": {r.name: r.kind.value for r in data.responders},
        "styles": view.styles,
        "swatches": {name: swatch(style) for name, style in view.styles.items()},
        "definitions": definitions(),
        "two": partial(decimal, places=2),
        **_results(view),
        **_families(view),
        **_distributions(view),
        **_lengths(view),
        **_samples(view),
        "settings": [
            ("Configuration", list(flatten(data.configuration))),
            ("Versions", list(flatten(data.versions))),
        ],
    }


def _results(view: _View) -> dict[str, Any]:
    return {
        "score_axis": axis(view.scale),
        "score_tracks": [
            track(view.scale, [Mark(r.mean, view.styles[r.responder.name])])
            for r in view.summary.responders
        ],
    }


def _families(view: _View) -> dict[str, Any]:
    floors = [r for r in view.data.responders if r.kind is Kind.FLOOR]
    floors = [r for r in floors if r not in view.summary.subjects]
    subjects = view.summary.subjects
    return {
        "few_prompts": FEW_PROMPTS,
        "family_columns": 4 + len(view.data.responders) + (len(subjects) == 1),
        "rate_axis": axis(RATE_SCALE, percent=True),
        "family_tracks": [_family(view, row, floors) for row in view.summary.families],
        "family_legend": legend(
            [(bar_key(view.styles[r.name]), f"{r.name}, 95% interval") for r in subjects]
            + [(marker_key(view.styles[r.name]), r.name) for r in floors]
        ),
        "ceiling_note": _ceiling_note(view),
    }


def _family(view: _View, row: FamilyRow, floors: Sequence[Responder]) -> Markup:
    bars = [
        Mark(row.rates[r.name], view.styles[r.name], bar=True)
        for r in view.summary.subjects
        if r.name in row.rates
    ]
    points = [
        Mark(row.rates[r.name], view.styles[r.name], whisker=False)
        for r in floors
        if r.name in row.rates
    ]
    return track(RATE_SCALE, [*bars, *points])


def _ceiling_note(view: _View) -> str:
    """Say whether the ceiling is one: a family it fails cannot be told from a broken check."""
    notes = []
    for r in view.data.responders:
        if r.kind is not Kind.CEILING or r in view.summary.subjects:
            continue
        rates = [(row.family, row.rates.get(r.name)) for row in view.summary.families]
        short = [family for family, rate in rates if rate and rate.low < 1]
        if short:
            named = ", ".join(short[:NAMED]) + (", …" if len(short) > NAMED else ".")
            where = plural(len(short), "family", "families")
            notes.append(f"The ceiling, {r.name}, falls short in {where}: {named}")
        else:
            notes.append(f"The ceiling, {r.name}, passes every criterion.")
    return " ".join(notes)


@dataclass(frozen=True)
class _Distribution:
    name: str
    found: Histogram
    drawing: Markup


def _distributions(view: _View) -> dict[str, Any]:
    shown = []
    for i, r in enumerate(view.summary.responders):
        name = r.responder.name
        found = histogram(view.scale, view.samples(r.responder))
        drawing = distribution(
            view.scale, found, r.mean, view.styles[name], name=name, anchor=f"distribution-{i}"
        )
        shown.append(_Distribution(name, found, drawing))
    edges = shown[0].found.edges
    return {
        "histograms": shown,
        "histogram_rows": [
            (edges[i], edges[i + 1], [item.found.counts[i] for item in shown])
            for i in range(len(edges) - 1)
        ],
    }


def _lengths(view: _View) -> dict[str, Any]:
    bins = {relation.responder.name: relation.bins for relation in view.summary.lengths}
    behind = [r for r in view.data.responders if r not in view.summary.subjects]
    clouds = []
    for r in (*behind, *view.summary.subjects):
        samples = view.samples(r)
        titled = r in view.summary.subjects and len(samples) <= MOST_TITLES
        clouds.append(Cloud(view.styles[r.name], samples, bins.get(r.name, ()), titled))
    subjects = view.summary.subjects
    whose = f" of {subjects[0].name}" if len(subjects) == 1 else ""
    return {
        "scatter": scatter(view.scale, clouds, anchor="length-score"),
        "length_label": "words, logarithmic scale"
        if length_axis(view.data.samples).logarithmic
        else "words",
        "scatter_legend": legend(
            [
                *((marker_key(view.styles[r.name]), r.name) for r in view.data.responders),
                (step_key(view.styles[subjects[0].name]), f"mean{whose} by quarter of length"),
            ]
        ),
    }


@dataclass(frozen=True)
class _CardGroup:
    name: str
    label: str
    heading: str
    cards: tuple[Card, ...]


def _samples(view: _View) -> dict[str, Any]:
    shown = cards(view.data, view.summary.subjects)
    families = sorted({family for card in shown for family in card.failed})
    index = {family: str(i) for i, family in enumerate(families)}
    groups = [
        _CardGroup(group.value, *names, tuple(c for c in shown if c.group is group))
        for group, names in GROUPS.items()
    ]
    names = {r.name for r in view.summary.subjects}
    return {
        "cards": shown,
        "groups": [group for group in groups if group.cards],
        "subject_samples": sum(s.responder in names for s in view.data.samples),
        "failed_families": families,
        "failed_index": lambda card: " ".join(index[family] for family in card.failed),
        "verdict_words": verdict_words,
    }


def verdict_words(verdict: VerdictView) -> str:
    """Put a verdict into words, so that a penalty is not mistaken for a merit."""
    if verdict.status is Status.UNKNOWN:
        return f"unknown ({verdict.cause})" if verdict.cause else "unknown"
    words = verdict.status.value
    if verdict.weight < 0:
        words = "penalty avoided" if verdict.passed else "penalty incurred"
    return words if verdict.p_met is None else f"{words} (p = {decimal(verdict.p_met, 2)})"
