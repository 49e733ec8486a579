"""``rubricbench overopt``: how far a reward can be optimised before it stops meaning anything."""

from __future__ import annotations

import importlib

import click

# name -> (module, one-line help); the help is here so that listing commands loads nothing.
COMMANDS = {
    "report": ("overopt_report", "All of it in one page, from runs and scored samples."),
    "curve": ("overopt_curve", "Training runs: peak, drop, onset, gap, area, fits, drift."),
    "bon": ("overopt_bon", "Scored samples: best-of-n, tilt, tail accuracy, theory."),
    "compare": ("overopt_compare", "Arms in pairs on the same prompts."),
    "validate": ("overopt_validate", "What a table allows, and what it lacks."),
    "plan": ("overopt_plan", "How many prompts a comparison needs."),
}


class OveroptGroup(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        name = COMMANDS[cmd_name][0]
        command = getattr(importlib.import_module(f"rubricbench.cli.{name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=OveroptGroup)
def command() -> None:
    """Measure reward over-optimization on your own scores.

    Tables are parquet, JSONL or CSV: scored samples (prompt_id, proxy, gold), trajectories of
    training runs (step, prompt_id, gold, …) or published points (arm, step, gold). docs/tables.md
    has them all. Start with `overopt validate FILE`.
    """
