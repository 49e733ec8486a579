"""The model a quickstart scores: SmolLM2 from the package index, or a folder of the user's."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from rubricbench import models
from rubricbench.errors import MissingExtraError
from rubricbench.models.source import Say

DEFAULT = "smollm2"
_NEEDED = ("lm_eval", "torch", "transformers")


@dataclass(frozen=True)
class ModelUnderTest:
    """A model folder and what identifies it.

    Args:
        name: name in the report.
        folder: where it is.
        revision: content id of the folder.
        dtype: number format it is run in.
        chat: whether it has a chat template.
    """

    name: str
    folder: Path
    revision: str
    dtype: str
    chat: bool


def require_extras() -> None:
    """Check that what a model needs is installed, without importing it.

    Raises:
        MissingExtraError: something is not.
    """
    for package in _NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "eval")


def resolve(model: str | Path | None, *, say: Say) -> ModelUnderTest:
    """Return the model, fetching SmolLM2 on first use.

    Raises:
        InputError: the folder is no model folder.
        RubricbenchError: SmolLM2 cannot be fetched.
    """
    if model is None:
        folder, name = models.get(DEFAULT, say=say), models.known(DEFAULT).title
        dtype = "bfloat16" if _fast_bfloat16() else "float32"
    else:
        folder, dtype = Path(model), "auto"
        name = folder.resolve().name
    return ModelUnderTest(
        name=name,
        folder=folder,
        revision=models.revision(folder),
        dtype=dtype,
        chat=_has_chat_template(folder),
    )


def _fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself: twice as fast then, slower otherwise."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(isinstance(config, dict) and config.get("chat_template"))
