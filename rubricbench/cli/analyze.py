"""``rubricbench analyze``: what rubrics are made of, and what rewards can be hacked by."""

from __future__ import annotations

import importlib

import click

# name -> (module, the object in it, one-line help); each is a file of its own, imported when used
COMMANDS = {
    "rewards": (
        "rubricbench.cli.analyze_rewards",
        "rewards",
        "What a reward can be hacked by: length, format, claims, injections.",
    ),
    "rubric": (
        "rubricbench.cli.analyze_rubric",
        "rubric",
        "What each criterion does: weight, saturation, redundancy, tail.",
    ),
    "types": (
        "rubricbench.cli.analyze_types",
        "types",
        "Types of refinements and of capabilities that are tested.",
    ),
}


class Analyses(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=Analyses, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Analyze rubrics and rewards."""
