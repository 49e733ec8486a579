"""What every command shares: ``--json``, ``--quiet`` and how a result is printed."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from rubricbench.errors import RubricbenchError

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
            click.echo(plainly(text), err=True)

    def shortfall(self, text: str) -> None:
        """Say on standard error why the exit code is not 0, quiet or not."""
        click.echo(plainly(text), err=True)

    def result(self, value: Mapping[str, Any], text: str) -> None:
        """Print a result: ``value`` as JSON, or ``text`` for people."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        if self.as_json:
            text = json.dumps(value, ensure_ascii=False, indent=2)
            if not _fits(text, encoding):
                text = json.dumps(value, indent=2)
        else:
            text = plainly(text)
        # A file name need not be Unicode, nor every terminal show what is.
        _write(text.encode(encoding, "backslashreplace").decode(encoding))


def plainly(text: str) -> str:
    """Return text whose control characters are written out: a name must not steer a terminal.

    Line feeds and tabs stay; escape sequences, carriage returns and what turns the direction of
    writing do not.
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _write(text: str) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RubricbenchError(
            f"cannot write the result: {error.strerror}", where="standard output"
        ) from error


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json`` and ``--quiet``; the command receives ``output: Output``."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.option("--quiet", "-q", is_flag=True, help="No progress, no notes.")
    @functools.wraps(command)
    def wrapper(*args: Any, as_json: bool, quiet: bool, **kwargs: Any) -> Any:
        return command(*args, output=Output(as_json, quiet), **kwargs)

    return wrapper
