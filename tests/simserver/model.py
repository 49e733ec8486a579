"""The model behind the simulator: what it thinks of a request, says, and reports as its usage."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from simserver.answers import Piece, pieces, values
from simserver.asked import Question
from simserver.dialect import Dialect
from simserver.faults import Exchange, Says
from simserver.latent import LatentJudge
from simserver.prefix_cache import PrefixCache
from simserver.replies import USAGE, answer
from simserver.schemas import violates
from simserver.tokens import answer_tokens, cut, logprobs

MUSING = 'Is it true? Is {"it": false}?'


@dataclass(frozen=True)
class Considered:
    """A request, and what the model makes of it.

    Args:
        body: the request.
        exchange: what is asked, and the honest answer.
        verdicts: the judge's, in the order asked; none where no grading was asked for.
    """

    body: dict[str, Any]
    exchange: Exchange
    verdicts: list[bool]


class Model:
    """A judge with a dialect.

    Args:
        judge: who knows the verdicts.
        dialect: how it answers.
        cache: what it keeps of prompts.
        counts: whether usage is counted, and answers end at their limit.
    """

    def __init__(
        self, judge: LatentJudge, dialect: Dialect, cache: PrefixCache | None, *, counts: bool
    ) -> None:
        self._judge, self._dialect, self._cache, self._counts = judge, dialect, cache, counts
        self.tokens: Counter[str] = Counter()

    def consider(
        self, request: web.BaseRequest, body: dict[str, Any], question: Question | None, draw: str
    ) -> Considered:
        """Think about a request; ``draw`` is the repetition, where the body has no seed."""
        asked = question or Question((), "", "json")
        temperature = body.get("temperature")
        heat = 1.0 if temperature is None else temperature
        draw = str(body.get("seed", draw))
        verdicts = [
            self._judge.verdict(text, asked.response, temperature=heat, draw=draw)
            for _, text in asked.criteria
        ]
        return Considered(body, Exchange(request, asked, values(asked, verdicts)), verdicts)

    def can_say(self, fault: Says, considered: Considered) -> bool:
        """Whether an enforced schema lets it say this."""
        schema = self._dialect.schema_of(considered.body)
        return schema is None or not violates(fault, considered.exchange, schema)

    def says(self, fault: Says, considered: Considered) -> bytes:
        """Return the reply of a model that does not do as it is told."""
        content = fault.make(considered.exchange)
        usage = self._usage(considered.body, content)
        return fault.garble(answer(content, finish=fault.finish, usage=usage, **fault.message))

    def honest(self, considered: Considered) -> bytes:
        """Return the reply of one that does, as its dialect has it."""
        body, dialect, finish = considered.body, self._dialect, "stop"
        text = considered.exchange.honest if considered.verdicts else "Understood."
        if dialect.schema == "ignored" and body.get("response_format"):
            text = f"```json\n{text}\n```"
        thought = MUSING if dialect.thinks(body) else ""
        found = None
        if body.get("logprobs") and dialect.logprobs == "given":
            found = self._logprobs(considered, text, thought)
        message: dict[str, Any] = {}
        if thought and dialect.thinking == "inline":
            text = _after_thought(thought, text)
        elif thought:
            message["reasoning_content"] = thought
        if self._counts:
            text, finish = _up_to_limit(text, body)
        usage = self._usage(body, text)
        return answer(text, finish=finish, logprobs=found, usage=usage, **message)

    def _logprobs(self, considered: Considered, text: str, thought: str) -> dict[str, Any]:
        question = considered.exchange.question
        said = pieces(question, considered.verdicts) if question.criteria else [Piece(text)]
        before, _, after = text.partition("".join(piece.text for piece in said))
        if thought:
            before = _after_thought(thought, before)
        whole = [piece for piece in (Piece(before), *said, Piece(after)) if piece.text]
        p_met = [self._judge.p_met(words, question.response) for _, words in question.criteria]
        tokens = answer_tokens(whole, self._dialect.tokens)
        top = considered.body.get("top_logprobs", 0)
        return logprobs(tokens, p_met, top, self._dialect.captured)

    def _usage(self, body: dict[str, Any], content: Any) -> dict[str, Any]:
        """Return the usage of an answer, and add it to the sums."""
        usage = self._counted(body, content) if self._counts else USAGE
        self.tokens["prompt_tokens"] += usage["prompt_tokens"]
        self.tokens["completion_tokens"] += usage["completion_tokens"]
        self.tokens["cached_tokens"] += usage["prompt_tokens_details"]["cached_tokens"]
        return usage

    def _counted(self, body: dict[str, Any], content: Any) -> dict[str, Any]:
        prompt = [
            token for m in body["messages"] for token in cut(f"<|{m['role']}|>\n{m['content']}\n")
        ]
        said = len(cut(content if isinstance(content, str) else json.dumps(content or "")))
        cached = self._cache.take(prompt) if self._cache else 0
        return {
            "prompt_tokens": len(prompt),
            "completion_tokens": said,
            "total_tokens": len(prompt) + said,
            "prompt_tokens_details": {"cached_tokens": cached},
        }


def _after_thought(thought: str, text: str) -> str:
    return f"<think>{thought}</think>\n\n{text}"


def _up_to_limit(text: str, body: dict[str, Any]) -> tuple[str, str]:
    """Return an answer as far as its limit lets it go, and why it ended."""
    limit = body.get("max_tokens", body.get("max_completion_tokens"))
    tokens = cut(text)
    if limit is None or len(tokens) <= limit:
        return text, "stop"
    return "".join(tokens[:limit]), "length"
