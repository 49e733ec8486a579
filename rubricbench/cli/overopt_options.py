"""Options and text that the commands of ``overopt`` share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.output import Output

if TYPE_CHECKING:
    from rubricbench.metrics.result import Caution
    from rubricbench.overopt.document import Document, Verdict

SHOWN = {
    "over_optimized": "over-optimized",
    "holds": "holds",
    "at_risk": "at risk",
    "unclear": "unclear",
    "not_computable": "not computable",
}


def analysis_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --unknown, --seed, --resamples and --level; the command receives ``settings``."""

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
    @functools.wraps(command)
    def wrapper(
        *args: Any, unknown: str, seed: int, resamples: int, level: float, **kwargs: Any
    ) -> Any:
        from rubricbench.overopt.settings import Settings

        settings = Settings(seed=seed, resamples=resamples, level=level, unknown=unknown)
        return command(*args, settings=settings, **kwargs)

    return wrapper


def sample_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --proxy, --gold, --arm and --step, that say what is what in samples files."""
    return _with(
        command,
        click.option(
            "--proxy",
            "proxies",
            multiple=True,
            metavar="COLUMN",
            help="The reward that is optimised; again for more. Without FILE: FILE[:COLUMN].",
        ),
        click.option(
            "--gold",
            default="gold",
            show_default=True,
            metavar="COLUMN",
            help="The reward that is meant. Without FILE: FILE[:COLUMN], joined by response.",
        ),
        click.option("--arm", help="Of files with several arms, this one alone."),
        click.option("--step", type=int, help="Of files with several checkpoints, this one."),
    )


def files_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --out and --figures."""
    return _with(
        command,
        click.option("--out", type=click.Path(path_type=Path), help="Folder for the files."),
        click.option(
            "--figures",
            type=click.Choice(["svg", "png", "csv", "none"]),
            multiple=True,
            help="Formats of the figures; again for more  [default: all]",
        ),
    )


def _with(command: Callable[..., Any], *options: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def finish(
    document: Document, out: Path | None, figures: tuple[str, ...], output: Output, *, page: bool
) -> int:
    """Write the files, if a folder was named, and print the document."""
    import msgspec

    text = "\n".join(_lines(document))
    if out is not None:
        from rubricbench.overopt.write import write

        formats = None if not figures else [f for f in figures if f != "none"]
        written = write(document, out, page=page, formats=formats, say=output.note)
        drawn = sum(name.startswith("figures/") for name in written)
        names = [n for n in written if not n.startswith("figures/")]
        text += f"\nwrote {out}/: {', '.join(names)}" + (f", {drawn} figures" if drawn else "")
    output.result(msgspec.to_builtins(document), text)
    return 0


def _lines(document: Document) -> list[str]:
    lines = []
    both = bool(document.curves and document.samples)  # an arm may be in both
    for curve in document.curves:
        lines += _said(
            f"{curve.arm}, trained" if both else curve.arm, curve.verdict, curve.cautions
        )
    for study in document.samples:
        lines += _said(
            f"{study.arm}, on samples" if both else study.arm, study.verdict, study.cautions
        )
    for c in document.contrasts:
        p = "" if c.p_holm is None else f", p = {c.p_holm:.2g} (Holm)"
        seeds = c.over_seeds
        number = f"{seeds.n} seed{'s' * (seeds.n > 1)}" if seeds and seeds.n else ""
        runs = f"; over {number} {seeds}".replace(f"{c.difference.name}: ", "") if number else ""
        lines.append(f"{c.difference}{p}{runs}")
    return [*lines, *(f"Caution: {c.text}." for c in document.cautions)]


def _said(arm: str, verdict: Verdict, cautions: Sequence[Caution]) -> list[str]:
    headline = f"{arm}: {SHOWN[verdict.outcome]}. {_capital(verdict.headline)}."
    return [headline, f"  {verdict.text}", *(f"  Caution: {c.text}." for c in cautions)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
