"""lm-eval's Hugging Face model, with how each response ended and progress while it generates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from rubricbench.errors import InputError

Advance = Callable[[int], None]


class Answer(NamedTuple):
    """One generated response.

    Args:
        text: the response, as lm-eval gives it.
        finish_reason: ``stop``, or ``length`` at the token limit.
        tokens: tokens generated, the end token among them.
    """

    text: str
    finish_reason: str
    tokens: int


class LocalModel(HFLM):  # type: ignore[misc]  # lm-eval ships no types
    """A model folder, run in this process by lm-eval's own code.

    Args:
        folder: what ``from_pretrained`` loads; code in it is never run.
        dtype: ``bfloat16``, ``float32`` or ``auto``.
    """

    def __init__(self, folder: Path, *, dtype: str) -> None:
        self._advance: Advance = lambda tokens: None
        self._endings: list[tuple[str, int]] = []
        super().__init__(
            pretrained=str(folder),
            dtype=dtype,
            device="cuda" if torch.cuda.is_available() else "cpu",
            trust_remote_code=False,
            batch_size=1,
        )

    def answer(
        self, prompts: Sequence[str], settings: Mapping[str, Any], advance: Advance
    ) -> list[Answer]:
        """Generate for prompts as one batch.

        Args:
            prompts: rendered, chat template applied.
            settings: lm-eval's generation settings.
            advance: told of tokens as they are generated, and at the end of those that an early
                end has spared.

        Raises:
            InputError: the model has no room for so many tokens.
        """
        if settings["max_gen_toks"] >= self.max_length:
            raise InputError(
                f"the model reads and writes {self.max_length:,} tokens in all; "
                f"a response of {settings['max_gen_toks']:,} leaves none for the prompt",
                hint="lower --max-gen-toks",
            )
        # lm-eval sorts a batch by length; sorted beforehand, its rows keep our order.
        order = sorted(
            range(len(prompts)), key=lambda i: (-len(self.tok_encode(prompts[i])), prompts[i])
        )
        requests = [
            Instance("generate_until", {}, (prompts[i], dict(settings)), n, ("", n, 1))
            for n, i in enumerate(order)
        ]
        self.batch_size_per_gpu = len(prompts)
        self._advance = advance
        self._endings.clear()
        texts = super().generate_until(requests, disable_tqdm=True)
        answers = [Answer("", "", 0)] * len(prompts)
        for i, text, (ending, tokens) in zip(order, texts, self._endings, strict=True):
            answers[i] = Answer(text, ending, tokens)
        return answers

    def _model_generate(
        self, context: Any, max_length: int, stop: list[str], **settings: Any
    ) -> Any:
        rows, start = context.shape
        room, steps = max_length - start, 0

        def count(input_ids: Any, scores: Any) -> Any:
            nonlocal steps
            steps += 1
            self._advance(rows)
            return scores

        output = super()._model_generate(
            context, max_length=max_length, stop=stop, logits_processor=[count], **settings
        )
        self._advance(rows * (room - steps))
        self._endings += [self._ending(row, room, stop) for row in output[:, start:].tolist()]
        return output

    def _ending(self, tokens: list[int], room: int, stop: list[str]) -> tuple[str, int]:
        ends = self._end_tokens()
        length = next((i + 1 for i, token in enumerate(tokens) if token in ends), len(tokens))
        if length < room or tokens[length - 1] in ends:
            return "stop", length
        text = self.tok_decode(tokens)
        return ("stop" if any(s and s in text for s in stop) else "length"), length

    def _end_tokens(self) -> set[int]:
        named = self.model.generation_config.eos_token_id
        listed = named if isinstance(named, list) else [named]
        return {self.eot_token_id, *listed} - {None}
