"""What a vLLM engine answers to calls that were gathered."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from typing import Any

from vllm import SamplingParams
from vllm.sampling_params import StructuredOutputsParams

from rubricbench.errors import RubricbenchError
from rubricbench.judging.backends.chat import Chat
from rubricbench.judging.backends.form_regex import form_regex
from rubricbench.judging.backends.local import Result
from rubricbench.judging.backends.tokens import ChatTokens
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import CallFailedError
from rubricbench.judging.formats import get_format
from rubricbench.judging.wire import ChatAnswer, TokenLogprob
from rubricbench.schema import Cause


class VLLMAnswers:
    """Answers of a running engine.

    Its log-probabilities are those among the tokens that the form allows, where one is enforced:
    what the model would rather have said does not show in ``captured``.

    Args:
        llm: a ``vllm.LLM``.
        config: the judge.
    """

    def __init__(self, llm: Any, config: JudgeConfig) -> None:
        self._llm = llm
        self._config = config
        self._context = int(llm.llm_engine.model_config.max_model_len)
        self._tokens = ChatTokens(llm.get_tokenizer(), config.model)

    def answers(self, chats: Sequence[Chat], halt: threading.Event) -> list[Result]:
        """Return the answers to all, in order; a failure where there is none.

        The engine cannot be halted: it ends what it has begun.
        """
        results: dict[int, Result] = {}
        prompts: dict[int, list[int]] = {}
        for i, chat in enumerate(chats):
            try:
                prompts[i] = self._prompt(chat)
            except RubricbenchError as error:
                results[i] = error
        outputs = self._llm.generate(
            [{"prompt_token_ids": prompt} for prompt in prompts.values()],
            [self._sampling(chats[i], len(prompt)) for i, prompt in prompts.items()],
            use_tqdm=False,
        )
        for i, output in zip(prompts, outputs, strict=True):
            results[i] = self._answer(chats[i], output)
        return [results[i] for i in range(len(chats))]

    def close(self) -> None:
        """Shut the engine down, its process with it."""
        self._llm.llm_engine.engine_core.shutdown()

    def _prompt(self, chat: Chat) -> list[int]:
        prompt = self._tokens.prompt(chat.messages, chat.template_kwargs)
        if len(prompt) >= self._context:
            raise CallFailedError(
                Cause.OVERFLOW,
                f"{len(prompt):,} tokens leave no room in the engine's {self._context:,}",
            )
        return prompt

    def _sampling(self, chat: Chat, prompt_tokens: int) -> SamplingParams:
        room = self._context - prompt_tokens
        return SamplingParams(
            temperature=chat.temperature,
            max_tokens=min(chat.max_tokens or room, room),
            logprobs=chat.top_logprobs or None,
            seed=int.from_bytes(hashlib.sha256(chat.key.encode()).digest()[:4], "big"),
            structured_outputs=self._form(chat),
        )

    def _form(self, chat: Chat) -> StructuredOutputsParams | None:
        if not self._config.response_format:
            return None
        parts = get_format(self._config.format).skeleton(chat.labels)
        return StructuredOutputsParams(regex=form_regex(parts))

    def _answer(self, chat: Chat, output: Any) -> ChatAnswer:
        found = output.outputs[0]
        usage = {
            "prompt_tokens": len(output.prompt_token_ids),
            "completion_tokens": len(found.token_ids),
            "cached_tokens": output.num_cached_tokens or 0,
        }
        return ChatAnswer(
            text=found.text,
            reasoning="",
            finish_reason=found.finish_reason or "",
            model=self._config.model,
            usage=usage,
            logprobs=self._logprobs(found, chat.top_logprobs) if chat.top_logprobs else (),
        )

    def _logprobs(self, found: Any, count: int) -> tuple[TokenLogprob, ...]:
        tokens = []
        for token, entries in zip(found.token_ids, found.logprobs or (), strict=True):
            # Tokens that the form rules out have no logarithm, and do not count as listed.
            possible = [entry for entry in entries.values() if math.isfinite(entry.logprob)]
            likeliest = sorted(possible, key=lambda entry: -entry.logprob)[:count]
            top = tuple((entry.decoded_token, entry.logprob) for entry in likeliest)
            own = entries[token]
            tokens.append(TokenLogprob(own.decoded_token.encode("utf-8"), own.logprob, top))
        return tuple(tokens)
