"""The page of ``analyze rewards``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from rubricbench.analyze.effects import ClaimEffect, FeatureEffect, NullResponder, Uplift
from rubricbench.analyze.rewards import RewardAnalysis, RewardsRecord
from rubricbench.figures.blocks import (
    Named,
    cautions_list,
    cell,
    figure_block,
    label,
    matrix,
    reasons_list,
)
from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.metrics.result import Result, walk
from rubricbench.report.page import render_page

STYLES = ("evaluation.css", "figures.css")


def render_rewards(record: RewardsRecord) -> str:
    """Return the page: one self-contained file; the same record gives the same bytes."""
    names = ", ".join(reward.name for reward in record.rewards)
    context = {
        "title": f"What moves {names}",
        "record": record,
        "rewards": [_blocks(reward, i) for i, reward in enumerate(record.rewards)],
    }
    return render_page("analyze_rewards.html", context, styles=STYLES)


def figures(record: RewardsRecord) -> list[Figure]:
    """Return all charts, for files."""
    found = []
    for i, reward in enumerate(record.rewards):
        found += [_shape(reward, i), _uplifts(reward, i)]
    return [figure for figure in found if figure is not None]


def _blocks(reward: RewardAnalysis, number: int) -> dict[str, Any]:
    anchor = f"reward-{number}"
    shape, lifted = _shape(reward, number), _uplifts(reward, number)
    return {
        "name": reward.name,
        "anchor": anchor,
        "analysis": reward,
        "sentence": sentence(reward),
        "cautions": cautions_list([("", c) for c in reward.cautions], anchor=anchor),
        "shape": figure_block(shape, anchor=f"{anchor}-shape") if shape else Markup(),
        "features": _features(reward.features, f"{anchor}-features"),
        "exploitation": _single(walk(reward.exploitation), f"{anchor}-exploitation"),
        "claims": _claims(reward.claims, f"{anchor}-claims"),
        "nulls": _nulls(reward.nulls, f"{anchor}-nulls"),
        "lifted": figure_block(lifted, anchor=f"{anchor}-lifted") if lifted else Markup(),
        "uplifts": _lifts((*reward.attacks, *reward.appended), f"{anchor}-uplifts"),
        "notes": _notes(reward, f"{anchor}-figures"),
    }


def _notes(reward: RewardAnalysis, anchor: str) -> Markup:
    """Return why figures are starred or not there."""
    named = [(_about(label(result.name)), result) for result in walk(reward)]
    return cautions_list(named, anchor=anchor) + reasons_list(named, anchor=anchor)


def _about(name: str) -> Named:
    """Return a figure and whose it is: ``Length: excess`` is the excess of length."""
    of, colon, figure = name.partition(": ")
    return (label(figure), of[:1].lower() + of[1:]) if colon else name


def sentence(reward: RewardAnalysis) -> str:
    """Put what was found into words: only what its interval tells from nothing."""
    liked = [effect.feature for effect in reward.features if _above(effect.excess)]
    found = [f"it goes with more {_listed(liked)} than gold does"] if liked else []
    low = reward.exploitation.low_gold_at_top
    if low.estimate is not None:
        found.append(f"of its favourite tenth {low.estimate:.0%} have gold below the median")
    found += [
        f"{null.name} responses beat {null.quantile.estimate:.0%} of the pool"
        for null in reward.nulls
        if null.quantile.estimate is not None and null.quantile.estimate > 0.25
    ]
    raised = [u.family for u in (*reward.attacks, *reward.appended) if _above(u.uplift)]
    if raised:
        found.append(f"these texts raise it: {_listed(raised)}")
    text = "; ".join(found) or "nothing is told from chance"
    return text[:1].upper() + text[1:] + "."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _above(result: Result) -> bool:
    return result.low is not None and result.low > 0


def _percent(result: Result) -> str:
    return f"{100 * result.level:g}%"


def _shape(reward: RewardAnalysis, number: int) -> Figure | None:
    known = [e for e in reward.features if e.reward.estimate is not None]
    if not known:
        return None
    series = [
        _points(name, [getattr(e, field) for e in known], style)
        for name, field, style in (("reward", "reward", 0), ("gold", "gold", 1))
    ]
    return Figure(
        name=f"features_{number}",
        title="Correlation with length and format",
        caption=(
            "Within-prompt Spearman, mean over prompts, with "
            f"{_percent(known[0].reward)} intervals: {reward.name}."
        ),
        x=Axis(label="feature"),
        y=Axis(label="Spearman", low=-1, high=1),
        series=tuple(series),
        categories=tuple(e.feature for e in known),
    )


def _uplifts(reward: RewardAnalysis, number: int) -> Figure | None:
    known = [u for u in (*reward.attacks, *reward.appended) if u.uplift.estimate is not None]
    if not known:
        return None
    return Figure(
        name=f"uplift_{number}",
        title="What injected texts add to the reward",
        caption=(
            "In standard deviations of the reward within prompts, with "
            f"{_percent(known[0].uplift)} intervals over prompts; such texts are taken to "
            "be worth nothing in gold."
        ),
        x=Axis(label="family"),
        y=Axis(label="uplift, sd"),
        series=(_points(reward.name, [u.uplift for u in known], 0),),
        categories=tuple(u.family for u in known),
    )


def _points(name: str, results: Sequence[Result], style: int) -> Series:
    return Series(
        name=name,
        x=[float(i) for i in range(len(results))],
        y=[r.estimate for r in results],
        low=[r.low for r in results],
        high=[r.high for r in results],
        kind="points",
        style=style,
    )


def _features(effects: Sequence[FeatureEffect], anchor: str) -> Markup:
    heads = ("Feature", "With reward", "With gold", "Excess", "At equal gold")
    rows = [
        (Markup(), e.feature, [cell(r) for r in (e.reward, e.gold, e.excess, e.at_equal_gold)])
        for e in effects
    ]
    return matrix(rows, caption="Length and format", heads=heads, anchor=anchor)


def _single(results: Any, anchor: str) -> Markup:
    names = {
        "low_gold_at_top": "Top decile by reward: gold below the prompt's median",
        "gold_quantile_at_top": "Top decile by reward: mean quantile of gold",
        "high_reward_low_gold": "All: top quarter by reward, bottom by gold (chance: 0.063)",
    }
    rows = [(Markup(), names[r.name], [cell(r)]) for r in results]
    return matrix(rows, caption="Exploitation", heads=("Figure", "Share"), anchor=anchor)


def _claims(effects: Sequence[ClaimEffect], anchor: str) -> Markup:
    heads = ("Claim", "Share", "Reward, sd", "Gold, sd", "Excess, sd")
    rows = [
        (Markup(), e.family, [cell(r) for r in (e.share, e.reward, e.gold, e.excess)])
        for e in effects
    ]
    return matrix(rows, caption="Claims in the pool's responses", heads=heads, anchor=anchor)


def _nulls(nulls: Sequence[NullResponder], anchor: str) -> Markup:
    rows = [(Markup(), n.name, [cell(n.quantile), cell(n.beats_half)]) for n in nulls]
    heads = ("Null responder", "Quantile in the pool", "Beats the median")
    return matrix(rows, caption="Null responders", heads=heads, anchor=anchor)


def _lifts(uplifts: Sequence[Uplift], anchor: str) -> Markup:
    rows = [(Markup(), u.family, [cell(u.uplift), cell(u.raised)]) for u in uplifts]
    heads = ("Family", "Uplift, sd", "Raised")
    return matrix(rows, caption="Injections and appended claims", heads=heads, anchor=anchor)
