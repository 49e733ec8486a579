"""The page of ``analyze rubric``."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from rubricbench.analyze.rubric import CriterionGroup, Pair, RubricRecord
from rubricbench.figures.blocks import (
    cautions_list,
    cell,
    figure_block,
    matrix,
    reasons_list,
    results_table,
)
from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.metrics.criteria import NEED_GOLD
from rubricbench.report.page import render_page

STYLES = ("evaluation.css", "figures.css")
MOST_ROWS = 60  # of a table of the page; the others are in rubric.json
MOST_DRAWN = 25
NAMES = {
    "weight_share": "Weight share",
    "met": "Met",
    "saturated": "Saturated",
    "discrimination": "Discrimination",
    "item_rest": "Item-rest",
    "item_gold": "Item-gold",
    "largest_phi": "Largest φ",
    "tail_information": "Tail information",
    "adds_tail_accuracy": "Adds tail accuracy",
    "adds_spearman": "Adds Spearman",
}
WHOLE_NAMES = {
    "criteria": "Criteria a prompt",
    "saturated_weight": "Share of the weight that ranks no response",
    "mean_phi": "Mean φ between criteria",
    "effective_criteria": "Effective number of criteria",
    "tail_accuracy": "Tail accuracy of the rubric",
    "spearman": "Spearman of the rubric with gold",
}


def render_rubric(record: RubricRecord) -> str:
    """Return the page: one self-contained file; the same record gives the same bytes."""
    context = {
        "title": "What the criteria do",
        "record": record,
        "shown": min(len(record.groups), MOST_ROWS),
        "whole": results_table(
            record.whole.values(),
            caption="The rubrics as they are",
            anchor="whole",
            names=WHOLE_NAMES,
        ),
        "cautions": cautions_list([("", c) for c in record.cautions], anchor="all"),
        "figures": [figure_block(f, anchor=f.name.replace("_", "-")) for f in figures(record)],
        "groups": _groups(record),
        "pairs": _pairs(record.pairs),
    }
    return render_page("analyze_rubric.html", context, styles=STYLES)


def columns(record: RubricRecord) -> list[str]:
    """Return the figures of a group that are shown: without gold, some are not there."""
    return [name for name in NAMES if record.has_gold or name not in NEED_GOLD]


def figures(record: RubricRecord) -> list[Figure]:
    """Return the charts: how often criteria are met, and what they tell apart."""
    wanted = ["met", "discrimination"]
    if record.has_gold:
        wanted += ["tail_information", "adds_tail_accuracy"]
    found = [_figure(record.groups[:MOST_DRAWN], name) for name in wanted]
    return [figure for figure in found if figure is not None]


_CAPTIONS = {
    "met": "Mean credit of the responses (of penalties: one less it). At 0 or 1 it ranks none.",
    "discrimination": "Mean credit of the top 27% of a prompt's responses less of the bottom 27%.",
    "tail_information": "Mean credit of excellent less of great responses, by gold.",
    "adds_tail_accuracy": "Tail accuracy of the rubric less of the rubric without these criteria, "
    "one at a time.",
}


def _figure(groups: Sequence[CriterionGroup], name: str) -> Figure | None:
    known = [g for g in groups if g.figures[name].estimate is not None]
    if not known:
        return None
    results = [g.figures[name] for g in known]
    return Figure(
        name=f"criteria_{name}",
        title=NAMES[name],
        caption=(
            f"{_CAPTIONS[name]} Those of most weight, with {100 * results[0].level:g}% intervals "
            "over prompts."
        ),
        x=Axis(label="criteria"),
        y=Axis(label=NAMES[name].lower(), percent=name == "met"),
        series=(
            Series(
                name=NAMES[name],
                x=[float(i) for i in range(len(results))],
                y=[r.estimate for r in results],
                low=[r.low for r in results],
                high=[r.high for r in results],
                kind="points",
            ),
        ),
        categories=tuple((g.text or g.name)[:60] for g in known),
    )


def _groups(record: RubricRecord) -> Markup:
    names = columns(record)
    rows = [
        (
            Markup(),
            f"{group.text or group.name} ({group.prompts:,})",
            [cell(group.figures[name]) for name in names],
        )
        for group in record.groups[:MOST_ROWS]
    ]
    heads = ("Criteria (prompts)", *(NAMES[name] for name in names))
    table = matrix(rows, caption="Criteria, by their weight", heads=heads, anchor="groups-table")
    named = [
        ((NAMES[name], group.text or group.name), group.figures[name])
        for group in record.groups[:MOST_ROWS]
        for name in names
    ]
    return table + cautions_list(named, anchor="groups") + reasons_list(named, anchor="groups")


def _pairs(pairs: Sequence[Pair]) -> Markup:
    rows = [(Markup(), f"{p.a} and {p.b}", [cell(p.phi)]) for p in pairs[:MOST_ROWS]]
    heads = ("Pair", "φ")
    return matrix(rows, caption="Verdicts that go together", heads=heads, anchor="pairs-table")


def headlines(record: RubricRecord) -> list[str]:
    """Return the analysis in a few lines, for a terminal."""
    lines = [
        f"{record.responses:,} responses to {record.prompts:,} prompts, {record.left_out:,} left "
        f"out; criteria by {record.by}"
    ]
    for name, result in record.whole.items():
        if result.estimate is not None:
            ends = f" [{result.low:.3f}, {result.high:.3f}]" if result.interval else ""
            lines.append(f"  {WHOLE_NAMES[name]}: {result.estimate:.3f}{ends}")
    saturated = [g for g in record.groups if (g.figures["saturated"].estimate or 0) > 0.9]
    if saturated:
        share = len(saturated) / len(record.groups)
        lines.append(f"  {share:.0%} of the groups rank no response in nine prompts of ten")
    return lines
