"""Conversations and answers as tokens, with nothing untrusted turning into a control token.

A tokenizer reads ``<|im_end|>`` as the token that ends a turn wherever it stands, also in a
response that somebody wrote to end the judge's turn with. So the chat template is rendered around
placeholders, and it is known which characters of the whole text are contents. Where one of the
tokenizer's added tokens (special ones, ``<think>``, ``<tool_call>``) covers any of them, the text
is cut inside it and both sides are encoded on their own: the judge then reads the same characters
as ordinary text. A text without such strings is encoded in one piece, as a server would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rubricbench.errors import InputError

_TRIES = 8  # nested strings that become control tokens once the outer one is cut


class Encoded(msgspec.Struct, frozen=True):
    """An answer as tokens.

    Args:
        ids: the tokens.
        ends: for each, the position in the text behind its last character.
    """

    ids: list[int]
    ends: list[int]


class ChatTokens:
    """The tokens of one model's conversations.

    Args:
        tokenizer: a tokenizer of transformers', of the fast kind, with a chat template.
        where: what to name in errors.

    Raises:
        InputError: there is no chat template, or the tokenizer cannot say where tokens stand.
    """

    def __init__(self, tokenizer: Any, where: str) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise InputError(
                "the model has no chat template", where=where, hint="take a chat model"
            )
        if not tokenizer.is_fast:
            raise InputError("the model's tokenizer has no fast form", where=where)
        self._tokenizer = tokenizer
        self._where = where
        # Of one character or of blanks alone they are ordinary text that was given a token.
        self._control = frozenset(
            number
            for number, token in tokenizer.added_tokens_decoder.items()
            if len(token.content) > 1 and not token.content.isspace()
        )

    def prompt(
        self, messages: Sequence[Mapping[str, str]], template_kwargs: Mapping[str, Any]
    ) -> list[int]:
        """Return the tokens of a conversation, up to where the model's answer begins.

        Raises:
            InputError: the chat template refuses the conversation.
        """
        text, contents = self._rendered(messages, template_kwargs)
        return self._guarded(text, contents, _TRIES)

    def answer(self, text: str) -> Encoded:
        """Return the tokens of (the start of) an answer of fixed form, which is trusted text."""
        found = self._encode(text)
        return Encoded(found["input_ids"], [end for _, end in found["offset_mapping"]])

    def text(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Return what tokens say; control tokens only if ``special``."""
        decoded: str = self._tokenizer.decode(
            ids, skip_special_tokens=not special, clean_up_tokenization_spaces=False
        )
        return decoded

    def _rendered(
        self, messages: Sequence[Mapping[str, str]], template_kwargs: Mapping[str, Any]
    ) -> tuple[str, list[tuple[int, int]]]:
        """Return the conversation as text, and the spans of it that are messages' contents."""
        contents = [message["content"] for message in messages]
        salt = hashlib.sha256("\x00".join(contents).encode("utf-8", "surrogatepass")).hexdigest()
        marks = [f"{salt}x{i}x" for i in range(len(contents))]
        marked = [{**m, "content": mark} for m, mark in zip(messages, marks, strict=True)]
        text = self._apply(marked, template_kwargs)
        whole, spans = "", []
        for mark, content in zip(marks, contents, strict=True):
            before, found, text = text.partition(mark)
            if not found:
                raise InputError("the chat template leaves out a message", where=self._where)
            whole += before
            spans.append((len(whole), len(whole) + len(content)))
            whole += content
        return whole + text, spans

    def _apply(self, messages: list[dict[str, str]], template_kwargs: Mapping[str, Any]) -> str:
        from jinja2 import TemplateError

        try:
            text: str = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, **template_kwargs
            )
        except TemplateError as error:
            if messages[0]["role"] == "system" and len(messages) > 1:
                return self._apply(_without_system(messages), template_kwargs)
            raise InputError(
                f"the chat template refuses the conversation: {error}", where=self._where
            ) from None
        return text

    def _guarded(self, text: str, untrusted: Sequence[tuple[int, int]], tries: int) -> list[int]:
        found = self._encode(text)
        ids: list[int] = found["input_ids"]
        cuts = [
            cut
            for number, span in zip(ids, found["offset_mapping"], strict=True)
            if number in self._control and (cut := _cut(span, untrusted))
        ]
        if not cuts:
            return ids
        if not tries:
            raise InputError("a text holds control tokens that cannot be told", where=self._where)
        pieces = zip([0, *cuts], [*cuts, len(text)], strict=True)
        return [
            number
            for start, end in pieces
            for number in self._guarded(text[start:end], _within(untrusted, start, end), tries - 1)
        ]

    def _encode(self, text: str) -> Any:
        return self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)


def _cut(token: tuple[int, int], spans: Sequence[tuple[int, int]]) -> int:
    """Return where to cut a control token that covers untrusted text; 0 if it covers none."""
    start, end = token
    for first, last in spans:
        low, high = max(start, first), min(end, last)
        if low < high:  # inside the token, so that neither side is the whole of it
            return min(max((low + high) // 2, start + 1), end - 1)
    return 0


def _within(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    cut = [(max(first, start) - start, min(last, end) - start) for first, last in spans]
    return [(first, last) for first, last in cut if first < last]


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put the system message before the first turn, for templates that know none."""
    system, first, *others = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *others]
