"""A policy's own vLLM and a local judge share one GPU: one must be asleep while the other works.

TRL runs the policy's vLLM inside the training process (``vllm_mode="colocate"``). With
``vllm_enable_sleep_mode`` it gives its memory back after each generation and takes it again before
the next; rewards run in between, so a local judge finds room, and gives it back after the batch
(`RubricReward`'s ``release``). Without it the policy's vLLM keeps its share all the time.
"""

from __future__ import annotations

import os
from typing import Any

from rubricbench.errors import InputError
from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.usage import Tally


def require_policy_asleep(trainer: Any, config: JudgeConfig | None) -> None:
    """See that a local judge is not loaded beside a policy's vLLM that keeps its memory.

    Args:
        trainer: the trainer; anything else is not looked at.
        config: the judge.

    Raises:
        InputError: the policy's vLLM is in this process, and does not sleep.
    """
    if config is None or config.backend == "endpoint":
        return
    if not getattr(trainer, "use_vllm", False):
        return
    if getattr(trainer, "vllm_mode", "") != "colocate" or _on_cpu(trainer):
        return
    arguments = getattr(trainer, "args", None)
    if not getattr(arguments, "vllm_enable_sleep_mode", False):
        raise InputError(
            "the policy's vLLM keeps its memory while the judge is to be loaded beside it",
            hint="train with vllm_enable_sleep_mode=True, or put the judge behind an endpoint",
        )


def _on_cpu(trainer: Any) -> bool:
    device = getattr(getattr(trainer, "accelerator", None), "device", None)
    return getattr(device, "type", "") == "cpu"


def backend_of_rank(config: JudgeConfig | None, tally: Tally) -> Backend | None:
    """Return a local judge's backend on this rank's own GPU; None where the usual one will do.

    Several ranks train on as many GPUs of a machine. A judge's worker thread knows nothing of the
    rank's choice and would take the first GPU, on every rank.

    Args:
        config: the judge.
        tally: where its calls are counted.
    """
    number = os.environ.get("LOCAL_RANK", "")
    if config is None or config.backend != "transformers" or not number.isdigit():
        return None
    import torch

    if int(number) >= torch.cuda.device_count():
        return None
    from rubricbench.judging.backends.transformers import TransformersBackend

    return TransformersBackend(config, tally, device=f"cuda:{number}")
