"""The figures of a document, each with the results that it is drawn from.

Up to four arms share a chart, each in a style that it keeps throughout; more arms are spread over
several charts with the same axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rubricbench.figures.figure import Axis, Figure, Mark, Series
from rubricbench.metrics.result import Result
from rubricbench.overopt.document import ArmCurve, Checkpoint, Document, Fit, SampleStudy
from rubricbench.overopt.page.courses import Course, course_of, root
from rubricbench.theory.theorem import beta_at, ideal_win_rate

TOGETHER = 4  # arms in one chart
MOST_BARS = 12  # arms in one chart of bars
CURVE_STEPS = 60  # of a curve known in closed form
GOLD, PROXY, FIT, IDEAL = 0, 1, 2, 7
DISTANCE = "√KL to the initial policy (√nats)"
STEP = "optimiser step"
BAND = "Bands are {level:g}% intervals."


@dataclass(frozen=True)
class Panel:
    """A figure and what it shows.

    Args:
        figure: the figure.
        named: the results behind it, each with what to call it beside a caution.
    """

    figure: Figure
    named: list[tuple[str, Result]] = field(default_factory=list)


@dataclass(frozen=True)
class Measure:
    """A column of the checkpoints that arms are compared by.

    Args:
        name: of the column, and stem of the figures' names.
        title: of the figures.
        label: of the axis.
        percent: whether it is a share.
    """

    name: str
    title: str
    label: str
    percent: bool = False


REWARD = Measure("gold", "Gold reward, arms compared", "gold reward")
WIN = Measure("win", "Win rate", "win rate", percent=True)
DRIFT = (
    Measure("kl", "KL to the initial policy", "KL (nats a sequence)"),
    Measure("length", "Length of the responses", "mean length"),
    Measure("ended", "Responses that end by themselves", "share that end", percent=True),
    Measure("repetition", "Repetition", "repetition"),
)


def figures(document: Document) -> list[Figure]:
    """Return every figure of the page, in its order; names are unique."""
    groups = (
        training(document),
        overlays(document, REWARD),
        overlays(document, WIN),
        studies(document),
        at_equal_kl(document),
        proxies(document),
        tails(document),
        tail_errors(document),
        theory(document),
        *(overlays(document, measure) for measure in DRIFT),
    )
    return [panel.figure for group in groups for panel in group]


def style_of(document: Document, arm: str) -> int:
    """Return the style number that an arm has in every figure."""
    return document.arms.index(arm)


def chunks(number: int, most: int = TOGETHER) -> Iterator[slice]:
    """Return slices of at most so many, none smaller than another by more than one."""
    parts = math.ceil(number / most)
    for i in range(parts):
        # No chart shows one arm alone beside others of four: it would have no legend.
        yield slice(-(-i * number // parts), -(-(i + 1) * number // parts))


def training(document: Document) -> list[Panel]:
    """Return, for every training arm, gold and proxy on one scale, with peak and onset."""
    arms = [(arm, *_rewards(arm)) for arm in document.curves]
    scales = {
        scaled: _range(of for _, is_, of in arms if is_ == scaled) for scaled in (True, False)
    }
    return [
        _training(document, i, arm, scaled, of, scales[scaled] if len(arms) > 1 else (None, None))
        for i, (arm, scaled, of) in enumerate(arms)
    ]


Rewards = list[tuple[str, Course]]


def _rewards(arm: ArmCurve) -> tuple[bool, Rewards]:
    """Return gold and proxy, in standard deviations of the initial policy where both can be."""
    pairs = ((True, "gold_z", "proxy_z"), (False, "gold", "proxy"))
    for scaled, *names in pairs:
        of = [(name.removesuffix("_z"), course_of(arm, name)) for name in names]
        found = [(name, course) for name, course in of if course.any]
        if len(found) == 2:
            return scaled, found
    return False, found


def _range(arms: Iterable[Rewards]) -> tuple[float | None, float | None]:
    """Return limits that show all arms alike."""
    values = [v for of in arms for _, course in of for v in course.heights()]
    if not values or max(values) <= min(values):
        return None, None
    pad = 0.05 * (max(values) - min(values))
    return min(values) - pad, max(values) + pad


def _training(
    document: Document,
    number: int,
    arm: ArmCurve,
    scaled: bool,
    of: Rewards,
    limits: tuple[float | None, float | None],
) -> Panel:
    styles = {"gold": GOLD, "proxy": PROXY}
    # A reward that is logged at other checkpoints than gold still has the arm's one axis.
    series = tuple(course.series(f"{name} reward", styles[name]) for name, course in of)
    unit = "standard deviations of the initial policy" if scaled else "as logged"
    figure = Figure(
        name=f"arm_{number + 1}",
        title=arm.arm,
        caption=_caption(document, arm, [course for _, course in of]),
        x=Axis(label=DISTANCE if _by_distance(arm) else STEP),
        y=Axis(label=f"reward ({unit})", low=limits[0], high=limits[1]),
        series=series,
        marks=tuple(_marks(arm, GOLD, named="")),
    )
    return Panel(figure, [(name, r) for name, course in of for r in course.told(fixed=scaled)])


def _by_distance(arm: ArmCurve) -> bool:
    return bool(arm.checkpoints) and all(c.distance is not None for c in arm.checkpoints)


def _caption(document: Document, arm: ArmCurve, of: Sequence[Course]) -> str:
    texts = [f"{_counted(arm)}."]
    if any(course.banded for course in of):
        texts.append(BAND.format(level=100 * document.provenance.level))
    if any(course.sorted for course in of):
        texts.append("The KL does not grow with every step: points are joined in the order of KL.")
    if not any(name == "proxy" for name in _logged(arm)):
        texts.append("The proxy reward was not logged.")
    return " ".join(texts)


def _logged(arm: ArmCurve) -> list[str]:
    names = ("gold", "proxy", "kl")
    return [n for n in names if any(getattr(c, n) is not None for c in arm.checkpoints)]


def _counted(arm: ArmCurve) -> str:
    seeds = len(arm.seeds)
    runs = f"Mean of {seeds} seeds" if seeds > 1 else "One seed"
    prompts = f"{arm.prompts:,} prompts" if arm.prompts else "published points, no prompts"
    return f"{runs}, {prompts}, {len(arm.checkpoints):,} checkpoints"


def _marks(arm: ArmCurve, style: int, *, named: str) -> Iterator[Mark]:
    """Mark where gold peaks and where the onset is, each at its checkpoint."""
    for text, found in (("gold peak", arm.peak_step), ("onset", arm.onset)):
        step = found.over_prompts.estimate
        at = _place(arm, step)
        if step is None or at is None or (named and text != "onset"):
            continue
        told = f"{text} of {named}" if named else f"{text}, step {step:,.0f}"
        yield Mark(x=at, text=told, style=style)


def _place(arm: ArmCurve, step: float | None) -> float | None:
    """Return where a step lies on the arm's axis."""
    if step is None or not arm.checkpoints:
        return None
    nearest = min(arm.checkpoints, key=lambda c: abs(c.step - step))
    return nearest.distance if _by_distance(arm) else float(nearest.step)


def overlays(document: Document, measure: Measure) -> list[Panel]:
    """Return all arms that have a measure, four to a chart, over √KL or over steps."""
    arms = [
        arm
        for arm in document.curves
        if any(getattr(c, measure.name) is not None for c in arm.checkpoints)
    ]
    distance = measure.name != "kl" and all(_by_distance(arm) for arm in arms)
    courses = [course_of(arm, measure.name, distance=distance) for arm in arms]
    low, high = _range([[("", course)] for course in courses]) if len(arms) > 1 else (None, None)
    if measure.percent and low is not None and high is not None:
        low, high = max(low, 0.0), min(high, 1.0)
    parts = list(chunks(len(arms)))
    return [
        _overlay(
            document,
            measure,
            arms[part],
            courses[part],
            name=f"{measure.name}_{i + 1}",
            of=f", {i + 1} of {len(parts)}" if len(parts) > 1 else "",
            axes=(
                Axis(label=DISTANCE if distance else STEP),
                Axis(label=measure.label, percent=measure.percent, low=low, high=high),
            ),
        )
        for i, part in enumerate(parts)
    ]


def _overlay(
    document: Document,
    measure: Measure,
    arms: Sequence[ArmCurve],
    courses: Sequence[Course],
    *,
    name: str,
    of: str,
    axes: tuple[Axis, Axis],
) -> Panel:
    series: list[Series] = []
    marks: list[Mark] = []
    distance = axes[0].label == DISTANCE
    for arm, course in zip(arms, courses, strict=True):
        style = style_of(document, arm.arm)
        series.append(course.series(arm.arm, style))
        if measure is REWARD and distance and arm.fit and arm.fit.curve_x:
            series.append(_fitted(arm.fit, f"{arm.arm}, fitted", style))
        if measure is REWARD and distance == _by_distance(arm):
            marks += _marks(arm, style, named=arm.arm)
    caption = BAND.format(level=100 * document.provenance.level)
    if any(s.secondary for s in series):
        caption += " Thin lines are the fitted form R = d(α − β log d)."
    figure = Figure(
        name=name,
        title=f"{measure.title}{of}",
        caption=caption if any(course.banded for course in courses) else "",
        x=axes[0],
        y=axes[1],
        series=tuple(series),
        marks=tuple(marks),
    )
    named = zip(arms, courses, strict=True)
    fixed = measure.name == "kl"
    return Panel(figure, [(arm.arm, r) for arm, course in named for r in course.told(fixed=fixed)])


def _fitted(fit: Fit, name: str, style: int) -> Series:
    return Series(name=name, x=fit.curve_x, y=fit.curve_y, style=style, secondary=True)


Points = list[tuple[float, Result]]


def _line(
    points: Points, name: str, style: int, kind: Literal["line", "points"] = "line"
) -> Series:
    """Return a line over points; where none has an interval, there is no band."""
    found = sorted(points, key=lambda point: point[0])
    banded = any(r.interval for _, r in found)
    return Series(
        name=name,
        x=[x for x, _ in found],
        y=[r.estimate for _, r in found],
        low=[r.low for _, r in found] if banded else (),
        high=[r.high for _, r in found] if banded else (),
        kind=kind,
        style=style,
    )


def _ways(study: SampleStudy, name: str) -> tuple[Points, Points]:
    """Return a reward by best-of-n and by tilt, over √KL."""
    chosen = [(x, getattr(p, name)) for p in study.best_of_n if (x := root(p.kl)) is not None]
    tilted = [(x, getattr(p, name)) for p in study.tilt if (x := root(p.kl)) is not None]
    return chosen, tilted


def studies(document: Document) -> list[Panel]:
    """Return, for every reward, gold by best-of-n and by tilt over √KL."""
    return [_study(document, i, study, "gold") for i, study in enumerate(document.samples)]


def proxies(document: Document) -> list[Panel]:
    """Return the same of the proxy."""
    return [_study(document, i, study, "proxy") for i, study in enumerate(document.samples)]


def _study(document: Document, number: int, study: SampleStudy, name: str) -> Panel:
    chosen, tilted = _ways(study, name)
    series = [
        _line(points, text, style)
        for points, text, style in ((chosen, "best of n", 0), (tilted, "exact tilt", 1))
        if any(r.estimate is not None for _, r in points)
    ]
    caption = f"{study.prompts:,} prompts, {_span(study.per_prompt)} samples each."
    if name == "gold" and study.fit and study.fit.curve_x:
        series.append(_fitted(study.fit, "best of n, fitted", FIT))
        caption += " The thin line is the fitted form R = d(α − βd)."
    if any(s.low for s in series):
        caption += " " + BAND.format(level=100 * document.provenance.level)
    figure = Figure(
        name=f"{name}_study_{number + 1}",
        title=study.arm,
        caption=caption,
        x=Axis(label=DISTANCE),
        y=Axis(label=f"{name} reward"),
        series=tuple(series),
        marks=tuple(_declines(study)) if name == "gold" else (),
    )
    named = [("best of n", r) for _, r in chosen] + [("exact tilt", r) for _, r in tilted]
    return Panel(figure, named)


def _declines(study: SampleStudy) -> Iterator[Mark]:
    """Mark from where on a decline of gold is proven."""
    ways = (("best of n", study.safe_best_of_n, 0), ("tilt", study.safe_tilt, 1))
    for way, safe, style in ways:
        at = None if safe is None else root(safe.onset)
        if at is not None:
            yield Mark(x=at, text=f"decline proven, {way}", style=style)


def _span(ends: tuple[int, int]) -> str:
    return f"{ends[0]:,}" if ends[0] == ends[1] else f"{ends[0]:,} to {ends[1]:,}"


def at_equal_kl(document: Document) -> list[Panel]:
    """Return the gain in gold of all rewards at the same KL, four to a chart."""
    found = [study for study in document.samples if study.at_kl]
    if len(found) < 2:
        return []

    def points(study: SampleStudy) -> Points:
        return [(math.sqrt(p.kl), p.gain) for p in study.at_kl]

    return _together(
        document,
        found,
        points,
        name="equal_kl",
        title="Gain in gold reward at equal KL",
        label="gold reward above the initial policy's",
        caption="Each prompt's samples tilted by the reward to the same KL.",
        kind="points",
        zero=True,
    )


def _together(
    document: Document,
    found: Sequence[SampleStudy],
    points: Callable[[SampleStudy], Points],
    *,
    name: str,
    title: str,
    label: str,
    caption: str,
    percent: bool = False,
    x: str = DISTANCE,
    kind: Literal["line", "points"] = "line",
    zero: bool = False,
    more: Callable[[Sequence[SampleStudy]], Iterable[Series]] = lambda _: (),
) -> list[Panel]:
    """Return studies four to a chart.

    Few points at chosen KLs are no curve: they are drawn as points, but for KL 0, where nothing
    has been optimised yet.
    """
    parts = list(chunks(len(found)))
    panels = []
    for i, part in enumerate(parts):
        start = 0.0 if kind == "points" else None
        lines = [(s, [(at, r) for at, r in points(s) if at != start]) for s in found[part]]
        series = [_line(of, s.arm, style_of(document, s.arm), kind) for s, of in lines]
        ends = BAND.format(level=100 * document.provenance.level)
        heights = [
            v for _, of in lines for _, r in of for v in (r.estimate, r.low) if v is not None
        ]
        low = 0.0 if zero and heights and min(heights) > 0 else None
        figure = Figure(
            name=f"{name}_{i + 1}",
            title=title + (f", {i + 1} of {len(parts)}" if len(parts) > 1 else ""),
            caption=f"{caption} {_whiskers(document) if kind == 'points' else ends}",
            x=Axis(label=x, low=start),
            y=Axis(label=label, percent=percent, low=low),
            series=(*series, *more(found[part])),
        )
        panels.append(Panel(figure, [(s.arm, r) for s, of in lines for _, r in of]))
    return panels


def theory(document: Document) -> list[Panel]:
    """Return the win rates that theory predicts, below the best that any reward could have."""

    def points(study: SampleStudy) -> Points:
        return [(math.sqrt(p.kl), p.win) for p in study.theory]

    def ideal(found: Sequence[SampleStudy]) -> Iterable[Series]:
        known = {p.kl for s in found for p in s.theory if p.ideal is not None}
        if not known:
            return
        x = [math.sqrt(max(known)) * i / CURVE_STEPS for i in range(CURVE_STEPS + 1)]
        yield Series(
            name="perfect reward (Theorem 1)",
            x=x,
            y=[ideal_win_rate(beta_at(at * at)) for at in x],
            style=IDEAL,
            secondary=True,
        )

    return _together(
        document,
        [study for study in document.samples if study.theory],
        points,
        name="theory",
        title="Win rate that theory predicts",
        label="win rate over the initial policy",
        caption="From each reward's errors on these samples, were a policy its exact optimum.",
        percent=True,
        kind="points",
        more=ideal,
    )


def tails(document: Document) -> list[Panel]:
    """Return tail accuracy as bars, with ties as half and as wrong."""
    panels = []
    parts = list(chunks(len(document.samples), MOST_BARS))
    for i, part in enumerate(parts):
        found = document.samples[part]
        kinds = (
            ("ties count one half", [s.tail.accuracy for s in found], 0),
            ("ties count as wrong", [s.tail.ties_as_wrong for s in found], 1),
        )
        figure = Figure(
            name=f"tail_{i + 1}",
            title="Excellent responses above great ones"
            + (f", {i + 1} of {len(parts)}" if len(parts) > 1 else ""),
            caption="How often the reward ranks an excellent response (top tenth by gold) above a "
            f"great one (from the top quarter to the top tenth). {_whiskers(document)} Guessing "
            "gives 50%.",
            x=Axis(label="reward"),
            y=Axis(label="tail accuracy", percent=True, low=0.0, high=1.0),
            series=tuple(_bars(results, name, style) for name, results, style in kinds),
            categories=tuple(s.arm for s in found),
        )
        named = [(s.arm, r) for s in found for r in (s.tail.accuracy, s.tail.ties_as_wrong)]
        panels.append(Panel(figure, named))
    return panels


def tail_errors(document: Document) -> list[Panel]:
    """Return how often each reward misorders what lies above a gold quantile."""

    def points(study: SampleStudy) -> Points:
        return [(p.above, p.error) for p in study.tail_error]

    return _together(
        document,
        [study for study in document.samples if study.tail_error],
        points,
        name="tail_error",
        title="Errors among the best responses",
        label="pairs misordered",
        caption="Of two responses to a prompt that both lie above a gold quantile: how often the "
        "reward ranks them the wrong way round, a tie one half. Guessing gives 50%.",
        percent=True,
        x="gold quantile above which both lie",
    )


def _whiskers(document: Document) -> str:
    return f"Whiskers are {100 * document.provenance.level:g}% intervals."


def _bars(results: Sequence[Result], name: str, style: int) -> Series:
    return Series(
        name=name,
        x=list(range(len(results))),
        y=[r.estimate for r in results],
        low=[r.low for r in results],
        high=[r.high for r in results],
        kind="bars",
        style=style,
    )


__all__ = [
    "DRIFT",
    "REWARD",
    "WIN",
    "Checkpoint",
    "Measure",
    "Panel",
    "at_equal_kl",
    "figures",
    "overlays",
    "proxies",
    "studies",
    "style_of",
    "tail_errors",
    "tails",
    "theory",
    "training",
]
