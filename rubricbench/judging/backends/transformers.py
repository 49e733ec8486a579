"""A judge model in this process, by transformers: answers are scored, not hoped for.

Where the answer's form is enforced (`JudgeConfig.response_format`), the model decides the verdicts
alone, by the probabilities of the texts that may stand there; the rest of the answer is given
(`rubricbench.judging.backends.answering`). So no answer is unreadable, and none costs a decoding
step per token. ``p_met`` is there for the asking. Without the form the model writes freely.

Calls in flight are answered in batches; what their prompts begin with in common is computed once.
The model is loaded when it is first needed and given back on leaving::

    backend = TransformersBackend(JudgeConfig(model="smollm2", backend="transformers"))
    async with Judge(config, store, backend=backend) as judge:
        ...

A judge beside a policy in training: ``before_load`` is called in the moment before the weights are
loaded, to put the policy's own inference engine to sleep, and `release` gives the judge's memory
back without ending it; the next call loads it again.
"""

from __future__ import annotations

from rubricbench.judging.backends.local import Hook, LoadedModel, LocalBackend
from rubricbench.judging.backends.local_model import load, require_packages
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.usage import Tally


class TransformersBackend(LocalBackend):
    """A model of transformers' in this process; an async context manager.

    Args:
        config: the judge; its ``model`` is a folder, a name of our catalogue, or one on the Hub.
        tally: where calls are counted.
        device: ``cpu``, ``cuda``, ``cuda:1``…; ``auto`` takes a GPU where there is one.
        dtype: ``bfloat16``, ``float16`` or ``float32``; ``auto`` takes the first on a GPU and the
            last on the CPU. In 16 bits a verdict near even odds can depend on its batch.
        context: less than the model's own context, to bound memory; 0 takes the model's.
        batch_rows: most calls in a batch.
        batch_tokens: most prompt tokens in a batch.
        kept_tokens: prompt beginnings kept for later batches, in tokens.
        wait: seconds a first call waits for company.
        before_load: called before the model is loaded.

    Raises:
        InputError: ``extra_body`` holds what such a model does not heed.
        MissingExtraError: torch or transformers is not installed.
    """

    def __init__(
        self,
        config: JudgeConfig,
        tally: Tally | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        context: int = 0,
        batch_rows: int = 32,
        batch_tokens: int = 32_768,
        kept_tokens: int = 16_384,
        wait: float = 0.01,
        before_load: Hook | None = None,
    ) -> None:
        # Four batches' worth in one go, so that calls that begin alike find each other.
        super().__init__(config, tally, most=4 * batch_rows, wait=wait, before_load=before_load)
        require_packages("torch", "transformers")
        self._device, self._dtype, self._context = device, dtype, context
        self._bounds = {"rows": batch_rows, "tokens": batch_tokens, "kept": kept_tokens}

    def _load(self) -> LoadedModel:
        from rubricbench.judging.backends.local_answers import LocalAnswers

        local = load(
            self._config.model, device=self._device, dtype=self._dtype, context=self._context
        )
        return LocalAnswers(local, self._config, **self._bounds)
