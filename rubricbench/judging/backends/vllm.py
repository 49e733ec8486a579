"""A judge model in this process, by vLLM: for many calls on GPUs, without a server.

Structured outputs hold the model to the answer's form (`JudgeConfig.response_format`,
`rubricbench.judging.backends.form_regex`), and the prefix cache is on, so what prompts begin with
in common is computed once. Calls in flight go to the engine together. The engine is started when it
is first needed and shut down on leaving; what `rubricbench.judging.backends.transformers` says of a
policy's memory holds here, too.

Conversations are encoded here and not by ``LLM.chat``, which would read control tokens in a
response (`rubricbench.judging.backends.tokens`); beyond that nothing is done otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rubricbench.errors import EndpointError
from rubricbench.judging.backends.local import Hook, LoadedModel, LocalBackend
from rubricbench.judging.backends.local_model import find, require_packages
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.usage import Tally


class VLLMBackend(LocalBackend):
    """A model of vLLM's in this process; an async context manager.

    Args:
        config: the judge; its ``model`` is a folder, a name of our catalogue, or one on the Hub.
        tally: where calls are counted.
        engine: further arguments of ``vllm.LLM``, such as ``tensor_parallel_size``,
            ``gpu_memory_utilization`` or ``max_model_len``.
        most: most calls that go to the engine together; it makes its batches of them.
        wait: seconds a first call waits for company.
        before_load: called before the engine is started.

    Raises:
        InputError: ``extra_body`` holds what such a model does not heed.
        MissingExtraError: vLLM is not installed.
    """

    def __init__(
        self,
        config: JudgeConfig,
        tally: Tally | None = None,
        *,
        engine: Mapping[str, Any] | None = None,
        most: int = 512,
        wait: float = 0.01,
        before_load: Hook | None = None,
    ) -> None:
        super().__init__(config, tally, most=most, wait=wait, before_load=before_load)
        require_packages("vllm", extra="vllm")
        self._engine = dict(engine or {})

    def _load(self) -> LoadedModel:
        import vllm

        from rubricbench.judging.backends.vllm_answers import VLLMAnswers

        options = {"enable_prefix_caching": True, "trust_remote_code": False, **self._engine}
        try:
            llm = vllm.LLM(model=find(self._config.model), **options)
        except (OSError, ValueError, RuntimeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise EndpointError(
                f"vLLM cannot load the model: {first:.200}", where=self._config.model
            ) from error
        return VLLMAnswers(llm, self._config)
