"""A model in this process: found by name or folder, loaded at first use, given back on demand."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import EndpointError, InputError, MissingExtraError
from rubricbench.judging.backends.tokens import ChatTokens


class LocalModel(msgspec.Struct, frozen=True):
    """A loaded model.

    Args:
        model: a causal language model of transformers', in evaluation mode.
        tokens: its tokenizer.
        ends: tokens that end an answer.
        context: tokens it can read and write in all.
        window: tokens that its attention looks back in some layers; 0 where it sees all in all.
    """

    model: Any
    tokens: ChatTokens
    ends: frozenset[int]
    context: int
    window: int = 0


def find(name: str) -> str:
    """Return what ``from_pretrained`` is to load: a folder, or a name on the Hub.

    Args:
        name: a folder, a name of our catalogue (fetched if it is not here), or one on the Hub.
    """
    from rubricbench import models

    if name in models.CATALOGUE and not Path(name).exists():
        return str(models.get(name))
    return name


def load(name: str, *, device: str = "auto", dtype: str = "auto", context: int = 0) -> LocalModel:
    """Load a model. Code in its folder is never run.

    Args:
        name: as `find` takes it.
        device: ``cpu``, ``cuda``, ``cuda:1``…; ``auto`` takes a GPU where there is one.
        dtype: ``bfloat16``, ``float16`` or ``float32``; ``auto`` takes the first on a GPU and the
            last on the CPU.
        context: less than the model's own context, to bound memory; 0 takes the model's.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        EndpointError: the model cannot be loaded.
        InputError: it is no chat model, or of a kind that cannot be scored.
    """
    require_packages("torch", "transformers")
    import torch
    import transformers

    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    dtype = ("float32" if device == "cpu" else "bfloat16") if dtype == "auto" else dtype
    where = find(name)
    with _explained(name), _quiet(transformers):
        model = transformers.AutoModelForCausalLM.from_pretrained(
            where, dtype=getattr(torch, dtype), trust_remote_code=False
        )
        model = model.to(device).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, trust_remote_code=False)
    if getattr(model, "_is_stateful", False):
        raise InputError(
            "a model with recurrent state cannot go back to score another answer",
            where=name,
            hint="serve it, and name the endpoint",
        )
    tokens = ChatTokens(tokenizer, name)
    own = context_of(model.config)
    return LocalModel(
        model, tokens, _ends(model, tokenizer), min(context or own, own), window_of(model.config)
    )


def require_packages(*packages: str, extra: str = "local") -> None:
    """Refuse to go on without these packages, before anything is asked of them.

    Raises:
        MissingExtraError: one is not installed.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, extra)


def context_of(config: Any) -> int:
    """Return how many tokens a model can read and write in all, by its configuration."""
    text = config.get_text_config()
    return int(getattr(text, "max_position_embeddings", 0) or 2048)


def window_of(config: Any) -> int:
    """Return how far back a model's attention looks where that is bounded, else 0."""
    text = config.get_text_config()
    if not getattr(text, "use_sliding_window", True):
        return 0
    return int(getattr(text, "sliding_window", None) or 0)


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    named = model.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return frozenset({*listed, tokenizer.eos_token_id} - {None})


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise EndpointError(
            f"the model cannot be loaded: {first:.200}",
            where=name,
            hint="name a folder, a model of `rubricbench models`, or one on the Hub",
        ) from error


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep progress bars off the terminal; errors are exceptions and still come."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
