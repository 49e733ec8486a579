"""A local model for lm-eval whose every generation is stored: a killed run repeats nothing.

The model itself is made only when something is missing, so a run whose generations are all there
needs no torch. What is asked is keyed as messages, before the chat template: the template belongs
to the model's revision.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
from lm_eval.api.model import LM

from rubricbench.canonical import canonical_json
from rubricbench.lmeval.generation import Generation
from rubricbench.progress import Progress
from rubricbench.store import Completion, Store, request_key


class Answerer(Protocol):
    """What a `StoredModel` asks for missing responses (`rubricbench.lmeval.local.LocalModel`)."""

    def apply_chat_template(self, chat_history: list[dict[str, str]]) -> str:
        """Render turns as a prompt."""

    def answer(
        self,
        prompts: Sequence[str],
        settings: Mapping[str, Any],
        advance: Callable[[int], None],
    ) -> Sequence[Any]:
        """Generate for a batch of prompts; each answer has text, finish_reason and tokens."""


class ChatPrompt(str):
    """Turns as JSON text, to be rendered by the model's own template when it comes to it."""

    __slots__ = ()


class _Request(NamedTuple):
    key: str
    identity: bytes
    prompt: str
    settings: Mapping[str, Any]


class StoredModel(LM):  # type: ignore[misc]  # lm-eval ships no types
    """An lm-eval model that looks into a store before it generates.

    Args:
        store: where generations are kept.
        identity: what the answers depend on beside prompt and settings: the model's revision, its
            number format.
        name: name of the model, recorded.
        make: makes the model when it is first needed.
        batch_size: prompts generated, and stored, together.
        progress: makes the display for a number of tokens, the most that may be generated.
        check: called before each batch; raises where the work is to stop.
    """

    def __init__(
        self,
        store: Store,
        *,
        identity: Mapping[str, str],
        name: str,
        make: Callable[[], Answerer],
        batch_size: int,
        progress: Callable[[int], Progress],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._store = store
        self._identity = dict(identity)
        self._name = name
        self._make = make
        self._model: Answerer | None = None
        self._batch_size = batch_size
        self._progress = progress
        self._check = check

    def generate_until(self, requests: list[Any]) -> list[str]:
        """Return the stored responses, generating those that are not there."""
        asked = [self._request(*request.args) for request in requests]
        unique = {request.key: request for request in asked}
        found = self._store.get_many(list(unique))
        # Batches depend on what is asked alone, not on what is there already: padding, and with it
        # the last bits of a response, must not depend on where an earlier run was cut off.
        batches = [b for b in self._batches(unique.values()) if any(r.key not in found for r in b)]
        if batches:
            tokens = sum(request.settings["max_gen_toks"] for b in batches for request in b)
            with self._progress(tokens) as shown:
                for batch in batches:
                    self._generate(batch, shown.advance)
        found = self._store.get_many(list(unique))
        return [Generation(found[r.key].text, found[r.key].finish_reason) for r in asked]

    def _request(self, prompt: str, settings: Mapping[str, Any]) -> _Request:
        asked = {"messages" if isinstance(prompt, ChatPrompt) else "prompt": str(prompt)}
        key, identity = request_key({**self._identity, **asked, "generation": dict(settings)})
        return _Request(key, identity, prompt, settings)

    def _batches(self, requests: Iterable[_Request]) -> list[list[_Request]]:
        def settings(request: _Request) -> bytes:
            return canonical_json(request.settings)

        # Equal lengths together, longest first: least padding, and memory is tried out at once.
        ordered = sorted(requests, key=lambda r: (settings(r), -len(r.prompt), r.key))
        batches = []
        for _, group in itertools.groupby(ordered, key=settings):
            alike = list(group)
            starts = range(0, len(alike), self._batch_size)
            batches += [alike[start : start + self._batch_size] for start in starts]
        return batches

    def _generate(self, batch: Sequence[_Request], advance: Callable[[int], None]) -> None:
        if self._model is None:
            self._model = self._make()
        self._check()
        prompts = [self._rendered(self._model, request.prompt) for request in batch]
        answers = self._model.answer(prompts, batch[0].settings, advance)
        for request, answer in zip(batch, answers, strict=True):
            self._store.put(
                Completion(
                    key=request.key,
                    request=request.identity,
                    text=answer.text,
                    finish_reason=answer.finish_reason,
                    usage={"completion_tokens": answer.tokens},
                    model=self._name,
                    created=time.time(),
                )
            )
        self._store.flush()

    @staticmethod
    def _rendered(model: Answerer, prompt: str) -> str:
        if isinstance(prompt, ChatPrompt):
            return model.apply_chat_template(msgspec.json.decode(str(prompt)))
        return prompt

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """Keep the turns as they are; the model renders them when they are generated for."""
        return ChatPrompt(canonical_json(chat_history).decode("utf-8"))

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        """Refuse: only generations are stored."""
        raise NotImplementedError("only generations are stored")

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
        """Refuse: only generations are stored."""
        raise NotImplementedError("only generations are stored")

    @property
    def tokenizer_name(self) -> str:
        """Name for lm-eval's request cache."""
        return self._name
