"""The certificate as a page: what it says in words, tables and charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from rubricbench.certify.certificate import (
    Certificate,
    CorrectionCheck,
    Group,
    Groups,
    VariantCertificate,
)
from rubricbench.certify.measure import Measure
from rubricbench.certify.page.plots import mark, reliability_plot, style
from rubricbench.report.charts.legend import legend, marker_key
from rubricbench.report.charts.markers import Style, definitions, swatch
from rubricbench.report.charts.tracks import RATE_SCALE, Mark, axis, track
from rubricbench.report.formats import DASH, decimal, percent, signed, span
from rubricbench.report.page import render_page
from rubricbench.report.settings import flatten
from rubricbench.report.svg import Scale, nice_scale
from rubricbench.runs.files import atomic_write

NAME_CHARS = 80
MOST_ROWS = 60  # tags or criteria in a table; the others are in certificate.json
FOUND, PASSED = Style("circle", "tone-model-1"), Style("diamond", "tone-floor-1")
JUDGED, CORRECTED, TRUE = (
    Style("triangle", "tone-floor-1"),
    Style("circle", "tone-model-1"),
    Style("diamond", "tone-ceiling-1"),
)


def write_certificate_report(certificate: Certificate, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        RunError: it cannot be written.
    """
    atomic_write(path, render_certificate(certificate).encode("utf-8"))


def render_certificate(certificate: Certificate) -> str:
    """Return the page: the same certificate gives the same bytes."""
    return render_page(
        "certificate.html", _context(certificate), styles=("evaluation.css", "certificate.css")
    )


def _context(certificate: Certificate) -> dict[str, Any]:
    certificate = _clipped(certificate)
    variants = certificate.variants
    styles = [style(i) for i in range(len(variants))]
    return {
        "source": certificate.source,
        "title": _title(variants),
        "variants": variants,
        "swatches": [swatch(styled) for styled in styles],
        "tones": [styled.tone for styled in styles],
        "definitions": definitions(),
        "value": value,
        "ends": ends,
        "signed_form": signed,
        "percent_form": percent,
        "two": lambda number: decimal(number, 2),
        "rate_axis": axis(RATE_SCALE, percent=True),
        "overview": [_overview(variant) for variant in variants],
        "openings": [_opening(variant) for variant in variants],
        "rates_legend": legend(
            [
                (marker_key(FOUND), "sensitivity: of what is met, the share found met"),
                (marker_key(PASSED), "specificity: of what is not, the share found unmet"),
            ]
        ),
        "details": [_details(variant, i) for i, variant in enumerate(variants)],
        "corrections_legend": legend(
            [
                (marker_key(JUDGED), "judged"),
                (marker_key(CORRECTED), "corrected"),
                (marker_key(TRUE), "reference"),
            ]
        ),
        "settings": [
            (variant.asked.variant, list(flatten(variant.asked.identity))) for variant in variants
        ],
    }


def _clipped(certificate: Certificate) -> Certificate:
    """Return the certificate with names cut to what a table can hold; all is in the JSON."""
    replace = msgspec.structs.replace
    source = replace(certificate.source, name=short(certificate.source.name))
    variants = []
    for variant in certificate.variants:
        asked = replace(
            variant.asked, variant=short(variant.asked.variant), judge=short(variant.asked.judge)
        )
        checks = [replace(c, part=short(c.part)) for c in variant.corrections]
        variants.append(replace(variant, asked=asked, corrections=checks))
    return replace(certificate, source=source, variants=variants)


def short(name: str) -> str:
    """Return a name cut to `NAME_CHARS`, with a sign where it was."""
    return name if len(name) <= NAME_CHARS else name[: NAME_CHARS - 1] + "…"


def _title(variants: list[VariantCertificate]) -> str:
    judges = list(dict.fromkeys(v.asked.judge or v.asked.variant for v in variants))
    return "Certificate of " + ", ".join(judges)


def value(measure: Measure, form: Any = decimal) -> str:
    """Return a measure's value as text, a dash where there is none."""
    return DASH if measure.value is None else str(form(measure.value))


def ends(measure: Measure, form: Any = decimal) -> str:
    """Return a measure's interval as text, a dash where there is none."""
    return DASH if measure.interval is None else span(*measure.interval, form)


def _overview(variant: VariantCertificate) -> Markup:
    return _rates(variant.agreement)


def _rates(agreement: dict[str, Measure]) -> Markup:
    marks = [
        mark(agreement["sensitivity"], FOUND),
        mark(agreement["specificity"], PASSED),
    ]
    return track(RATE_SCALE, [m for m in marks if m is not None])


def _opening(variant: VariantCertificate) -> str:
    """Put the main figures into a sentence or two."""
    found = variant.agreement
    text = (
        f"Of what the reference calls met, it finds {value(found['sensitivity'], percent)}; of "
        f"what is not met, it passes {value(_missed(found['specificity']), percent)}."
    )
    bias = variant.scores.bias
    if bias.value is None:
        return text
    if bias.interval and bias.interval[0] <= 0 <= bias.interval[1]:
        lean = "Its mean score is not distinguishable from that of the references"
    else:
        lean = f"Its scores are too {'high' if bias.value > 0 else 'low'} on average"
    return f"{text} {lean}: {value(bias, signed)} ({ends(bias, signed)})."


def _missed(specificity: Measure) -> Measure:
    return Measure(None if specificity.value is None else 1 - specificity.value)


def _details(variant: VariantCertificate, number: int) -> dict[str, Any]:
    scale = _score_scale(variant.corrections)
    return {
        "by_tag": _rows(variant.by_tag),
        "by_criterion": _rows(variant.by_criterion),
        "reliability": variant.reliability
        and reliability_plot(
            variant.reliability.bins, style(number), anchor=f"reliability-{number}"
        ),
        "correction_axis": axis(scale),
        "correction_tracks": [_correction(scale, check) for check in variant.corrections],
    }


def _rows(groups: Groups) -> list[tuple[Group, Markup]]:
    return [(group, _rates(group.agreement)) for group in groups.shown[:MOST_ROWS]]


def _score_scale(checks: list[CorrectionCheck]) -> Scale:
    ends_of = [
        end
        for check in checks
        for m in (check.judged, check.corrected, check.reference)
        for end in (*(m.interval or ()), m.value)
        if end is not None
    ]
    return nice_scale(min([0.0, *ends_of]), max([1.0, *ends_of]))


def _correction(scale: Scale, check: CorrectionCheck) -> Markup:
    marks: list[Mark | None] = [
        mark(check.judged, JUDGED),
        mark(check.corrected, CORRECTED),
        mark(check.reference, TRUE),
    ]
    return track(scale, [m for m in marks if m is not None])
