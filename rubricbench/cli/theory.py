"""``rubricbench theory``: what the theory says of a map, or of your reward."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.metrics.result import Result
    from rubricbench.theory.empirical import AtKL, Empirical
    from rubricbench.theory.figure2 import Table

PATH = click.Path(path_type=Path)
FROM_KLS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0)  # a hundred samples a prompt end near 1
_FROM = ",".join(f"{kl:g}" for kl in FROM_KLS)
_NOT_DRAWN = (".pdf", ".eps", ".jpg", ".jpeg", ".html", ".json")


def _numbers(context: click.Context, parameter: click.Parameter, value: str | None) -> list[float]:
    try:
        return [float(part) for part in value.split(",")] if value else []
    except ValueError:
        raise InputError(
            f"{parameter.opts[0]} {value!r}", hint="numbers with commas between, such as 0.5,1,2"
        ) from None


@click.command()
@click.option(
    "--kl",
    "kls",
    callback=_numbers,
    help=f"KLs in nats  [default: 0.5,1,2,3,4; with --from {_FROM}]",
)
@click.option("--beta", "betas", callback=_numbers, help="Temperatures, in place of KLs.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="NAME",
    help="A map from gold to proxy: identity, reversed, top-25, worst-50 (percent wrong), a CSV "
    "with the columns gold and proxy, or module:function. Again for more.  [default: Figure 2's]",
)
@click.option(
    "--plot",
    type=PATH,
    help="Write the figures: a folder (SVG, PNG, CSV), or a file ending in one of them.",
)
@click.option("--from", "source", type=PATH, metavar="SCORES", help="Predict for these scores.")
@click.option("--proxy", default="proxy", show_default=True, help="Column of SCORES.")
@click.option("--gold", default="gold", show_default=True, help="Column of SCORES.")
@click.option("--arm", help="Of SCORES with several arms, this one.")
@click.option("--step", type=int, help="Of SCORES with several checkpoints, this one.")
@click.option(
    "--unknown",
    type=click.Choice(["refuse", "drop"]),
    default="refuse",
    show_default=True,
    help="What to do with rows that lack a reward; they are never scored.",
)
@click.option("--seed", default=0, show_default=True, help="Of the resampling.")
@click.option("--resamples", default=2000, show_default=True, help="Bootstrap draws.")
@click.option("--level", default=0.95, show_default=True, help="Of the intervals.")
@click.option(
    "--interval",
    type=click.Choice(["cluster_t", "percentile_bootstrap", "bca_bootstrap"]),
    default="cluster_t",
    show_default=True,
    help="Of the predictions, over prompts.",
)
@output_options
def command(
    kls: list[float],
    betas: list[float],
    maps: tuple[str, ...],
    plot: Path | None,
    source: Path | None,
    output: Output,
    **reading: Any,
) -> int:
    """Win rate against KL by the theory of "Chasing the Tail".

    Without --from: the win rate of the optimal policy for every map, gold rewards being uniform
    (Theorem 1; Proposition 1 for a map that changes the distribution), and with --plot Figure 2.
    With --from SCORES, samples of the initial policy with the columns prompt_id, proxy and gold:
    what optimising that proxy does to gold, where it errs, and its map.
    """
    if plot is not None and plot.suffix.lower() in _NOT_DRAWN:
        raise InputError(f"--plot {plot}", hint="a folder, or a file ending in .svg, .png or .csv")
    if source is not None:
        if maps or betas:
            raise InputError("--from together with --map or --beta", hint="give one or the other")
        return _predict(source, kls, plot, output, **reading)
    if kls and betas:
        raise InputError("both --kl and --beta", hint="give one of them")
    return _tabulate(maps, kls, betas, plot, output)


def _tabulate(
    names: tuple[str, ...],
    kls: list[float],
    betas: list[float],
    plot: Path | None,
    output: Output,
) -> int:
    import msgspec

    from rubricbench.theory.figure2 import KLS, TABLE_MAPS, figure_2a, figure_2b, table
    from rubricbench.theory.maps import named

    if not all(map(math.isfinite, betas)):
        raise InputError("a beta that is not finite", hint="the initial policy itself is --kl 0")

    maps = [named(name) for name in names]
    found = table(maps or TABLE_MAPS, kls or KLS, betas)
    written: list[Path] = []
    if plot is not None:
        from rubricbench.theory.drawn import write_figures

        written = write_figures([figure_2a(maps), figure_2b()], plot)
    plain = json.loads(msgspec.json.encode(found))  # β is infinite at KL 0: null
    document = {**plain, "files": [str(p) for p in written]}
    output.result(document, _table_text(found) + _wrote(written))
    return 0


def _table_text(found: Table) -> str:
    width = max(9, *(len(name) for name in found.maps))
    heads = "  ".join(f"{name:>{width}}" for name in found.maps)
    lines = ["Win rate of the optimal policy over the initial one", "", f"{found.by:>8}  {heads}"]
    reasons: dict[str, None] = {}
    for value, row in zip(found.at, found.rows, strict=True):
        cells = "  ".join(f"{_shown(c.win_rate, width)}" for c in row)
        lines.append(f"{value:>8g}  {cells}")
        reasons |= {f"{c.map}: {c.win_rate.reason}": None for c in row if c.win_rate.reason}
    odd = {c.map: None for row in found.rows for c in row if not c.keeps}
    lines += [f"{name}: changes the distribution; KL and win rate are its own" for name in odd]
    return "\n".join([*lines, *reasons])


def _shown(result: Result, width: int) -> str:
    return f"{'-':>{width}}" if result.estimate is None else f"{result.estimate:>{width}.4f}"


def _predict(
    source: Path,
    kls: list[float],
    plot: Path | None,
    output: Output,
    *,
    proxy: str,
    gold: str,
    arm: str | None,
    step: int | None,
    interval: str,
    **resampling: Any,
) -> int:
    import msgspec

    from rubricbench.metrics.reading import read_samples
    from rubricbench.metrics.result import Method
    from rubricbench.overopt.settings import Settings
    from rubricbench.theory.empirical import predict

    settings = Settings(**resampling)
    samples = read_samples(
        source, proxy=proxy, gold=gold, unknown=settings.unknown, arm=arm, step=step
    )
    wanted = kls or list(FROM_KLS)
    between = [max(wanted) * (i / 16) ** 2 for i in range(17)] if plot else []
    everywhere = sorted({*wanted, *between})
    drawn = predict(
        samples,
        everywhere,
        seed=settings.seed,
        resamples=settings.resamples,
        level=settings.level,
        interval=Method(interval),
    )
    found = msgspec.structs.replace(drawn, at=tuple(p for p in drawn.at if p.kl in wanted))
    written: list[Path] = []
    if plot is not None:
        from rubricbench.theory.drawn import figures, write_figures

        written = write_figures(figures(drawn), plot)
    document = {**msgspec.to_builtins(found), "files": [str(p) for p in written]}
    output.result(document, _prediction_text(found) + _wrote(written))
    return 0


def _prediction_text(found: Empirical) -> str:
    n = found.kl_ceiling.n
    low, high = found.samples
    each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    lines = [
        f"{n:,} prompts, {each} samples each; win rate and gold of the optimal policy",
        "",
        f"{'kl':>6}  {'win rate':<22}  {'gold':<22}  {'win rate by ranks':<22}  perfect",
        *(_at_text(p) for p in found.at),
        *_reasons(found),
        "",
        "Pairs that the reward misorders above each gold quantile (a coin: 0.5)",
        *(f"{p.above:>6g}  {_interval(p.error)}" for p in found.tail_error),
        "",
        f"KL ceiling of these samples: {_interval(found.kl_ceiling)} nats",
    ]
    more = [c for p in found.at for c in p.win_rate.warnings]
    texts = {c.text: None for c in (*found.cautions, *more)}
    return "\n".join([*lines, *(f"Caution: {text}." for text in texts)])


def _at_text(p: AtKL) -> str:
    cells = [f"{_interval(r):<22}" for r in (p.win_rate, p.gold, p.rank_win_rate)]
    return f"{p.kl:>6g}  {'  '.join(cells)}  {p.perfect.estimate:.3f}"


def _reasons(found: Empirical) -> list[str]:
    """Return why the first cell of each column is withheld: beyond it they only repeat."""
    columns = ([p.win_rate.reason for p in found.at], [p.rank_win_rate.reason for p in found.at])
    first = dict.fromkeys(next(filter(None, column), "") for column in columns)
    return [f"(-) {reason}" for reason in first if reason]


def _interval(result: Result) -> str:
    if result.estimate is None:
        return "-"
    ends = f" [{result.low:.3f}, {result.high:.3f}]" if result.interval else ""
    return f"{result.estimate:.3f}{ends}"


def _wrote(files: list[Path]) -> str:
    return f"\nwrote {', '.join(str(f) for f in files)}" if files else ""
