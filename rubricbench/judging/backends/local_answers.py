"""What a loaded model answers to calls that were gathered: batches made, answered and reported."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch

from rubricbench.errors import RubricbenchError
from rubricbench.judging.backends.answering import Answered, Answerer, Answering, Step
from rubricbench.judging.backends.chat import Chat
from rubricbench.judging.backends.gather import cancelled
from rubricbench.judging.backends.local import Result
from rubricbench.judging.backends.local_model import LocalModel
from rubricbench.judging.backends.lockstep import answer_together
from rubricbench.judging.backends.memory import release_memory
from rubricbench.judging.backends.prefixes import Prefixes, grouped
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import CallFailedError
from rubricbench.judging.formats import get_format
from rubricbench.judging.wire import ChatAnswer, TokenLogprob
from rubricbench.schema import Cause


class LocalAnswers:
    """Answers of a loaded model; all that takes memory hangs on it.

    Args:
        local: the model.
        config: the judge.
        rows: most calls in a batch.
        tokens: most prompt tokens in a batch.
        kept: prompt beginnings kept for later batches, in tokens.
    """

    def __init__(
        self, local: LocalModel, config: JudgeConfig, *, rows: int, tokens: int, kept: int
    ) -> None:
        self._local = local
        self._config = config
        self._rows, self._tokens = rows, tokens
        self._answerer = Answerer(local.tokens, local.ends, local.context)
        self._prefixes = Prefixes(local.model, kept)

    def answers(self, chats: Sequence[Chat], halt: threading.Event) -> list[Result]:
        """Return the answers to all, in order; a failure's cause where there is none."""
        results: list[Result] = [cancelled() for _ in chats]
        prompts: dict[int, list[int]] = {}
        for i, chat in enumerate(chats):
            try:
                prompts[i] = self._local.tokens.prompt(chat.messages, chat.template_kwargs)
                self._begin(chat, prompts[i])
            except RubricbenchError as error:
                results[i] = error
                prompts.pop(i, None)
        numbers, texts = list(prompts), list(prompts.values())
        for group in grouped(texts, most=self._most(texts), tokens=self._tokens):
            if halt.is_set():
                break
            answers = self._batch([(chats[numbers[i]], texts[i]) for i in group], halt)
            for i, answer in zip(group, answers, strict=True):
                results[numbers[i]] = answer
        return results

    def _most(self, prompts: Sequence[list[int]]) -> int:
        """Return how many calls may share a batch.

        A window counts the places that shorter rows leave empty as well; where it matters, none do.
        """
        longest = max(map(len, prompts), default=0)
        return 1 if 0 < self._local.window < 2 * longest else self._rows

    def close(self) -> None:
        """Give the memory of kept beginnings back; the model's goes with the last reference."""
        self._prefixes.forget()

    def _begin(self, chat: Chat, prompt: list[int]) -> tuple[Answering, Step]:
        if self._config.response_format:
            parts = get_format(self._config.format).skeleton(chat.labels)
            answering = self._answerer.filled(chat, prompt, parts)
        else:
            answering = self._answerer.free(chat, prompt)
        return answering, next(answering)

    def _batch(
        self, asked: Sequence[tuple[Chat, list[int]]], halt: threading.Event
    ) -> list[Result]:
        tried = self._try(asked, halt)
        if tried is not None:
            return tried
        self._prefixes.forget()  # what the memory was too small for is tried again in halves
        release_memory()
        if len(asked) == 1:
            return [CallFailedError(Cause.SERVER_ERROR, "the device has too little memory for it")]
        half = len(asked) // 2
        return [*self._batch(asked[:half], halt), *self._batch(asked[half:], halt)]

    def _try(
        self, asked: Sequence[tuple[Chat, list[int]]], halt: threading.Event
    ) -> list[Result] | None:
        """Return a batch's answers; None where the memory is too small for it."""
        begun = [self._begin(chat, prompt) for chat, prompt in asked]
        try:
            with torch.inference_mode():
                prefix, known = self._prefixes.common_to([step.ids for _, step in begun])
                found = answer_together(self._local.model, begun, prefix, halt)
        except torch.OutOfMemoryError:
            return None
        shared = len(prefix.ids) if prefix else 0
        return [
            self._answer(chat, len(prompt), answer, min(shared if i else known, len(prompt)))
            if isinstance(answer, Answered)
            else answer
            for i, ((chat, prompt), answer) in enumerate(zip(asked, found, strict=True))
        ]

    def _answer(self, chat: Chat, prompt_tokens: int, found: Answered, cached: int) -> ChatAnswer:
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": found.tokens,
            "cached_tokens": cached,
        }
        logprobs = [
            TokenLogprob(piece.text.encode("utf-8", "replace"), piece.logprob, piece.top)
            for piece in found.pieces
        ]
        return ChatAnswer(
            text=found.text,
            reasoning="",
            finish_reason=found.finish_reason,
            model=self._config.model,
            usage=usage,
            logprobs=tuple(logprobs) if chat.top_logprobs else (),
        )
