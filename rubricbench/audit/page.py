"""The page of an audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from rubricbench.audit.figures import figures
from rubricbench.audit.run import AuditRecord
from rubricbench.figures.blocks import (
    cautions_list,
    cell,
    figure_block,
    label,
    matrix,
    reasons_list,
    results_table,
    swatch,
    verdict,
)
from rubricbench.metrics.equal_kl import Comparison
from rubricbench.metrics.result import Caution, Result, walk
from rubricbench.metrics.safe_kl import SafeKl
from rubricbench.overopt.document import Contrast, SampleStudy
from rubricbench.overopt.page.page import WORDS
from rubricbench.report.formats import decimal
from rubricbench.report.page import render_page

STYLES = ("evaluation.css", "figures.css")


def render_audit(record: AuditRecord) -> str:
    """Return the page: one self-contained file; the same record gives the same bytes."""
    return render_page("audit.html", _context(record), styles=STYLES)


def _context(record: AuditRecord) -> dict[str, Any]:
    studies = record.document.samples
    return {
        "title": record.document.title,
        "pool": record.pool,
        "rewards": record.rewards,
        "settings": record.document.provenance,
        "verdicts": [_verdict(study, i) for i, study in enumerate(studies)],
        "safe": _safe(studies, 100 * record.document.provenance.level),
        "figures": [_figure(figure, studies) for figure in figures(studies)],
        "tails": _tails(studies),
        "cautions": [_cautions(study, i) for i, study in enumerate(studies)],
        "comparison": _compared(record.comparison),
        "contrasts": _contrasts(record.document.contrasts),
        "details": [(s.arm, _details(s, i)) for i, s in enumerate(studies)],
    }


def _verdict(study: SampleStudy, style: int) -> Markup:
    word, tone = WORDS[study.verdict.outcome]
    return verdict(
        study.verdict.headline,
        [study.verdict.text],
        tone=tone,
        word=word,
        name=study.arm,
        style=style,
    )


def _safe(studies: tuple[SampleStudy, ...], level: float) -> Markup:
    rows, named = [], []
    for i, study in enumerate(studies):
        for kind, safe in (("tilt", study.safe_tilt), ("best of n", study.safe_best_of_n)):
            if safe is None:
                continue
            name = f"{study.arm}, {kind}"
            rows.append((swatch(i), name, list(_safe_cells(safe))))
            named.append((name, safe.largest))
    heads = ("Reward", "Largest safe KL", "Rises up to", "Decline proven from", "Drop", "Range")
    caption = (
        f"Largest safe KL, in nats. Intervals of {50 + level / 2:g}%, {level:g}% for both ways"
    )
    table = matrix(rows, caption=caption, heads=heads, anchor="safe-table")
    return table + cautions_list(named, anchor="safe")


def _safe_cells(safe: SafeKl) -> Iterator[Markup]:
    for result in (safe.largest, safe.safe_up_to, safe.onset, safe.drop):
        yield cell(result)
    yield Markup(decimal(safe.range_end, 2))


def _figure(figure: Any, studies: tuple[SampleStudy, ...]) -> Markup:
    named: list[tuple[str, Result | Caution]] = []
    if figure.name == "tail_accuracy":
        named = [(s.arm, s.tail.accuracy) for s in studies]
    return figure_block(figure, anchor=figure.name.replace("_", "-"), named=named)


def _tails(studies: tuple[SampleStudy, ...]) -> Markup:
    rows, named = [], []
    for i, s in enumerate(studies):
        found = {
            "Tail accuracy": s.tail.accuracy,
            "Ties as wrong": s.tail.ties_as_wrong,
            "Tie rate": s.tail.tie_rate,
            "Spearman": s.rank.overall,
            "Spearman in the top decile": s.rank.top,
        }
        rows.append((swatch(i), s.arm, [cell(r) for r in found.values()]))
        named += [((head, s.arm), r) for head, r in found.items()]
    heads = ("Reward", *dict.fromkeys(head for (head, _), _ in named))
    table = matrix(rows, caption="How rewards rank responses", heads=heads, anchor="tails")
    return table + cautions_list(named, anchor="tails") + reasons_list(named, anchor="tails")


def _cautions(study: SampleStudy, number: int) -> Markup:
    return cautions_list([(study.arm, c) for c in study.cautions], anchor=f"study-{number}")


def _compared(comparison: Comparison | None) -> Markup:
    if comparison is None:
        return Markup()
    # At 0 nothing is optimised, and the grid goes further than most pools do.
    shown = [
        i
        for i in range(len(comparison.kl))
        if comparison.kl[i] > 0
        and any(results[i].estimate is not None for results in comparison.gold.values())
    ]
    heads = ["KL, nats", *(f"{comparison.kl[i]:g}" for i in shown)]
    arms = [
        (swatch(number), name, [cell(results[i]) for i in shown])
        for number, (name, results) in enumerate(comparison.gold.items())
    ]
    pairs = [
        (Markup(), name, [cell(results[i]) for i in shown])
        for name, results in comparison.differences.items()
    ]
    caption = "Gold reward where every prompt is tilted to the same KL"
    table = matrix([*arms, *pairs], caption=caption, heads=heads, anchor="equal-kl")
    named: list[tuple[str, Result | Caution]] = [("", c) for c in comparison.cautions]
    both = (*comparison.gold.items(), *comparison.differences.items())
    named += [(name, results[i]) for name, results in both for i in shown]
    return table + cautions_list(named, anchor="compared")


def _contrasts(contrasts: tuple[Contrast, ...]) -> Markup:
    rows = [
        (
            Markup(),
            f"{label(c.metric)}: {c.a} less {c.b}",
            [cell(c.difference), _p_value(c.p_holm)],
        )
        for c in contrasts
    ]
    caption = "Differences, paired on prompts; p by Holm over all of them"
    heads = ("Figure", "Difference", "p (Holm)")
    table = matrix(rows, caption=caption, heads=heads, anchor="contrasts")
    named = [((label(c.metric), f"{c.a} less {c.b}"), c.difference) for c in contrasts]
    return (
        table + cautions_list(named, anchor="contrasts") + reasons_list(named, anchor="contrasts")
    )


def _p_value(p: float | None) -> Markup:
    if p is None:
        return Markup("–")
    return Markup("&lt; 0.001") if p < 0.001 else Markup(decimal(p, 3))


def _details(study: SampleStudy, number: int) -> Markup:
    anchor = f"details-{number}"
    return (
        results_table(
            [r for p in study.tilt for r in (p.kl, p.gold, p.proxy, p.ess)],
            caption="Tilt, from weak to strong",
            anchor=f"{anchor}-tilt",
        )
        + results_table(
            [r for p in study.best_of_n for r in (p.kl, p.gold, p.proxy)],
            caption="Best of n",
            anchor=f"{anchor}-bon",
        )
        + results_table(
            [study.base, *walk(study.tail), *walk(study.rank), *study.agreement, *study.lengths],
            caption="Ranking, agreement and length",
            anchor=f"{anchor}-rank",
        )
    )
