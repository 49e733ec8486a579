"""How a local model answers one request, step by step.

Each answer is a generator: it yields what it wants of the model next and is sent what the model
says, and knows nothing of the other answers in its batch (`rubricbench.judging.backends.lockstep`).

Where the answer's form is known, only its verdicts are the model's. At each of them both texts that
may stand there are put behind the answer so far, followed by what comes next anyway, and all of it
is cut into tokens as the tokenizer would; the likelier one is taken. What is compared is the
probability of the tokens that differ, up to the one that ends the verdict, so it does not matter
whether a verdict is a token, a part of one or several.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Generator, Sequence

import msgspec

from rubricbench.judging.backends.chat import Chat
from rubricbench.judging.backends.sequences import common_length
from rubricbench.judging.backends.tokens import ChatTokens
from rubricbench.judging.faults import CallFailedError
from rubricbench.judging.formats import Part, Quote, Slot
from rubricbench.schema import Cause

QUOTE_TOKENS = 48  # fifteen words are asked for
_STRING_END = re.compile(r'((?:[^"\\\x00-\x1f]|\\.)*)["\x00-\x1f]', re.DOTALL)


class Score(msgspec.Struct, frozen=True):
    """Wants probabilities: behind ``ids``, and behind each start of them that is a little shorter.

    Args:
        ids: the tokens the model is to have read.
        reads: tokens whose probabilities are wanted, a list for each of the last positions of
            ``ids``, oldest first.
    """

    ids: list[int]
    reads: list[list[int]]


class Draw(msgspec.Struct, frozen=True):
    """Wants the token that comes next.

    Args:
        ids: the tokens the model is to have read.
        temperature: 0 takes the likeliest token.
        point: number in [0, 1) that decides the draw.
        top: likeliest tokens that are wanted, too.
    """

    ids: list[int]
    temperature: float
    point: float
    top: int


class Drawn(msgspec.Struct, frozen=True):
    """A token that was drawn.

    Args:
        token: the token.
        logprob: its log-probability (nats, at temperature 1).
        top: the likeliest tokens, with theirs.
    """

    token: int
    logprob: float
    top: list[tuple[int, float]]


Step = Score | Draw
Said = list[list[float]] | Drawn


class Piece(msgspec.Struct, frozen=True):
    """A piece of an answer.

    Args:
        text: the piece.
        logprob: its log-probability (nats); 0 for what stands there anyway.
        top: texts that might stand in its place, with theirs; its own among them.
    """

    text: str
    logprob: float = 0.0
    top: tuple[tuple[str, float], ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """An answer.

    Args:
        pieces: it, in pieces.
        finish_reason: ``stop``, or ``length`` at a limit.
        tokens: how many tokens it has.
    """

    pieces: list[Piece]
    finish_reason: str
    tokens: int

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(piece.text for piece in self.pieces)


Answering = Generator[Step, Said, Answered]


class Answerer:
    """Makes the answers of one model.

    Args:
        tokens: its tokenizer.
        ends: tokens that end an answer.
        context: how many tokens the model can read and write in all.
    """

    def __init__(self, tokens: ChatTokens, ends: frozenset[int], context: int) -> None:
        self._tokens = tokens
        self._ends = ends
        self._context = context

    def filled(self, chat: Chat, prompt: list[int], parts: Sequence[Part]) -> Answering:
        """Answer by filling in a form.

        Raises:
            CallFailedError: ``overflow``: the prompt and the form are longer than the context.
        """
        self._need(prompt, self._room(parts))
        draw = _points(chat.key)
        pieces: list[Piece] = []
        for i, part in enumerate(parts):
            if isinstance(part, str):
                pieces.append(Piece(part))
            elif isinstance(part, Quote):
                pieces.append((yield from self._quote(chat, prompt, _text(pieces), draw)))
            else:
                behind = _until_open(parts[i + 1 :])
                pieces.append(
                    (yield from self._choice(chat, prompt, _text(pieces), part, behind, draw))
                )
        return Answered(pieces, "stop", len(self._tokens.answer(_text(pieces)).ids))

    def free(self, chat: Chat, prompt: list[int]) -> Answering:
        """Answer in any form, until an end token or a limit.

        Raises:
            CallFailedError: ``overflow``: the prompt fills the context.
        """
        self._need(prompt, 1)
        draw = _points(chat.key)
        room = self._context - len(prompt)
        ids: list[int] = []
        pieces: list[Piece] = []
        while len(ids) < min(room, chat.max_tokens or room):
            drawn = yield Draw(prompt + ids, chat.temperature, draw(), chat.top_logprobs)
            assert isinstance(drawn, Drawn)
            if drawn.token in self._ends:
                return Answered(_whole(pieces, self._tokens.text(ids)), "stop", len(ids) + 1)
            ids.append(drawn.token)
            pieces.append(self._piece(drawn))
        return Answered(_whole(pieces, self._tokens.text(ids)), "length", len(ids))

    def _choice(
        self,
        chat: Chat,
        prompt: list[int],
        before: str,
        slot: Slot,
        behind: str,
        draw: Callable[[], float],
    ) -> Generator[Step, Said, Piece]:
        options = (slot.met, slot.unmet)
        found = [self._tokens.answer(before + option + behind) for option in options]
        ends = [
            next(i for i, end in enumerate(f.ends) if end >= len(before + option)) + 1
            for f, option in zip(found, options, strict=True)
        ]
        fork = min(common_length(found[0].ids, found[1].ids), min(ends) - 1)
        candidates = [f.ids[:end] for f, end in zip(found, ends, strict=True)]
        logprobs = yield from _scored(prompt, candidates, fork)
        taken = _taken(logprobs, chat.temperature, draw())
        top = sorted(zip(options, logprobs, strict=True), key=lambda pair: -pair[1])
        return Piece(options[taken], logprobs[taken], tuple(top))

    def _quote(
        self, chat: Chat, prompt: list[int], before: str, draw: Callable[[], float]
    ) -> Generator[Step, Said, Piece]:
        """Write the inside of a JSON string: up to its closing mark, a line's end or a limit."""
        start = prompt + self._tokens.answer(before).ids
        ids: list[int] = []
        logprob = 0.0
        while len(ids) < QUOTE_TOKENS:
            drawn = yield Draw(start + ids, chat.temperature, draw(), 0)
            assert isinstance(drawn, Drawn)
            logprob += drawn.logprob
            if drawn.token in self._ends:
                break
            ids.append(drawn.token)
            if ended := _STRING_END.match(self._tokens.text(ids)):
                return Piece(_valid(ended[1]), logprob)
        return Piece(_valid(self._tokens.text(ids)), logprob)

    def _piece(self, drawn: Drawn) -> Piece:
        text = self._tokens.text
        top = tuple((text([token], special=True), logprob) for token, logprob in drawn.top)
        return Piece(text([drawn.token]), drawn.logprob, top)

    def _room(self, parts: Sequence[Part]) -> int:
        longest = "".join(
            part if isinstance(part, str) else max(part.met, part.unmet, key=len)
            for part in parts
            if not isinstance(part, Quote)
        )
        quotes = sum(isinstance(part, Quote) for part in parts)
        return len(self._tokens.answer(longest).ids) + quotes * (QUOTE_TOKENS + 2)

    def _need(self, prompt: list[int], room: int) -> None:
        if len(prompt) + room > self._context:
            raise CallFailedError(
                Cause.OVERFLOW,
                f"{len(prompt):,} tokens and {room:,} for the answer are more than the model's "
                f"context of {self._context:,}",
            )


def _scored(
    prompt: list[int], candidates: Sequence[list[int]], fork: int
) -> Generator[Step, Said, list[float]]:
    """Return the log-probability of each candidate's tokens from the fork on."""
    if all(len(ids) == fork + 1 for ids in candidates):  # one look shows them all
        said = yield Score(prompt + candidates[0][:fork], [[ids[fork] for ids in candidates]])
        assert isinstance(said, list)
        return said[0]
    logprobs = []
    for ids in candidates:
        said = yield Score(prompt + ids[:-1], [[token] for token in ids[fork:]])
        assert isinstance(said, list)
        logprobs.append(sum(read[0] for read in said))
    return logprobs


def _taken(logprobs: Sequence[float], temperature: float, point: float) -> int:
    """Return the likeliest of two, or one drawn at a temperature; of equals the second (unmet)."""
    met, unmet = logprobs
    if not temperature:
        return 0 if met > unmet else 1
    return 0 if point < 1 / (1 + math.exp(min((unmet - met) / temperature, 700))) else 1


def _points(key: str) -> Callable[[], float]:
    """Return a source of numbers in [0, 1) that depend on the key alone."""
    count = 0

    def draw() -> float:
        nonlocal count
        digest = hashlib.sha256(f"{key}\x00{count}".encode()).digest()
        count += 1
        return int.from_bytes(digest[:6], "big") / 2**48

    return draw


def _until_open(parts: Sequence[Part]) -> str:
    return parts[0] if parts and isinstance(parts[0], str) else ""


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _valid(inside: str) -> str:
    """Return text as the inside of a JSON string, unchanged where it is one already."""
    try:
        json.loads(f'"{inside}"')
    except ValueError:
        return json.dumps(inside, ensure_ascii=False)[1:-1]
    return inside


def _whole(pieces: list[Piece], text: str) -> list[Piece]:
    """Return the pieces, or one of all the text where tokens end inside a character."""
    return pieces if _text(pieces) == text else [Piece(text)]
