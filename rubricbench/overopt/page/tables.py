"""The tables of a document: arms by figures, points of a curve, contrasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
from markupsafe import Markup, escape

from rubricbench.figures.blocks import (
    Named,
    cautions_list,
    cell,
    label,
    matrix,
    reasons_list,
    shown,
    swatch,
    unseen,
)
from rubricbench.figures.thin import spread
from rubricbench.metrics.result import Result, caution
from rubricbench.metrics.runs import Seeded
from rubricbench.metrics.safe_kl import SafeKl, Safety
from rubricbench.overopt.document import ArmCurve, Contrast, Document, Fit, SampleStudy
from rubricbench.overopt.page.charts import style_of
from rubricbench.report.formats import DASH, percent
from rubricbench.report.svg import join

MOST_CHECKPOINTS = 12  # of an arm in a table; all are in results.json
MOST_CONTRASTS = 60
UNREACHED = 1000  # √KL, a million nats

Form = Callable[[float], str]


@dataclass(frozen=True)
class Column:
    """A column of a table of arms.

    Args:
        head: its name.
        of: takes the result from an arm; None where there is none to have.
        form: of its numbers.
        about: what to call it beside a caution; empty for its name.
    """

    head: str
    of: Callable[..., Result | None]
    form: Form = shown
    about: str = ""


def whole(value: float) -> str:
    """Return a step, or another number that is whole, as such."""
    return f"{value:,.0f}"


def far(value: float) -> str:
    """Return a distance; one that no training reaches, as that."""
    return shown(value) if value <= UNREACHED else f"{UNREACHED:,}+"


def _seeded(name: str, seeds: bool, arm: ArmCurve) -> Result:
    found: Seeded = getattr(arm, name)
    result = found.over_seeds if seeds else found.over_prompts
    # What hangs on an onset is not there for want of an onset, and not for a fault of the data.
    event = {"fall": arm.onset, "onset": found, "onset_distance": found}.get(name)
    return _missed(result) if event and unseen(event.over_prompts) else result


def _missed(result: Result) -> Result:
    """Return a result that is none because its event was not seen, marked as such."""
    if result.estimate is not None:
        return result
    if result.unit == "seeds" and not result.n:
        why = "no seed has an onset by its last checkpoint"
        result = msgspec.structs.replace(result, reason=why)
    return result.with_warnings([caution("censored")])


_ARMS: tuple[tuple[str, str, Form], ...] = (
    ("Gold peak", "peak", shown),
    ("at step", "peak_step", whole),
    ("Final gold", "final", shown),
    ("Drop since the peak", "drop", shown),
    ("Onset step", "onset", whole),
    ("Onset √KL", "onset_distance", shown),
    ("Fall at the onset", "fall", shown),
    ("Smallest fall that shows", "detectable", shown),
    ("Final proxy-gold gap (sd)", "gap", shown),
    ("AUC over √KL", "auc", shown),
)


def arms_tables(document: Document) -> Markup:
    """Return training arms by figures: over prompts, then over seeds where there are several."""
    parts = []
    prompts = any(arm.prompts for arm in document.curves)
    for seeds, caption in (
        (False, f"These runs{', with intervals for other prompts' if prompts else ''}"),
        (True, "Another run of the same recipe, with intervals for other seeds"),
    ):
        if seeds and not any(len(arm.seeds) > 1 for arm in document.curves):
            continue
        columns = [Column(h, partial(_seeded, name, seeds), form) for h, name, form in _ARMS]
        anchor = "arms-over-seeds" if seeds else "arms-over-prompts"
        parts.append(_arms(document, document.curves, columns, caption, anchor))
    return join(parts)


def _arms(
    document: Document,
    arms: Sequence[ArmCurve | SampleStudy],
    columns: Sequence[Column],
    caption: str,
    anchor: str,
) -> Markup:
    """Return a table of arms with what warns of its figures, and why there are none, below it.

    A column that has nothing for any arm, for want of a measurement, is said once, not drawn.
    """
    known = [c for c in columns if any(_has(c.of(arm)) for arm in arms)]
    rows = [
        (
            swatch(style_of(document, arm.arm)),
            arm.arm,
            [cell(column.of(arm), column.form) for column in known],
        )
        for arm in arms
    ]
    kind = "Reward" if all(isinstance(arm, SampleStudy) for arm in arms) else "Arm"
    heads = (kind, *(column.head for column in known))
    named = [
        (_named(arm.arm, column.about or column.head, arms), result)
        for column in columns
        for arm in arms
        if (result := column.of(arm)) is not None
    ]
    table = matrix(rows, caption=caption, heads=heads, anchor=anchor) if known else Markup()
    return join([table, cautions_list(named, anchor=anchor), reasons_list(named, anchor=anchor)])


def _has(result: Result | None) -> bool:
    return result is not None and (result.estimate is not None or result.low is not None)


def _named(arm: str, head: str, arms: Sequence[object]) -> Named:
    return head if len(arms) == 1 else (head, arm)


def fits_table(document: Document, arms: Sequence[ArmCurve] | Sequence[SampleStudy]) -> Markup:
    """Return the fitted forms of arms that have one."""
    fitted = [arm for arm in arms if arm.fit is not None]
    if not fitted:
        return Markup()
    columns = [
        Column(head, partial(_fitted, name), far if name == "turnover" else shown)
        for head, name in (
            ("α", "alpha"),
            ("β", "beta"),
            ("R² about the mean", "r2"),
            ("Turnover √KL", "turnover"),
            ("γ", "gamma"),
        )
    ]
    form = fitted[0].fit.form if fitted[0].fit else "rl"
    shape = "R = d(α − β log d)" if form == "rl" else "R = d(α − βd)"
    return _arms(document, fitted, columns, f"Fitted form {shape}, d = √KL", f"fits-{form}")


def _fitted(name: str, arm: ArmCurve | SampleStudy) -> Result | None:
    fit: Fit | None = arm.fit
    found: Result | None = getattr(fit, name)
    return found


def drift_table(document: Document) -> Markup:
    """Return what else changed from the initial policy to the last checkpoint."""
    arms = [arm for arm in document.curves if arm.drift]
    names = dict.fromkeys(r.name for arm in arms for r in arm.drift)
    columns = [Column(label(name.split(",")[0]), partial(_one, "drift", name)) for name in names]
    return _arms(
        document, arms, columns, "From the initial policy to the last checkpoint", "drifts"
    )


def _one(part: str, name: str, arm: ArmCurve | SampleStudy) -> Result | None:
    results: tuple[Result, ...] = getattr(arm, part)
    return next((r for r in results if r.name == name), None)


def rewards_table(document: Document) -> Markup:
    """Return rewards by how they order samples."""
    found = document.samples
    columns = [
        Column("Gold, one sample", lambda s: s.base),
        Column("Tail accuracy", lambda s: s.tail.accuracy, percent),
        Column("ties as wrong", lambda s: s.tail.ties_as_wrong, percent),
        Column("Ties in the tail", lambda s: s.tail.tie_rate, percent),
        Column("Prompts with a tail", lambda s: s.tail.prompts_used, percent),
        Column("Samples excellent", lambda s: s.tail.saturation.excellent, percent),
        Column("Spearman within prompts", lambda s: s.rank.overall),
        Column(
            "in the top tenth by proxy",
            lambda s: s.rank.top,
            about="Spearman in the top tenth by proxy",
        ),
        *(_columns(found, "agreement")),
        *(_columns(found, "lengths")),
        Column("Largest KL of the tilt, log N", lambda s: s.ceiling),
    ]
    return _arms(document, found, columns, "How each reward orders samples", "rewards")


def safe_table(document: Document) -> Markup:
    """Return how far each reward can be optimised before gold turns, by both ways."""
    columns = [
        Column(
            f"{head}, {way}",
            partial(_safe, part, name),
            about=f"{label(way)}: {head[:1].lower()}{head[1:]}",
        )
        for way, part in (("best of n", "safe_best_of_n"), ("tilt", "safe_tilt"))
        for head, name in (
            ("Largest safe KL", "largest"),
            ("Surely safe up to", "safe_up_to"),
            ("Decline proven from", "onset"),
            ("Drop by the end", "drop"),
        )
    ]
    found = [s for s in document.samples if s.safe_best_of_n or s.safe_tilt]
    level = 100 * document.provenance.level
    caption = (
        "How far each reward can be optimised before gold turns, in nats. Best of n and the tilt "
        f"share the error: intervals of {50 + level / 2:g}% each, {level:g}% for both together"
    )
    return _arms(document, found, columns, caption, "safe")


def _safe(part: str, name: str, study: SampleStudy) -> Result | None:
    safe: SafeKl | None = getattr(study, part)
    if safe is None:
        return None
    found: Result = getattr(safe, name)
    return _missed(found) if safe.safety is Safety.NO_DECLINE else found


def _columns(found: Sequence[SampleStudy], part: str) -> Iterator[Column]:
    for name in dict.fromkeys(r.name for study in found for r in getattr(study, part)):
        yield Column(label(name), partial(_one, part, name))


def study_tables(study: SampleStudy, anchor: str) -> Markup:
    """Return the points of a reward's curves."""
    chosen = [
        (Markup(), f"{p.n:,}", _cells((p.kl, p.kl_bound, p.proxy, p.gold, p.gain)))
        for p in study.best_of_n
    ]
    tilted = [
        (Markup(), shown(p.kl), _cells((p.proxy, p.gold, p.gain, p.ess))) for p in study.at_kl
    ]
    best = ("n", "KL, nats", "KL without ties", "Proxy", "Gold", "Gain in gold")
    equal = ("KL, nats", "Proxy", "Gold", "Gain in gold", "Effective samples")
    named = [(f"n = {p.n}", r) for p in study.best_of_n for r in (p.kl, p.proxy, p.gold, p.gain)]
    named += [
        (f"KL {shown(p.kl)}", r) for p in study.at_kl for r in (p.proxy, p.gold, p.gain, p.ess)
    ]
    return join(
        [
            matrix(chosen, caption="Best of n", heads=best, anchor=f"{anchor}-bon"),
            matrix(tilted, caption="Exact tilt", heads=equal, anchor=f"{anchor}-tilt"),
            reasons_list(named, anchor=f"{anchor}-points"),
        ]
    )


def _cells(results: Iterable[Result | None]) -> list[Markup]:
    return [cell(r) for r in results]


def checkpoints_table(arm: ArmCurve, anchor: str) -> Markup:
    """Return an arm's checkpoints, evenly thinned out where there are many."""
    columns = [
        (head, name, form)
        for head, name, form in (
            ("KL, nats", "kl", shown),
            ("Gold", "gold", shown),
            ("Proxy", "proxy", shown),
            ("Gap, sd", "gap", shown),
            ("Win rate", "win", percent),
            ("Length", "length", shown),
            ("Ended", "ended", percent),
            ("Repetition", "repetition", shown),
        )
        if any(getattr(c, name) is not None for c in arm.checkpoints)
    ]
    chosen = [arm.checkpoints[i] for i in spread(len(arm.checkpoints), MOST_CHECKPOINTS)]
    rows = [
        (Markup(), whole(c.step), [cell(getattr(c, name), form) for _, name, form in columns])
        for c in chosen
    ]
    caption = f"{len(chosen)} of {len(arm.checkpoints):,} checkpoints"
    if len(chosen) == len(arm.checkpoints):
        caption = "Checkpoints"
    heads = ("Step", *(head for head, _, _ in columns))
    return matrix(rows, caption=caption, heads=heads, anchor=anchor)


def contrasts_table(document: Document) -> Markup:
    """Return pairs of arms, paired on their prompts."""
    found = document.contrasts[:MOST_CONTRASTS]
    runs = any(c.over_seeds is not None for c in found)
    rows = [
        (
            Markup(),
            f"{label(c.metric)}: {c.a} less {c.b}",
            [cell(c.difference), *([cell(c.over_seeds)] if runs else []), _p(c.p), _p(c.p_holm)],
        )
        for c in found
    ]
    seeds = ("Over seeds",) if runs else ()
    heads = ("Contrast", "Difference, over prompts", *seeds, "p", "p after Holm")
    caption = "Differences between arms on the same prompts"
    if len(found) < len(document.contrasts):
        caption += f": the first {len(found)} of {len(document.contrasts):,}, all in results.json"
    named: list[tuple[Named, Result]] = [(_contrast(c), c.difference) for c in found]
    named += [(_contrast(c, " over seeds"), c.over_seeds) for c in found if c.over_seeds]
    return join(
        [
            matrix(rows, caption=caption, heads=heads, anchor="contrasts-table"),
            cautions_list(named, anchor="contrasts"),
            reasons_list(named, anchor="contrasts"),
        ]
    )


def _contrast(contrast: Contrast, over: str = "") -> Named:
    return label(contrast.metric) + over, f"{contrast.a} less {contrast.b}"


def _p(value: float | None) -> Markup:
    if value is None:
        return Markup(DASH)
    return escape("< 0.001" if value < 0.001 else f"{value:.3f}")
