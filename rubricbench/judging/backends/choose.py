"""The backend that a judge's configuration asks for."""

from __future__ import annotations

from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.client import ChatClient
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.price.budget import Account
from rubricbench.judging.price.spending import CappedBackend
from rubricbench.judging.usage import Tally


def make_backend(config: JudgeConfig, tally: Tally, account: Account | None = None) -> Backend:
    """Return the backend of a judge, not yet entered.

    Args:
        config: the judge.
        tally: where attempts are counted.
        account: what attempts may spend; None has no caps.

    Raises:
        InputError: what the backend needs is not installed, or the key is not set.
    """
    if config.backend == "endpoint":
        return ChatClient(config, tally, account)
    local = _local(config, tally)
    return CappedBackend(local, account) if account else local


def _local(config: JudgeConfig, tally: Tally) -> Backend:
    if config.backend == "transformers":
        from rubricbench.judging.backends.transformers import TransformersBackend

        return TransformersBackend(config, tally)
    from rubricbench.judging.backends.vllm import VLLMBackend

    return VLLMBackend(config, tally)
