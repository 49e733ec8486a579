"""The command line: thin. Each file of this package parses one command, calls, and prints.

Subcommands load by name on first use, so ``rubricbench --help`` imports none of them.
Exit codes: 0 done, 1 failed or finished incompletely, 2 bad usage or input, 130 interrupted
(Ctrl-C or SIGTERM).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import signal
import sys

import click

import rubricbench
from rubricbench.cli.output import plainly
from rubricbench.errors import InputError, RubricbenchError

# name -> (module, one-line help); the help is here so that listing commands loads nothing.
COMMANDS = {
    "quickstart": ("rubricbench.cli.quickstart", "Score a real small model and open the report."),
    "data": ("rubricbench.cli.data", "Show, validate and describe rubric datasets."),
    "build": ("rubricbench.cli.build", "Build rubric datasets."),
    "judge": ("rubricbench.cli.judge", "Grade responses against rubrics with a judge model."),
    "serve-reward": ("rubricbench.cli.serve_reward", "Serve rubric rewards to trainers over HTTP."),
    "certify": ("rubricbench.cli.certify", "Measure a judge on labels; correct and bridge scores."),
    "audit": ("rubricbench.cli.audit", "How far any reward can be optimised, without training."),
    "overopt": ("rubricbench.cli.overopt", "Measure reward over-optimization on your scores."),
    "theory": ("rubricbench.cli.theory", "What the theory predicts, for a map or your reward."),
    "analyze": ("rubricbench.cli.analyze", "What rubrics are made of, what rewards are hacked by."),
    "tasks": ("rubricbench.cli.tasks", "Where the lm-eval tasks are."),
    "store": ("rubricbench.cli.store", "Inspect, export, import and verify completion stores."),
    "models": ("rubricbench.cli.models", "Fetch the small model that the quickstart scores."),
    "doctor": ("rubricbench.cli.doctor", "What is installed here and what each extra enables."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(rubricbench.__version__, prog_name="rubricbench")
def cli() -> None:
    """Rubric datasets, lm-eval tasks and baselines that measure reward over-optimization."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit."""
    arguments = sys.argv[1:] if argv is None else argv
    with contextlib.suppress(ValueError):  # outside the main thread, where no signal arrives
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = cli.main(args=arguments, prog_name="rubricbench", standalone_mode=False)
    except RubricbenchError as error:
        code = _report(error, as_json="--json" in arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        code = _report(_usage(error), as_json="--json" in arguments)
    except (click.Abort, KeyboardInterrupt):
        code = 130  # a command that can be resumed has said how
    # Under ``python -m``, an interrupt that passed through an exec (imports do that) makes the
    # interpreter end itself by signal, although it was caught. A clean exec takes that back.
    exec("")
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: click.ClickException) -> InputError:
    """Return click's error as one of ours, without the usage text before it."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "rubricbench"
    return InputError(error.format_message().rstrip("."), hint=f"see: {path} --help")


def _report(error: RubricbenchError, *, as_json: bool) -> int:
    if as_json:
        fault = {"error": error.what, "where": error.where, "hint": error.hint}
        click.echo(json.dumps(fault, ensure_ascii=False), err=True)
    else:
        click.echo(plainly(f"error: {error}"), err=True)
    return error.exit_code
