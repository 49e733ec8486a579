"""The command line that was given, for messages that say how to go on."""

from __future__ import annotations

import shlex
from collections.abc import Collection

import click
from click.core import ParameterSource


def command_line(context: click.Context, leave_out: Collection[str] = ()) -> str:
    """Return the command line that was given, in a form to paste.

    Args:
        context: of the command.
        leave_out: parameters that a run takes once, and not when it goes on.
    """
    parts = ["rubricbench", str(context.info_name)]
    for parameter in context.command.params:
        assert parameter.name is not None
        source = context.get_parameter_source(parameter.name)
        if source is not ParameterSource.COMMANDLINE or parameter.name in leave_out:
            continue
        value = context.params[parameter.name]
        for one in value if isinstance(value, tuple) else (value,):
            parts.append(parameter.opts[0])
            if not getattr(parameter, "is_flag", False):
                parts.append(str(one))
    return shlex.join(parts)
