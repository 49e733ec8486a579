"""A request's prompt in pieces, each with its tokens.

A prompt is cut where its parts meet: around messages, and around the response. What stands before
and behind responses recurs and is counted once; a response is counted once for all its calls. Two
pieces have, together, at most a token or two more than the same text uncut.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rubricbench.judging.fence import fenced
from rubricbench.judging.price.tokens import BYTES_PER_TOKEN, TokenCounter, byte_length

KEPT_PIECES = 4_096
MAX_KEPT_CHARS = 16 << 20
EXACT_RESPONSES = 20_000
"""So many responses are counted; of more, a sample of about this size, and the rest by bytes."""

FIRST_RESPONSES = 64  # counted whatever the sample says: the ratio for the rest begins with them


class Piece(msgspec.Struct, frozen=True):
    """A part of a prompt.

    Args:
        text: the text; of what a chat template writes, a name for it.
        tokens: how many it is.
    """

    text: str
    tokens: int


class _Message(msgspec.Struct):
    role: str
    content: str


class _Body(msgspec.Struct):
    messages: list[_Message]
    chat_template_kwargs: dict[str, Any] = {}


class PromptMeter:
    """Takes prompts apart and counts their tokens.

    Args:
        counter: counts texts.
        responses: how many responses are expected; decides the share that is counted.
    """

    def __init__(self, counter: TokenCounter, responses: int) -> None:
        self.counter = counter
        self._share = min(1.0, EXACT_RESPONSES / max(1, responses)) if counter.exact else 1.0
        self._kept: OrderedDict[str, int] = OrderedDict()
        self._kept_chars = 0
        self._gaps: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._decoder = msgspec.json.Decoder(_Body)
        self.counted = self.estimated = 0
        self._counted_bytes = self._counted_tokens = 0

    @property
    def bytes_per_token(self) -> float:
        """Of the responses counted so far."""
        return self._counted_bytes / self._counted_tokens if self._counted_tokens else 0.0

    def responses(self, texts: Sequence[str]) -> list[Piece]:
        """Return responses, fenced as prompts hold them, with their tokens."""
        whole = [fenced(text) for text in texts]
        exact = [i for i, text in enumerate(whole) if self._in_sample(text)]
        tokens = dict(zip(exact, self.counter.count([whole[i] for i in exact]), strict=True))
        self.counted += len(exact)
        self.estimated += len(whole) - len(exact)
        for i, count in tokens.items():
            self._counted_bytes += byte_length(whole[i])
            self._counted_tokens += count
        rate = self.bytes_per_token or BYTES_PER_TOKEN
        return [
            Piece(text, tokens[i] if i in tokens else round(byte_length(text) / rate))
            for i, text in enumerate(whole)
        ]

    def _in_sample(self, text: str) -> bool:
        if self._share >= 1.0 or self.counted < FIRST_RESPONSES:
            return True
        # By content, so that the sample is the same whatever the order.
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") < self._share * 2.0**64

    def pieces(self, body: bytes, response: Piece) -> list[Piece]:
        """Return the prompt of a request.

        Args:
            body: the JSON that is sent.
            response: the response it grades, as `responses` returned it.
        """
        request = self._decoder.decode(body)
        roles = tuple(message.role for message in request.messages)
        gaps = self._gap_tokens(roles, request.chat_template_kwargs)
        found = []
        for message, gap in zip(request.messages, gaps, strict=False):
            found.append(Piece(f"<{message.role}>", gap))
            found += self._content(message.content, response)
        return [*found, Piece("<answer>", gaps[-1])]

    def _content(self, content: str, response: Piece) -> list[Piece]:
        before, found, after = content.partition(response.text)
        if not found:  # neutralised on its way into the prompt, or in another message
            return [Piece(content, self._tokens(content))]
        return [
            Piece(before, self._tokens(before)), response, Piece(after, self._tokens(after))
        ]  # fmt: skip

    def _gap_tokens(self, roles: tuple[str, ...], options: Mapping[str, Any]) -> tuple[int, ...]:
        if roles not in self._gaps:
            self._gaps[roles] = self.counter.gaps(roles, options)
        return self._gaps[roles]

    def _tokens(self, text: str) -> int:
        tokens = self._kept.get(text)
        if tokens is not None:
            self._kept.move_to_end(text)
            return tokens
        tokens = self._kept[text] = self.count(text)
        self._kept_chars += len(text)
        while len(self._kept) > KEPT_PIECES or self._kept_chars > MAX_KEPT_CHARS:
            dropped, _ = self._kept.popitem(last=False)
            self._kept_chars -= len(dropped)
        return tokens

    def count(self, text: str) -> int:
        """Return the tokens of a text."""
        return self.counter.count([text])[0]
