"""GGUF to a plain model folder: dequantised once, saved in the format of the original weights."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import MissingExtraError
from rubricbench.models.catalogue import KnownModel
from rubricbench.models.folder import MARKER, Marker, Source, content_hashes
from rubricbench.runs import atomic_write
from rubricbench.runs.files import explained

# What the model was published in; the 4-bit source is coarser than that by far.
DTYPE = "bfloat16"


def convert(model: KnownModel, source: Path, target: Path) -> None:
    """Write the model into an empty folder, its marker last.

    Args:
        model: what is being converted.
        source: its GGUF file.
        target: an existing folder.

    Raises:
        MissingExtraError: torch, transformers or gguf is not installed.
        RunError: the folder cannot be written.
    """
    torch, transformers = require_torch()
    with _silent(transformers):
        weights, tokenizer = _load(transformers, source)
        _save([weights.to(getattr(torch, DTYPE)), tokenizer], target)
    _name_portable_tokenizer(target)
    marker = Marker(
        name=model.name,
        title=model.title,
        license=model.license,
        origin=model.origin,
        source=Source(
            package=model.package, version=model.version, file=model.file, sha256=model.sha256
        ),
        dtype=DTYPE,
        transformers=transformers.__version__,
        files=content_hashes(target),
    )
    pretty = msgspec.json.format(msgspec.json.encode(marker), indent=2)
    atomic_write(target / MARKER, pretty + b"\n")


def require_torch() -> tuple[Any, Any]:
    """Import and return torch and transformers.

    Raises:
        MissingExtraError: one of them, or gguf, is not installed.
    """
    try:
        import gguf  # noqa: F401
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "eval") from None
    return torch, transformers


def _load(transformers: Any, source: Path) -> tuple[Any, Any]:
    where, file = str(source.parent), source.name
    quantized = transformers.AutoModelForCausalLM.from_pretrained(where, gguf_file=file)
    # A model read from GGUF refuses to be saved; a fresh one with its weights does not.
    config = quantized.config
    del config.quantization_config
    config.name_or_path = ""
    fresh = transformers.AutoModelForCausalLM.from_config(config)
    fresh.load_state_dict(quantized.state_dict())
    return fresh, transformers.AutoTokenizer.from_pretrained(where, gguf_file=file)


def _save(parts: Sequence[Any], target: Path) -> None:
    from safetensors import SafetensorError

    with explained(target, "write the model"):
        try:
            for part in parts:
                part.save_pretrained(target)
        except SafetensorError as error:  # what a full disk becomes on its way through Rust
            raise OSError(str(error)) from None


def _name_portable_tokenizer(folder: Path) -> None:
    """Name the tokenizer by the class that every version of transformers knows."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    for passing in ("is_local", "local_files_only", "backend"):
        config.pop(passing, None)
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    atomic_write(path, json.dumps(config, indent=2, ensure_ascii=False).encode("utf-8") + b"\n")


@contextlib.contextmanager
def _silent(transformers: Any) -> Iterator[None]:
    """Keep progress bars and remarks off the terminal; errors are exceptions and still come."""
    logging = transformers.utils.logging
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
