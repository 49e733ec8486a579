"""Get a model of the catalogue: fetch, convert, and put the finished folder in place at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from rubricbench.errors import InputError
from rubricbench.models.catalogue import CATALOGUE, known
from rubricbench.models.convert import convert, require_torch
from rubricbench.models.folder import ModelStatus, default_folder, read_marker, revision_of
from rubricbench.models.source import Say, gguf_file
from rubricbench.runs.files import explained


def _nothing(line: str) -> None:
    """Say nothing."""


def get(name: str, directory: str | Path | None = None, *, say: Say = _nothing) -> Path:
    """Return the folder of a model, made on first use.

    Safe to interrupt and to run twice at once: the folder appears whole or not at all.

    Args:
        name: a name of the catalogue.
        directory: where to put it; by default a folder in the user's cache.
        say: receives one line per step.

    Raises:
        InputError: no such model, or the folder holds something else.
        MissingExtraError: torch or transformers is not installed.
        RubricbenchError: the weights cannot be fetched.
        RunError: the folder cannot be written.
    """
    model = known(name)
    folder = Path(directory) if directory else default_folder(name)
    if _is_here(folder, name):
        return folder
    require_torch()  # before the download, not after it
    with explained(folder, "make the model folder"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with gguf_file(model, say=say) as source:
            say(f"converting {model.title} to {folder}")
            convert(model, source, partial)
        _settle(partial, folder, name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _is_here(folder: Path, name: str) -> bool:
    marker = read_marker(folder)
    if marker is not None and marker.name == name:
        return True
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"the folder holds something other than {known(name).title}",
            where=str(folder),
            hint="name another one with --dir, or remove it",
        )
    return False


def _settle(partial: Path, folder: Path, name: str) -> None:
    partial.chmod(0o755)
    with explained(folder, "put the model in place"):
        try:
            os.rename(partial, folder)
        except OSError:
            if not _is_here(folder, name):  # else another process was faster
                raise


def status() -> list[ModelStatus]:
    """Return every model of the catalogue and whether it is in its default folder."""
    found = []
    for name, model in CATALOGUE.items():
        folder = default_folder(name)
        marker = read_marker(folder)
        found.append(
            ModelStatus(
                name=name,
                title=model.title,
                license=model.license,
                folder=str(folder),
                present=marker is not None,
                revision=revision_of(marker.files) if marker else "",
            )
        )
    return found
