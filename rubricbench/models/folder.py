"""Model folders: where they are, what their marker says, and a hash that identifies their content.

The default place is ``$RUBRICBENCH_HOME/models``, else ``$XDG_CACHE_HOME/rubricbench/models``, else
``~/.cache/rubricbench/models``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rubricbench.canonical import content_id
from rubricbench.errors import InputError
from rubricbench.models.catalogue import known
from rubricbench.runs import file_hash

MARKER = "rubricbench_model.json"
# What decides a model's answers: weights, configuration, tokenizer, chat template.
_CONTENT = ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The file that a model was converted from."""

    package: str
    version: str
    file: str
    sha256: str


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside the weights of a converted model.

    Args:
        name: name in the catalogue.
        title: name of the model.
        license: SPDX identifier of the weights.
        origin: where the weights were first published.
        source: the file they were converted from.
        dtype: number format of the saved weights.
        transformers: version that wrote the folder.
        files: SHA-256 of every file of the model, by name.
    """

    name: str
    title: str
    license: str
    origin: str
    source: Source
    dtype: str
    transformers: str
    files: dict[str, str]


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the catalogue and whether it is here."""

    name: str
    title: str
    license: str
    folder: str
    present: bool
    revision: str


def models_home() -> Path:
    """Return the folder that model folders are kept in; it need not exist."""
    if home := os.environ.get("RUBRICBENCH_HOME"):
        return Path(home) / "models"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "rubricbench" / "models"


def default_folder(name: str) -> Path:
    """Return where a model of the catalogue is kept unless a folder is named."""
    return models_home() / known(name).title


def path(name: str, directory: str | Path | None = None) -> Path:
    """Return the folder of a model that is here.

    Raises:
        InputError: it is not, or there is no model of that name.
    """
    folder = Path(directory) if directory else default_folder(name)
    if read_marker(folder) is None:
        raise InputError(
            f"{known(name).title} is not here",
            where=str(folder),
            hint=f"fetch it with: rubricbench models get {name}",
        )
    return folder


def read_marker(folder: Path) -> Marker | None:
    """Return the marker of a complete converted model, or None."""
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=Marker)
    except (OSError, msgspec.DecodeError):
        return None


def content_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that decides the model's answers, by name."""
    names = {file.name for pattern in _CONTENT for file in folder.glob(pattern)} - {MARKER}
    return {name: file_hash(folder / name) for name in sorted(names)}


def revision(folder: str | Path) -> str:
    """Return the content id of a model folder: equal exactly for equal weights and tokenizer.

    Reads every byte, about a second per gigabyte.

    Raises:
        InputError: the folder is not there or holds no model.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise InputError(
            "no model folder: config.json is missing",
            where=str(folder),
            hint="name a folder that from_pretrained() can load, or leave --model out",
        )
    return revision_of(content_hashes(folder))


def revision_of(files: Mapping[str, str]) -> str:
    """Return the content id of a set of file hashes."""
    return content_id("m", dict(files))
