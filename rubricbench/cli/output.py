"""What every command shares: ``--json``, ``--quiet`` and how a result is printed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True)
class Output:
    """How to print.

    Args:
        as_json: results as one JSON document on standard output, nothing else there.
        quiet: no progress and no notes, only results and errors.
    """

    as_json: bool
    quiet: bool

    def note(self, text: str) -> None:
        """Print a remark to standard error, unless quiet."""
        if not self.quiet:
            click.echo(text, err=True)

    def shortfall(self, text: str) -> None:
        """Say on standard error why the exit code is not 0, quiet or not."""
        click.echo(text, err=True)

    def result(self, value: Mapping[str, Any], text: str) -> None:
        """Print a result: ``value`` as JSON, or ``text`` for people."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        else:
            click.echo(text)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json`` and ``--quiet``; the command receives ``output: Output``."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.option("--quiet", "-q", is_flag=True, help="No progress, no notes.")
    @functools.wraps(command)
    def wrapper(*args: Any, as_json: bool, quiet: bool, **kwargs: Any) -> Any:
        return command(*args, output=Output(as_json, quiet), **kwargs)

    return wrapper
