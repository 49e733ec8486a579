"""``rubricbench overopt plan``: how many prompts a comparison needs, before it is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.metrics.planning import Design, Plan, Spread
    from rubricbench.metrics.result import Result


@click.command()
@click.argument("pilot", required=False, type=click.Path(path_type=Path))
@click.option("--effect", type=float, help="The difference that matters, in the metric's unit.")
@click.option("--prompts", type=int, help="How many there are: what can they show?")
@click.option(
    "--samples",
    type=click.IntRange(1),
    multiple=True,
    default=(1, 2, 4, 8, 16),
    show_default=True,
    help="A prompt and arm; may be given often.",
)
@click.option("--arm", help="Of the pilot: plan for the mean of this arm.")
@click.option("--step", type=int, help="Of a pilot with several checkpoints, this one.")
@click.option("--against", help="Of the pilot: plan for the paired difference to this arm.")
@click.option("--proxy", default="proxy", show_default=True, help="Column of the pilot.")
@click.option("--gold", default="gold", show_default=True, help="Column of the pilot: the metric.")
@click.option(
    "--unknown",
    type=click.Choice(["refuse", "drop"]),
    default="refuse",
    show_default=True,
    help="What to do with rows of the pilot that lack a reward.",
)
@click.option("--between", type=float, help="No pilot: standard deviation between prompts.")
@click.option("--within", type=float, help="No pilot: standard deviation of samples within one.")
@click.option("--rate", type=float, help="No pilot: the win rate that is expected.")
@click.option("--power", default=0.8, show_default=True, help="Probability of finding the effect.")
@click.option("--level", default=0.95, show_default=True, help="Of the two-sided test.")
@output_options
def plan(
    pilot: Path | None,
    effect: float | None,
    prompts: int | None,
    samples: tuple[int, ...],
    arm: str | None,
    step: int | None,
    against: str | None,
    proxy: str,
    gold: str,
    unknown: str,
    between: float | None,
    within: float | None,
    rate: float | None,
    power: float,
    level: float,
    output: Output,
) -> int:
    """Say how many prompts an effect needs, or what effect so many prompts can show.

    PILOT is a samples file with two or more scored samples a prompt; its spread between and within
    prompts is what decides. Without one, give --between and --within, or --rate.
    """
    import msgspec

    from rubricbench.metrics.planning import plan as planned

    if pilot is None:
        spread = _given(between, within, rate)
    else:
        if not (between is within is rate is None):
            raise InputError("a pilot and deviations", hint="give the one or the other")
        spread = _measured(pilot, arm, against, proxy=proxy, gold=gold, unknown=unknown, step=step)
    found = planned(
        spread,
        effect=effect,
        prompts=prompts,
        samples=sorted(set(samples)),
        power=power,
        level=level,
    )
    output.result(msgspec.to_builtins(found), _text(found))
    return 0


def _given(between: float | None, within: float | None, rate: float | None) -> Spread:
    from rubricbench.metrics.planning import Spread

    if rate is not None and within is None:
        return Spread.of_rate(rate, between or 0.0)
    if rate is not None or (between is None and within is None):
        raise InputError(
            "no spread to plan with", hint="give a pilot, --between and --within, or --rate"
        )
    return Spread.given(between or 0.0, within or 0.0)


def _measured(pilot: Path, arm: str | None, against: str | None, **reading: Any) -> Spread:
    from rubricbench.metrics.planning import Spread
    from rubricbench.metrics.reading import read_samples

    first = read_samples(pilot, arm=arm, **reading)
    if against is None:
        return Spread.of(first)
    second = read_samples(pilot, arm=against, **reading)
    return Spread.of_difference(second, first)


def _text(found: Plan) -> str:
    from rubricbench.metrics.result import merged

    lines = [
        f"spread between prompts  {_number(found.between)}",
        f"spread within prompts   {_number(found.within)}",
    ]
    test = f"power {found.power:g}, two-sided level {found.level:g}"
    if found.target is not None:
        lines += ["", f"To find a difference of {found.target:g} ({test}):"]
        lines += [f"  {d.samples:>4} samples a prompt: {_needed(d)}" for d in found.designs]
    if found.prompts is not None:
        lines += ["", f"What {found.prompts:,} prompts can show ({test}):"]
        lines += [
            f"  {d.samples:>4} samples a prompt: {_number(d.effect)}" for d in found.detectable
        ]
    notes = merged(c for r in (found.between, found.within) for c in r.warnings)
    return "\n".join([*lines, *(f"Caution: {c.text}." for c in notes)])


def _number(result: Result) -> str:
    if result.estimate is None:
        return f"not computable: {result.reason}"
    ends = f" [{result.low:.3g}, {result.high:.3g}]" if result.interval else ""
    return f"{result.estimate:.3g}{ends}"


def _needed(design: Design) -> str:
    if design.prompts.estimate is None:
        return design.prompts.reason
    return f"{_count(design.prompts)} prompts, {_count(design.total)} samples"


def _count(result: Result) -> str:
    if result.estimate is None:
        return result.reason
    ends = f" [{result.low:,.0f} to {result.high:,.0f}]" if result.interval else ""
    return f"{result.estimate:,.0f}{ends}"
