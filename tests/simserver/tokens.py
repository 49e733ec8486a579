"""Pseudo-tokens: deterministic, and cut as real tokenizers cut, space before the word.

Counts use one cut (`cut`); answers with logprobs use one of several (`STYLES`), since where a
verdict's token begins and ends differs between models.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simserver.answers import Piece

_COUNTED = re.compile(r"\s*\S{1,4}|\s+")
_ANSWER = re.compile(r" ?\w{1,3}| ?[^\w\s]+|\s+")
# spaced: ` true`; bare: ` `, `true`; merged: `": true` in one; letters: `t`, `r`, `u`, `e`.
STYLES = ("spaced", "bare", "merged", "letters")
_OTHER_WORDS = {"true": "false", "false": "true", "yes": "no", "no": "yes", "Y": "N", "N": "Y"}
_MET = frozenset({"true", "yes", "Y"})
_JUNK = (" null", "\n", " maybe", ' "', " unknown", "?", " 1", " 0", "None", " -")


@dataclass(frozen=True)
class Token:
    """A token of an answer; ``criterion`` is set where the verdict is decided."""

    text: str
    criterion: int | None = None
    word: str = ""


def cut(text: str) -> list[str]:
    """Return the tokens that prompts and answers are counted in: four characters at most."""
    return _COUNTED.findall(text)


def answer_tokens(answer: Sequence[Piece], style: str) -> list[Token]:
    """Return an answer's tokens in a style of `STYLES`; joined they are its text."""
    tokens: list[Token] = []
    for piece in answer:
        if piece.criterion is None:
            tokens += [Token(text) for text in _ANSWER.findall(piece.text)]
        else:
            tokens += _verdict(piece, tokens, style)
    return tokens


def _verdict(piece: Piece, before: list[Token], style: str) -> list[Token]:
    """Return the tokens of a verdict; takes the space, or more, off the tokens before it."""
    word, i = piece.text, piece.criterion
    if style == "letters":
        return [Token(word[0], i, word), *(Token(letter) for letter in word[1:])]
    last = before[-1] if before and before[-1].criterion is None else None
    if last is None or style == "bare":
        return [Token(word, i, word)]
    head = ""
    if last.text.isspace():
        head = before.pop().text
    if style == "merged" and before and before[-1].criterion is None:
        head = before.pop().text + head
    return [Token(head + word, i, word)]


def logprobs(
    tokens: Sequence[Token], p_met: Sequence[float], top: int, captured: float
) -> dict[str, Any]:
    """Return ``choices[0].logprobs``.

    Args:
        tokens: the answer's.
        p_met: probability of the verdict met, for each criterion.
        top: alternatives at each token.
        captured: probability that a verdict's token is one of the two words at all. A tenth of it
            goes to the same words with a capital letter, where they have none.
    """
    content = []
    for token in tokens:
        if token.criterion is None:
            options = {token.text: 0.999} | dict.fromkeys(_JUNK[:3], 0.001 / 3)
        else:
            options = _options(token, p_met[token.criterion], captured)
        best = sorted(options.items(), key=lambda option: -option[1])[:top]
        shown = [_entry(text, p) for text, p in best]
        content.append({**_entry(token.text, options[token.text]), "top_logprobs": shown})
    return {"content": content, "refusal": None}


def _options(token: Token, p_met: float, captured: float) -> dict[str, float]:
    mine, other = token.word, _OTHER_WORDS[token.word]
    own = p_met if mine in _MET else 1 - p_met
    options = {text: (1 - captured) / len(_JUNK) for text in _JUNK}
    for word, p in ((mine, own), (other, 1 - own)):
        if len(token.text) < len(token.word):  # a first letter
            options[word[0]] = captured * p
            continue
        # From the right: a token that has more before the word may hold the same letters there.
        head = token.text[: len(token.text) - len(mine)]
        capital = head + word.capitalize()
        share = 0.1 if capital != head + word else 0.0
        options[head + word] = captured * p * (1 - share)
        if share:
            options[capital] = captured * p * share
    return options


def _entry(token: str, p: float) -> dict[str, Any]:
    logprob = math.log(p) if p > 0 else -9999.0
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8"))}
