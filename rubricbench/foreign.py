"""Functions of other people: found by name, and what they print stays off standard output."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rubricbench.errors import InputError


@contextlib.contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Within, standard output is standard error, for Python, C code and child processes alike.

    Standard output belongs to results: with ``--json`` it is one document.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    try:
        before = os.dup(1)
    except OSError:  # closed
        before = -1
    try:
        if before >= 0:
            with contextlib.suppress(OSError):
                os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if before >= 0:
            os.dup2(before, 1)
            os.close(before)


def load(target: str, what: str) -> Callable[..., Any]:
    """Import ``MODULE:FUNCTION``; the working directory is searched too.

    Args:
        target: dotted module, a colon, a name in it.
        what: what it is to be, for messages: ``reward``, ``map``.

    Raises:
        InputError: there is no such module or function, or the module cannot be imported.
    """
    module, _, name = target.rpartition(":")
    if not module or not name:
        raise InputError(f"no function in {target!r:.80}", hint=f"a {what} is MODULE:FUNCTION")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())  # an installed command does not look there
    try:
        with printing_to_stderr():
            found = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"cannot import {module!r:.80}: {_said(error)}",
            hint="a module that Python finds from here",
        ) from error
    function = getattr(found, name, None)
    if function is None:
        raise InputError(f"module {module!r:.80} has no {name!r:.80}")
    if not callable(function):
        raise InputError(f"{target!r:.80} is not a function")
    called: Callable[..., Any] = function
    return called


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
