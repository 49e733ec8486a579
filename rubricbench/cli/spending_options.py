"""What a run of the judge costs: the plan before it, and the caps on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rubricbench.cli.output import Output

if TYPE_CHECKING:
    from rubricbench.judging.files import Graded, Job
    from rubricbench.judging.files.planned import PlanOptions
    from rubricbench.judging.price.budget import Caps
    from rubricbench.judging.price.plan import Plan

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--plan", is_flag=True, help="Say what the run will ask and cost; send and write nothing."
    ),
    click.option("--prices", type=FILE, help="Price file of your own, in place of ours."),
    click.option(
        "--tokenizer",
        default="",
        help="For the plan: a folder, a name in the Hub cache, or a tiktoken encoding.",
    ),
    click.option(
        "--prefix-cache",
        default="",
        help="For the plan: openai, gemini, vllm, sglang, none or MINIMUM:BLOCK in tokens.",
    ),
    click.option("--max-calls", type=int, help="Stop after so many calls, repeated ones included."),
    click.option(
        "--max-tokens", "cap_tokens", type=int, help="Stop before so many tokens are passed."
    ),
    click.option("--max-cost", type=float, help="Stop before this cost is passed."),
)


def spending_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def caps(options: dict[str, Any]) -> Caps:
    """Return the caps that options set.

    Raises:
        InputError: one is not positive.
    """
    from rubricbench.judging.price.budget import Caps

    return Caps(calls=options["max_calls"], tokens=options["cap_tokens"], cost=options["max_cost"])


def plan_options(options: dict[str, Any]) -> PlanOptions:
    """Return how a plan is to be made."""
    from rubricbench.judging.files.planned import PlanOptions

    return PlanOptions(tokenizer=options["tokenizer"], prefix_cache=options["prefix_cache"])


def print_plans(plans: Sequence[Plan], output: Output) -> None:
    """Print the plans of a run's judges, and what they come to together."""
    import msgspec

    from rubricbench.judging.price.text import plans_text

    costs = [plan.cost for plan in plans if plan.cost is not None]
    document = {
        "plans": msgspec.to_builtins(plans),
        "calls": sum(plan.calls for plan in plans),
        "cost": sum(costs) if len(costs) == len(plans) else None,
    }
    output.result(document, plans_text(plans))


def show_plan(job: Job, options: dict[str, Any], output: Output) -> int:
    """Print the plan of a run.

    Raises:
        InputError: a file or an option cannot be used.
        StoreError: the store cannot be read.
    """
    from rubricbench.judging.files.planned import plan_files

    print_plans(plan_files(job, plan_options(options), quiet=output.quiet), output)
    return 0


def used_up_text(graded: Graded, again: str) -> str:
    """Return why a run ended by a cap, and what to do, for people.

    Args:
        graded: what the run has come to.
        again: its command line.
    """
    spent = graded.spent
    assert spent is not None
    name = {"calls": "--max-calls", "tokens": "--max-tokens", "cost": "--max-cost"}[graded.used_up]
    lost = f"{graded.summary.lost:,} responses are not judged in full."
    if not spent.calls:  # the same command would end here again
        return (
            f"{name} has no room for one call, whose answer may have --max-answer-tokens: {lost} "
            f"Raise {name}, or lower --max-answer-tokens in a new --out."
        )
    return (
        f"{name} is used up ({spent.text()}): {lost} What was answered is kept. "
        f"Each start has the whole of its caps. To go on:\n  {again}"
    )
