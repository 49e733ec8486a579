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
back without ending it; the next call loads it again. Load and memory are on the worker thread: both
may be called from any.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rubricbench.judging.backends.chat import Chat, check_extras, read_chat
from rubricbench.judging.backends.gather import Gatherer
from rubricbench.judging.backends.local_model import Hook, load, release_memory, require_packages
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.request import Request
from rubricbench.judging.usage import Tally
from rubricbench.judging.wire import ChatAnswer

if TYPE_CHECKING:
    from rubricbench.judging.backends.local_answers import LocalAnswers, Result


class TransformersBackend:
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
        check_extras(config)
        require_packages("torch", "transformers")
        self._config = config
        self._tally = tally or Tally()
        self._device, self._dtype, self._context = device, dtype, context
        self._rows, self._tokens, self._kept = batch_rows, batch_tokens, kept_tokens
        self._wait = wait
        self._before_load = before_load
        self._lock = threading.Lock()
        self._loaded: LocalAnswers | None = None
        self._gatherer: Gatherer[Chat, ChatAnswer] | None = None

    @property
    def url(self) -> str:
        """What is recorded as the place of its answers."""
        return self._config.url

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    async def __aenter__(self) -> Self:
        # Four batches' worth in one go, so that calls that begin alike find each other.
        self._gatherer = Gatherer(self._work, most=4 * self._rows, wait=self._wait)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._gatherer:
            await self._gatherer.close()
        self.release()

    async def complete(self, request: Request) -> ChatAnswer:
        """Answer a request in some batch.

        Raises:
            CallFailedError: ``overflow``: it is longer than the model's context; ``cancelled``:
                the judge was stopped.
            RubricbenchError: the model cannot be loaded, or refuses conversations like this.
        """
        assert self._gatherer is not None, "the backend is an async context manager"
        self._tally.attempts += 1
        return await self._gatherer.submit(read_chat(request))

    def stop(self) -> None:
        """Begin no further batch."""
        if self._gatherer:
            self._gatherer.stop()

    def release(self) -> None:
        """Give the model's memory back, after the batch under way; the next call loads it again."""
        with self._lock:
            if self._loaded is not None:
                self._loaded = None
                release_memory()

    def _work(self, chats: Sequence[Chat], halt: threading.Event) -> list[Result]:
        with self._lock:
            self._loaded = self._loaded or self._load()
            return self._loaded.answers(chats, halt)

    def _load(self) -> LocalAnswers:
        if self._before_load:
            self._before_load()
        local = load(
            self._config.model, device=self._device, dtype=self._dtype, context=self._context
        )
        from rubricbench.judging.backends.local_answers import LocalAnswers

        return LocalAnswers(
            local, self._config, rows=self._rows, tokens=self._tokens, kept=self._kept
        )
