"""What backends in this process have in common: calls gathered, a model loaded late, given back."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from rubricbench.judging.backends.chat import Chat, check_extras, read_chat
from rubricbench.judging.backends.gather import Gatherer
from rubricbench.judging.backends.memory import release_memory
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.request import Request
from rubricbench.judging.usage import Tally
from rubricbench.judging.wire import ChatAnswer

Hook = Callable[[], None]
Result = ChatAnswer | Exception


class LoadedModel(Protocol):
    """A model in memory."""

    def answers(self, chats: Sequence[Chat], halt: threading.Event) -> list[Result]:
        """Return the answers to all, in order; a failure where there is none.

        Once ``halt`` is set nobody waits for them.
        """
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


class LocalBackend(ABC):
    """A judge model in this process; an async context manager.

    It is loaded when the first call comes, and given back on leaving.

    Args:
        config: the judge.
        tally: where calls are counted.
        most: most calls that are taken up together.
        wait: seconds a first call waits for company.
        before_load: called on the worker thread before the model is loaded.

    Raises:
        InputError: ``extra_body`` holds what a local model does not heed.
    """

    def __init__(
        self,
        config: JudgeConfig,
        tally: Tally | None,
        *,
        most: int,
        wait: float,
        before_load: Hook | None,
    ) -> None:
        check_extras(config)
        self._config = config
        self._tally = tally or Tally()
        self._most, self._wait = most, wait
        self._before_load = before_load
        self._lock = threading.Lock()
        self._model: LoadedModel | None = None
        self._gatherer: Gatherer[Chat, ChatAnswer] | None = None

    @abstractmethod
    def _load(self) -> LoadedModel:
        """Load the model."""

    @property
    def url(self) -> str:
        """What is recorded as the place of its answers."""
        return self._config.url

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    async def __aenter__(self) -> Self:
        self._gatherer = Gatherer(self._work, most=self._most, wait=self._wait)
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
        """Give the model's memory back, after the batch under way; the next call loads it again.

        From any thread.
        """
        with self._lock:
            if self._model is not None:
                self._model.close()
                self._model = None
                release_memory()

    def _work(self, chats: Sequence[Chat], halt: threading.Event) -> list[Result]:
        with self._lock:
            if self._model is None:
                if self._before_load:
                    self._before_load()
                self._model = self._load()
            return self._model.answers(chats, halt)
