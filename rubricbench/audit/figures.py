"""The charts of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rubricbench.figures.figure import Axis, Figure, Mark, Series
from rubricbench.metrics.result import Result
from rubricbench.metrics.safe_kl import SafeKl
from rubricbench.overopt.document import SampleStudy

KL = Axis(label="KL to the policy, nats", low=0)


def figures(studies: Sequence[SampleStudy]) -> list[Figure]:
    """Return all charts of the studies of an audit."""
    found = [
        _curves(studies, "tilt", "Gold reward as the tilt grows stronger", _TILT),
        _curves(studies, "best_of_n", "Gold reward of the best of n", _BON),
        _proxies(studies),
        _safe(studies),
        _tails(studies),
    ]
    return [figure for figure in found if figure is not None]


_TILT = (
    "Exact tilt of the pool's samples by each reward, the optimum of KL-regularised training, as "
    "far as an effective 20 samples a prompt carry it. Bands: {level:g}% intervals over prompts, "
    "point by point. Marks: where the decline of gold is proven."
)
_BON = (
    "The sample of highest reward among n, without bias, for n up to half of the samples. Bands: "
    "{level:g}% intervals over prompts. Marks: where the decline of gold is proven."
)


def _curves(studies: Sequence[SampleStudy], kind: str, title: str, caption: str) -> Figure | None:
    series, marks = [], []
    for style, study in enumerate(studies):
        points = study.tilt if kind == "tilt" else study.best_of_n
        found = _line(study.arm, [(p.kl, p.gold) for p in points], style)
        if found is None:
            continue
        series.append(found)
        safe = study.safe_tilt if kind == "tilt" else study.safe_best_of_n
        marks += list(_onset(safe, study.arm, style))
    if not series:
        return None
    return Figure(
        name=f"gold_{kind}",
        title=title,
        caption=caption.format(level=100 * studies[0].base.level),
        x=KL,
        y=Axis(label="gold reward"),
        series=tuple(series),
        marks=tuple(marks),
    )


def _proxies(studies: Sequence[SampleStudy]) -> Figure | None:
    """Proxies have different units: each is shown from 0, its base, to 1, its highest."""
    series = []
    for style, study in enumerate(studies):
        known = [(p.kl, p.proxy) for p in study.tilt if p.proxy.estimate is not None]
        values = [proxy.estimate for _, proxy in known if proxy.estimate is not None]
        if len(values) < 2 or max(values) <= values[0]:
            continue
        scale = max(values) - values[0]
        series.append(
            Series(
                name=study.arm,
                x=[kl.estimate or 0.0 for kl, _ in known],
                y=[(value - values[0]) / scale for value in values],
                style=style,
            )
        )
    if not series:
        return None
    return Figure(
        name="proxy_tilt",
        title="Proxy reward as the tilt grows stronger",
        caption="Each reward from 0, its mean on the pool, to 1, its highest mean under the tilt.",
        x=KL,
        y=Axis(label="proxy reward, share of its rise"),
        series=tuple(series),
    )


def _line(name: str, points: Sequence[tuple[Result, Result]], style: int) -> Series | None:
    known = [
        (kl, gold) for kl, gold in points if kl.estimate is not None and gold.estimate is not None
    ]
    if not known:
        return None
    return Series(
        name=name,
        x=[kl.estimate or 0.0 for kl, _ in known],
        y=[gold.estimate for _, gold in known],
        low=[gold.low for _, gold in known],
        high=[gold.high for _, gold in known],
        style=style,
    )


def _onset(safe: SafeKl | None, arm: str, style: int) -> Iterator[Mark]:
    if safe is not None and safe.onset.estimate is not None:
        yield Mark(x=safe.onset.estimate, text=f"{arm}: decline proven", style=style)


def _safe(studies: Sequence[SampleStudy]) -> Figure | None:
    """Return the largest safe KL of each reward, by the tilt and by best-of-n."""
    kinds = (("tilt", 0), ("best of n", 1))
    series = []
    for name, style in kinds:
        found = [
            (i, (s.safe_tilt if name == "tilt" else s.safe_best_of_n))
            for i, s in enumerate(studies)
        ]
        known = [
            (i, s.largest) for i, s in found if s is not None and s.largest.estimate is not None
        ]
        if known:
            series.append(
                Series(
                    name=name,
                    x=[float(i) for i, _ in known],
                    y=[r.estimate for _, r in known],
                    low=[r.low for _, r in known],
                    high=[r.high for _, r in known],
                    kind="points",
                    style=style,
                )
            )
    if not series:
        return None
    return Figure(
        name="safe_kl",
        title="Largest safe KL",
        caption=(
            "The KL at which gold is highest, with its interval. Without an interval: no "
            "decline is proven up to there, where the samples end."
        ),
        x=Axis(label="reward"),
        y=Axis(label="KL, nats", low=0),
        series=tuple(series),
        categories=tuple(s.arm for s in studies),
    )


def _tails(studies: Sequence[SampleStudy]) -> Figure | None:
    results = [(float(i), s.tail.accuracy) for i, s in enumerate(studies)]
    known = [(i, r) for i, r in results if r.estimate is not None]
    if not known:
        return None
    return Figure(
        name="tail_accuracy",
        title="Tail accuracy",
        caption="How often the reward ranks an excellent response above a great one; ties half.",
        x=Axis(label="reward"),
        y=Axis(label="tail accuracy", low=0, high=1, percent=True),
        series=(
            Series(
                name="tail accuracy",
                x=[i for i, _ in known],
                y=[r.estimate for _, r in known],
                low=[r.low for _, r in known],
                high=[r.high for _, r in known],
                kind="bars",
            ),
        ),
        categories=tuple(s.arm for s in studies),
    )
