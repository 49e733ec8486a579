"""The options that make several judges of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from rubricbench.cli.judge_options import judge_config, judge_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.judging.config import JudgeConfig

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--judges",
        type=click.Path(path_type=Path, dir_okay=False),
        help="YAML list of judges, each by JudgeConfig's fields; all grade every response.",
    ),
    click.option(
        "--replicates", type=int, help="Ask each judge so often, at a temperature above 0."
    ),
    click.option(
        "--vote",
        type=click.Choice(["share", "majority"]),
        default="share",
        show_default=True,
        help="What several verdicts come to: the share met, or a hard majority.",
    ),
)


def panel_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def all_judges(context: click.Context) -> tuple[JudgeConfig, ...]:
    """Return all judges that a command's options describe; none where they describe none.

    Args:
        context: of the command.

    Raises:
        InputError: the options contradict each other, or a judge cannot be used.
    """
    from rubricbench.judging.panel import check_members, replicates

    path, count = context.params["judges"], context.params["replicates"]
    found = _from_file(context, path) if path is not None else _from_options(context)
    if count is not None and not found:
        raise InputError("there is no judge to ask several times", hint="name one, or leave it out")
    if count is not None:
        found = [replicate for config in found for replicate in replicates(config, count)]
    if len(found) > 1:
        check_members(found)
    return tuple(found)


def _from_options(context: click.Context) -> list[JudgeConfig]:
    one = judge_config(context)
    return [] if one is None else [one]


def _from_file(context: click.Context, path: Path) -> list[JudgeConfig]:
    import msgspec

    from rubricbench.judging.judges_file import read_judges

    for parameter in getattr(judge_options(lambda: None), "__click_params__", []):
        if context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise InputError(
                f"{parameter.opts[0]} stands beside --judges",
                hint="the file says all of its judges: write it there",
            )
    found = read_judges(path)
    if context.params.get("rejudge") == "changed":
        found = [msgspec.structs.replace(config, rejudge="changed") for config in found]
    return found
