"""The backend that a judge's configuration asks for."""

from __future__ import annotations

from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.client import ChatClient
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.usage import Tally


def make_backend(config: JudgeConfig, tally: Tally) -> Backend:
    """Return the backend of a judge, not yet entered.

    Args:
        config: the judge.
        tally: where attempts are counted.

    Raises:
        InputError: what the backend needs is not installed, or the key is not set.
    """
    if config.backend == "transformers":
        from rubricbench.judging.backends.transformers import TransformersBackend

        return TransformersBackend(config, tally)
    if config.backend == "vllm":
        from rubricbench.judging.backends.vllm import VLLMBackend

        return VLLMBackend(config, tally)
    return ChatClient(config, tally)
