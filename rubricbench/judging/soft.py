"""Soft verdicts: how sure a judge was, from the log-probabilities of its answer.

At the place where a verdict stands, the model chose among tokens. Their probabilities say more than
the choice: of ``true`` at 0.6 beside ``false`` at 0.3 and others at 0.1, the two answers captured
0.9, and renormalised to them met has p_met = 0.6 / 0.9. Rules:

- Tokens that differ in case, spaces or punctuation (`` True``, ``true,``) are one answer; their
  probabilities add up. Where the judge's own token is a piece of the word (``tr``), pieces count
  for the words they begin.
- Where the listed alternatives lack one of the two answers, it has at most the probability of the
  least likely token listed, and at most what those listed leave over. The smaller bound stands for
  it: p_met then says no more than is known. It does not count as captured.
- ``captured`` is the probability that the two answers have among all tokens, before renormalising.
  Little of it means that the model wanted to say something else, and p_met is worth as little.
- The status stays what the judge said. p_met may be on the other side of one half where the answer
  was sampled at a temperature, or where several tokens of the other answer add up.
- Without usable log-probabilities a verdict stays hard.

What is stored (`kept`) is one entry for each criterion asked about, so it depends neither on the
labels shown nor on how a parser finds its way through the text.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import re
from collections.abc import Sequence

import msgspec

from rubricbench.judging.formats import FORMATS, Format, storable
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.judging.wire import ChatAnswer, TokenLogprob
from rubricbench.schema import Status, Verdict
from rubricbench.store import Completion

MAX_END_TOKENS = 2  # tokens that end an answer, and that its text does not show
_WORD = re.compile(r"[^a-z]*([a-z]+)[^a-z]*")
_WORDS = frozenset(
    word.strip().lower() for form in FORMATS.values() for word in (form.slot.met, form.slot.unmet)
)
_PIECES = frozenset(word[:end] for word in _WORDS for end in range(1, len(word) + 1))


class Place(msgspec.Struct, frozen=True, array_like=True):
    """What the model might have said where a verdict stands.

    Args:
        token: what it said.
        logprob: natural logarithm of that token's probability.
        others: further tokens that are verdicts or begin one, with theirs.
        least: that of the least likely token listed.
        left: probability of all tokens that are not listed.
    """

    token: str
    logprob: float
    others: tuple[tuple[str, float], ...]
    least: float
    left: float


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Place | None]).decode


def kept(answer: ChatAnswer, labels: Sequence[str], form: Format) -> bytes:
    """Return what is stored of an answer's log-probabilities; nothing if they say nothing.

    Args:
        answer: as received.
        labels: as the judge was shown them, in the order asked.
        form: the answer format.
    """
    if not answer.logprobs:
        return b""
    starts = _starts(answer)
    text = split_reasoning(answer.text).answer
    before = len(answer.text) - len(text)
    found = [
        None if at is None else _place(answer, starts, before + at)
        for at in form.places(text, labels)
    ]
    return _encode(found) if any(found) else b""


def soften(verdicts: Sequence[Verdict], completion: Completion, form: Format) -> list[Verdict]:
    """Return an answer's verdicts with p_met, where its log-probabilities give one.

    Args:
        verdicts: what the judge said, in the order asked.
        completion: its stored answer.
        form: the answer format.
    """
    try:
        places = _decode(completion.logprobs) if completion.logprobs else []
    except msgspec.DecodeError:
        places = []
    if len(places) != len(verdicts):
        return list(verdicts)
    return [
        _softened(verdict, place, form) if place else verdict
        for verdict, place in zip(verdicts, places, strict=True)
    ]


def _softened(verdict: Verdict, place: Place, form: Format) -> Verdict:
    met, unmet = (word.strip().lower() for word in (form.slot.met, form.slot.unmet))
    said = met if verdict.status is Status.MET else unmet
    own = _letters(place.token)
    # Without letters, or of another word: then the place is not where the parser read the verdict.
    if verdict.status is Status.UNKNOWN or not own or not said.startswith(own):
        return verdict
    whole = own == said
    p_met, p_unmet = (_mass(place, word, whole=whole) for word in (met, unmet))
    captured = p_met + p_unmet
    if captured <= 0.0:
        return verdict
    bound = min(math.exp(min(place.least, 0.0)), max(place.left, 0.0))
    p_met, p_unmet = (bound if mass == 0.0 else mass for mass in (p_met, p_unmet))
    return msgspec.structs.replace(
        verdict, p_met=p_met / (p_met + p_unmet), captured=min(1.0, captured)
    )


def _mass(place: Place, word: str, *, whole: bool) -> float:
    """Return the listed probability of a word, or of the pieces that begin it."""
    tokens = ((place.token, place.logprob), *place.others)
    return math.fsum(
        math.exp(min(logprob, 0.0))
        for token, logprob in tokens
        if (letters := _letters(token)) and (letters == word if whole else word.startswith(letters))
    )


def _place(answer: ChatAnswer, starts: Sequence[int], at: int) -> Place | None:
    """Return what is kept of the token that stands at a character of the answer."""
    token = _token(answer, starts, at)
    own = storable(token.data.decode("utf-8", "replace")) if token else ""
    if token is None or _letters(own) not in _PIECES:
        return None
    others = [(storable(text), logprob) for text, logprob in token.top if text != own]
    listed = [token.logprob, *(logprob for _, logprob in others)]
    return Place(
        token=own,
        logprob=token.logprob,
        others=tuple(other for other in others if _letters(other[0]) in _PIECES),
        least=min(listed),
        left=max(0.0, 1.0 - math.fsum(map(math.exp, listed))),
    )


def _token(answer: ChatAnswer, starts: Sequence[int], at: int) -> TokenLogprob | None:
    offset = len(answer.text[:at].encode("utf-8", "surrogatepass"))
    number = bisect.bisect_right(starts, offset) - 1
    return answer.logprobs[number] if 0 <= number < len(answer.logprobs) else None


@functools.lru_cache(maxsize=4_096)
def _letters(token: str) -> str:
    """Return the one word in a token, in small letters; empty where there is none, or several."""
    found = _WORD.fullmatch(token.lower())
    return found[1] if found else ""


def _starts(answer: ChatAnswer) -> list[int]:
    """Return at which byte of the answer's text each token begins, and where the last one ends.

    The tokens may be more than the text: reasoning before it that was sent apart, and marks of the
    end behind it. Empty where they do not make the text.
    """
    text = answer.text.encode("utf-8", "surrogatepass").rstrip()
    tokens = [token.data for token in answer.logprobs]
    for extra in range(min(MAX_END_TOKENS, len(tokens)) + 1):
        sent = b"".join(tokens[: len(tokens) - extra]).rstrip()
        if text and sent.endswith(text):
            first = len(text) - len(sent)
            return list(itertools.accumulate(map(len, tokens), initial=first))
    return []
