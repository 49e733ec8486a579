"""What commands share that put rewards to a pool of samples with gold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.audit.rewards import RewardSpec, Setting
    from rubricbench.cli.output import Output
    from rubricbench.judging.price.plan import Plan
    from rubricbench.overopt.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--pool", required=True, type=PATH, help="Samples with gold, parquet or JSONL."),
    click.option("--out", type=PATH, help="Folder for scores, results and the page."),
    click.option("--rubrics", default="", help="For judge and checks: a file or a dataset."),
    click.option("--strategy", default="weighted_mean", show_default=True, help="Aggregation."),
    click.option("--store", type=PATH, help="Completion store of judges [default: in OUT]."),
    click.option(
        "--unknown",
        type=click.Choice(["refuse", "drop"]),
        default="refuse",
        show_default=True,
        help="Responses without a reward or gold.",
    ),
    click.option(
        "--batch", type=click.IntRange(1), default=16, show_default=True, help="Responses a call."
    ),
    click.option("--max-length", type=click.IntRange(1), help="Tokens a model reads."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of draws."),
    click.option("--resamples", type=int, default=2000, show_default=True, help="Of the prompts."),
    click.option(
        "--figures",
        type=click.Choice(["svg", "png", "csv"]),
        multiple=True,
        help="Write the charts in this form too; may be given again.",
    ),
)


def pool_options(command: Command) -> Command:
    """Add the options to a command, which must have those of judges and of spending too."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def named_rewards(context: click.Context) -> list[RewardSpec]:
    """Return the rewards that a command names.

    Raises:
        InputError: none, or one that there is not; no folder is named.
    """
    from rubricbench.audit.rewards import parse_rewards

    if not context.params["rewards"]:
        raise InputError("no reward is named", hint=f"see: {context.command_path} --help")
    if context.params["out"] is None:
        raise InputError("--out is missing", hint="name a new folder")
    return parse_rewards(context.params["rewards"])


def reward_setting(context: click.Context, *, quiet: bool) -> Setting:
    """Return what rewards need beside their names."""
    from rubricbench.audit.rewards import Setting
    from rubricbench.cli.judge_options import judge_config
    from rubricbench.cli.spending_options import caps

    options = context.params
    names = ("out", "rubrics", "strategy", "store", "prices", "batch", "max_length")
    return Setting(
        **{name: options[name] for name in names},
        judge=judge_config(context),
        caps=caps(options),
        quiet=quiet,
    )


def resampling(options: dict[str, Any]) -> Settings:
    """Return how intervals are made, and what is done with unknown rewards."""
    from rubricbench.overopt.settings import Settings

    return Settings(**{name: options[name] for name in ("seed", "resamples", "unknown")})


def show_plans(plans: Sequence[Plan], output: Output) -> None:
    """Print what the judges among rewards will cost."""
    from rubricbench.cli.spending_options import print_plans

    if plans:
        print_plans(plans, output)
    else:
        text = "no judge is among the rewards: no calls"
        output.result({"plans": [], "calls": 0, "cost": 0}, text)
