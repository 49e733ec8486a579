"""A `Figure` as files: SVG and PNG for a paper (drawn by matplotlib), CSV of its data.

The same figure gives the same bytes on the same version of matplotlib. Shapes, dashes and colours
are those of the page (`rubricbench.figures.styles`).
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rubricbench.errors import InputError, MissingExtraError
from rubricbench.figures.data import Point, empty, lone, points, short
from rubricbench.figures.figure import Axis, Figure, Series
from rubricbench.figures.scale import Scale, fit
from rubricbench.figures.styles import COLOURS, DASHES, look
from rubricbench.runs.files import atomic_write, explained

_NAME = re.compile(r"[a-z0-9_]+")
_MARKERS = {
    "circle": "o",
    "square": "s",
    "wedge": "^",
    "diamond": "D",
    "cross": "P",
    "triangle": "v",
    "hexagon": "h",
}
WIDTH, HEIGHT, LANE = 6.4, 4.0, 0.17  # inches
DPI = 200
GREY = "#8a867b"
COLUMNS = ("series", "x", "y", "low", "high")


def export(
    figure: Figure, folder: Path, formats: Sequence[str] = ("svg", "png", "csv")
) -> list[Path]:
    """Write a figure into a folder, each file whole or not at all.

    Args:
        figure: what to write; its name is the stem of the files.
        folder: made where it is not there.
        formats: of ``svg``, ``png`` and ``csv``.

    Returns:
        The files, in the order of the formats.

    Raises:
        InputError: a format there is not.
        MissingExtraError: matplotlib is needed and not installed; nothing is written then.
        RunError: a file cannot be written.
        ValueError: a name that is no stem of files.
    """
    for kind in formats:
        if kind not in _WRITERS:
            raise InputError(f"no figure format {kind!r}", hint="formats are svg, png and csv")
    if not _NAME.fullmatch(figure.name):
        raise ValueError(f"{figure.name!r} is no stem of files")
    made = [(kind, _WRITERS[kind](figure)) for kind in formats]
    with explained(folder, "make the folder"):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, data in made:
        path = folder / f"{figure.name}.{kind}"
        atomic_write(path, data)
        written.append(path)
    return written


def csv_bytes(figure: Figure) -> bytes:
    """Return a figure's data as CSV: series, x, y, low, high; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(figure.rows())
    return text.getvalue().encode("utf-8", "replace")


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as SVG, text as outlines, so that it looks alike everywhere.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return _drawn(figure, "svg", {"Date": None, "Creator": None})


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG at 200 dots an inch.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return _drawn(figure, "png", {"Software": None})


_WRITERS: dict[str, Callable[[Figure], bytes]] = {
    "svg": svg_bytes,
    "png": png_bytes,
    "csv": csv_bytes,
}


def _matplotlib() -> ModuleType:
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("matplotlib", "plots") from None
    return matplotlib


def _drawn(figure: Figure, kind: str, metadata: dict[str, None]) -> bytes:
    settings = {
        "svg.hashsalt": figure.name,
        "svg.fonttype": "path",
        "text.parse_math": False,  # a dollar in a name is a dollar
        "font.family": ["DejaVu Sans"],
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    matplotlib = _matplotlib()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Names in scripts the font lacks show as boxes there; the CSV has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Sheet

        height = HEIGHT
        if figure.categories:
            lanes = len(figure.categories) * (len(figure.series) + 1)
            height = min(max(1.2 + LANE * lanes, 2.0), 60.0)
        sheet = Sheet(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(sheet)
        _draw(sheet, figure)
        out = io.BytesIO()
        sheet.savefig(out, format=kind, dpi=DPI, metadata=metadata)
    return out.getvalue()


def _draw(sheet: Any, figure: Figure) -> None:
    axes = sheet.add_subplot()
    axes.set_title(short(figure.title, 80), loc="left", fontsize=10, fontweight="bold", wrap=True)
    if empty(figure):
        axes.text(0.5, 0.5, "No data", ha="center", va="center", transform=axes.transAxes)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    handles = _rows(axes, figure) if figure.categories else _plot(axes, figure)
    if len(figure.series) > 1:
        _legend(sheet, handles, [short(series.name) or series.kind for series in figure.series])


def _legend(sheet: Any, handles: list[Any], names: list[str]) -> None:
    """Put the legend below the plot, where it hides no data."""
    # Given as texts, names that begin with an underscore would be taken for hidden.
    numbers = [str(i) for i in range(len(names))]
    columns = 1 if max(map(len, names)) > 40 else 2 if max(map(len, names)) > 20 else 4
    place = {"loc": "outside lower left", "ncols": columns, "frameon": False, "fontsize": 8}
    box = sheet.legend(handles, numbers, **place)
    for text, name in zip(box.get_texts(), names, strict=True):
        text.set_text(name)


def _plot(axes: Any, figure: Figure) -> list[Any]:
    of = [(series, points(series)) for series in figure.series]
    xs = [p.x for _, found in of for p in found if p.y is not None]
    bars = any(series.kind == "bars" for series in figure.series)
    x = fit(figure.x, [*xs, *(m.x for m in figure.marks)])
    y = fit(figure.y, [v for _, found in of for p in found for v in p.heights], zero=bars)
    # Scales before artists: what is drawn on a logarithmic axis depends on its being one.
    _axis(axes.xaxis, axes.set_xscale, axes.set_xlim, figure.x, x)
    _axis(axes.yaxis, axes.set_yscale, axes.set_ylim, figure.y, y)
    handles = [_series(axes, series, found, order) for order, (series, found) in enumerate(of)]
    for mark in figure.marks:
        colour = COLOURS[look(mark.style).hue]
        axes.axvline(mark.x, color=colour, linewidth=1, linestyle=(0, (3, 3)))
        axes.annotate(
            short(mark.text, 40),
            (mark.x, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -2),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    if bars:
        axes.autoscale(axis="x")
    return handles


def _axis(
    axis: Any, set_scale: Callable[[str], Any], limits: Callable[..., Any], of: Axis, scale: Scale
) -> None:
    set_scale(of.scale)
    limits(scale.low, scale.high)
    axis.set_ticks(scale.ticks, labels=scale.labels)
    axis.set_ticks([], minor=True)
    axis.set_label_text(short(of.label, 80))
    axis.grid(visible=True, color="#dcd8cd", linewidth=0.6)


def _series(axes: Any, series: Series, found: Sequence[Point], order: int) -> Any:
    seen = look(series.style)
    colour = COLOURS[seen.hue]
    xs = [p.x for p in found]
    ys = [float("nan") if p.y is None else p.y for p in found]
    known = [p for p in found if p.interval and p.y is not None]
    if series.kind == "bars":
        gap = min((b - a for a, b in itertools.pairwise(xs) if b > a), default=1.0)
        axes.bar(xs, ys, width=0.7 * gap, color=colour, alpha=0.35, edgecolor=colour)
    elif series.kind == "line" and known:
        ends = [p.interval or (float("nan"),) * 2 for p in found]
        low, high = zip(*ends, strict=True)
        opacity = 0.08 if series.secondary else 0.16
        axes.fill_between(xs, low, high, color=colour, alpha=opacity, linewidth=0)
    if series.kind == "line":
        alone = {id(p) for p in lone(found)}
        known = [p for p in known if id(p) in alone]
    if known:
        axes.vlines(
            [p.x for p in known],
            [p.low for p in known],
            [p.high for p in known],
            color="#1c2126",
            linewidth=1,
        )
    return axes.plot(xs, ys, zorder=3 + order / 100, **_looks(series, len(found)))[0]


def _looks(series: Series, number: int) -> dict[str, Any]:
    seen = look(series.style)
    colour, dash = COLOURS[seen.hue], DASHES[seen.dash]
    if series.secondary:
        dash = dash or (4, 3)
    bare = series.secondary and series.kind == "line" and number > 1
    return {
        "color": colour,
        "marker": "none" if bare else _MARKERS[seen.shape],
        "markersize": 4.5,
        "markerfacecolor": "white" if series.secondary else colour,
        "markeredgecolor": colour if series.secondary else "white",
        "markeredgewidth": 1.0 if series.secondary else 0.5,
        "markevery": max(1, number // 14) if series.kind == "line" else None,
        "linewidth": 1.0 if series.secondary else 1.6,
        "linestyle": ("none" if series.kind != "line" else (0, dash) if dash else "solid"),
    }


def _rows(axes: Any, figure: Figure) -> list[Any]:
    """Draw categories as rows, the first on top, the series of each in lanes."""
    of = [(series, points(series)) for series in figure.series]
    values = [v for _, found in of for p in found for v in p.heights]
    scale = fit(figure.y, values, zero=any(series.kind == "bars" for series in figure.series))
    _axis(axes.xaxis, axes.set_xscale, axes.set_xlim, figure.y, scale)
    row = len(of) + 1
    axes.set_yticks(
        [row * i + (len(of) - 1) / 2 for i in range(len(figure.categories))],
        labels=[short(name, 40) for name in figure.categories],
    )
    axes.set_ylim(row * len(figure.categories) - 1, -1)
    handles = []
    for lane, (series, found) in enumerate(of):
        shown = [p for p in found if p.y is not None]
        ys = [row * p.x + lane for p in shown]
        colour = COLOURS[look(series.style).hue]
        if series.kind == "bars":
            axes.barh(ys, [p.y for p in shown], 0.7, color=colour, alpha=0.35, edgecolor=colour)
        known = [(y, p) for y, p in zip(ys, shown, strict=True) if p.interval]
        axes.hlines(
            [y for y, _ in known],
            [p.low for _, p in known],
            [p.high for _, p in known],
            color="#1c2126",
            linewidth=1,
        )
        looks = _looks(series, 1) | {"linestyle": "none", "markevery": None}
        handles += axes.plot([p.y for p in shown], ys, zorder=3, **looks)
    return handles
