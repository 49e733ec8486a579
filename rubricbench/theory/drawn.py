"""The figures of a prediction, and figures written where ``--plot`` says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.metrics.result import Result
from rubricbench.theory.empirical import AtKL, Empirical
from rubricbench.theory.figure2 import KL_AXIS, WIN_AXIS

FORMATS = ("svg", "png", "csv")
BY_TILT = "your reward, exact tilt"
BY_RANKS = "your reward, as uniform ranks"


def figures(found: Empirical) -> tuple[Figure, ...]:
    """Return win rate and gold against KL, the tail error curve and the estimated map."""
    return (_win_rate(found), _gold(found), _tail_error(found), _map(found))


def write_figures(drawn: Sequence[Figure], target: Path) -> list[Path]:
    """Write figures to a folder in every format, or beside each other in one.

    Args:
        drawn: the figures.
        target: a folder; or a file ending in .svg, .png or .csv, whose stem begins the names of
            the files written beside it, as in ``stem_figure_2a.svg``.

    Raises:
        MissingExtraError: matplotlib is needed and not installed.
        RunError: a file cannot be written.
    """
    from rubricbench.figures.export import export

    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        return [path for figure in drawn for path in export(figure, target, FORMATS)]
    stem = re.sub(r"[^a-z0-9_]+", "_", target.stem.lower()) or "theory"
    named = [msgspec.structs.replace(figure, name=f"{stem}_{figure.name}") for figure in drawn]
    return [path for figure in named for path in export(figure, target.parent, (suffix,))]


def _intervals(found: Empirical) -> str:
    return f"{100 * found.proxy_ties.level:g}% intervals over prompts"


def _win_rate(found: Empirical) -> Figure:
    perfect = Series(
        name="a perfect reward",
        x=[p.kl for p in found.at],
        y=[p.perfect.estimate for p in found.at],
        style=2,
        secondary=True,
    )
    return Figure(
        name="prediction_win_rate",
        title="What optimising your reward does to the win rate, by the theory",
        caption=(
            "Win rate of the optimal policy over the initial one at each KL, by Proposition 1 on "
            f"your samples and by Theorem 1 on their ranks, with {_intervals(found)}; a "
            "reward without error above them. Curves end where the samples support no more."
        ),
        x=Axis(label=KL_AXIS, low=0, high=max(p.kl for p in found.at) or None),
        y=Axis(label=WIN_AXIS, percent=True),
        series=(*_both(found, lambda p: (p.win_rate, p.rank_win_rate)), perfect),
    )


def _gold(found: Empirical) -> Figure:
    return Figure(
        name="prediction_gold",
        title="What optimising your reward does to gold, by the theory",
        caption=(
            "Gold reward of the optimal policy at each KL, by Proposition 1 on your samples and by "
            f"Theorem 1 on their ranks, with {_intervals(found)}."
        ),
        x=Axis(label=KL_AXIS, low=0, high=max(p.kl for p in found.at) or None),
        y=Axis(label="gold reward"),
        series=_both(found, lambda p: (p.gold, p.rank_gold)),
    )


def _both(found: Empirical, pick: Callable[[AtKL], tuple[Result, Result]]) -> tuple[Series, ...]:
    kls = [p.kl for p in found.at]
    return tuple(
        _series(name, kls, [pick(p)[i] for p in found.at], i)
        for i, name in enumerate((BY_TILT, BY_RANKS))
    )


def _tail_error(found: Empirical) -> Figure:
    at = [p.above for p in found.tail_error]
    coin = Series(name="a coin", x=at, y=[0.5] * len(at), style=1, secondary=True)
    return Figure(
        name="prediction_tail_error",
        title="Where in the gold reward your reward errs",
        caption=(
            "Share of pairs above each gold quantile that your reward misorders, a tie counting "
            f"one half, with {_intervals(found)}. The theory says that the right end decides."
        ),
        x=Axis(label="gold quantile above which pairs are taken", low=0, high=1),
        y=Axis(label="misordered pairs", low=0, percent=True),
        series=(_series("your reward", at, [p.error for p in found.tail_error], 0), coin),
    )


def _map(found: Empirical) -> Figure:
    at = [(p.low + p.high) / 2 for p in found.map]
    straight = Series(name="a perfect reward", x=at, y=at, style=2, secondary=True)
    return Figure(
        name="prediction_map",
        title="How your reward sees the gold reward",
        caption=(
            "Mean quantile by your reward of the samples in each tenth of gold quantiles, within "
            f"prompts, with {_intervals(found)}; noise flattens the map."
        ),
        x=Axis(label="gold quantile", low=0, high=1),
        y=Axis(label="mean proxy quantile", low=0, high=1),
        series=(_series("your reward", at, [p.proxy_quantile for p in found.map], 0), straight),
    )


def _series(name: str, x: list[float], found: Sequence[Result], style: int) -> Series:
    return Series(
        name=name,
        x=x,
        y=[r.estimate for r in found],
        low=[r.low for r in found],
        high=[r.high for r in found],
        style=style,
    )
