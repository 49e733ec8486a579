"""What is asked of a judge, in two forms: the identity that is keyed and stored, and the body that
is sent.

The identity holds canonical labels and what the user declared; the body holds the labels shown and
what the endpoint wants to be told. All of both but the response is the same for every response to a
prompt, so it is serialised once per rubric (`Question`); a call costs one escaping of the response,
one hash of what follows it, and two joins. The keys are those of `rubricbench.store.request_key`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.fence import fenced
from rubricbench.judging.formats import get_format
from rubricbench.judging.labels import Labels
from rubricbench.judging.neutral import well_formed
from rubricbench.judging.render import Frame, frame
from rubricbench.schema import Criterion, Rubric
from rubricbench.store import request_key

_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, frozen=True):
    """One call.

    Args:
        key: its key in the store.
        identity: the canonical bytes that the key hashes.
        body: the JSON that is sent.
        labels: the criteria's labels as the judge sees them, for who fills in the answer's form.
    """

    key: str
    identity: bytes
    body: bytes
    labels: tuple[str, ...] = ()


class Question:
    """Criteria of one rubric, put to one judge: makes the request for each response.

    Args:
        config: the judge.
        rubric: the rubric.
        criteria: those of its criteria that are asked about, in one call.
        secret: key of the labels.
        repair: whether an earlier answer about them could not be read; the judge is told.
    """

    def __init__(
        self,
        config: JudgeConfig,
        rubric: Rubric,
        criteria: Sequence[Criterion],
        secret: bytes,
        *,
        repair: bool = False,
    ) -> None:
        form = get_format(config.format)
        self.criteria = tuple(criteria)
        self.criterion_ids = tuple(c.id for c in criteria)
        self.labels = (
            Labels.keyed(secret, rubric, criteria)
            if form.hidden_labels
            else Labels.plain(len(criteria))
        )
        stored, shown = (
            frame(rubric.prompt, criteria, labels, form, config.arrangement, repair=repair)
            for labels in (self.labels.canonical, self.labels.shown)
        )
        mark = _mark(stored, shown)
        schema = form.schema(self.labels.canonical) if config.response_format else None
        identity = _identity(config, stored.around(mark), schema)
        self._identity = _halves(request_key(identity)[1], mark)
        self._digest = hashlib.sha256(self._identity[0])
        schema = form.schema(self.labels.shown) if config.response_format else None
        self._body = _halves(_encode(_body(config, shown.around(mark), schema)), mark)

    def request(self, response: str) -> Request:
        """Return the request that grades a response."""
        return self.request_for(embedded(response))

    def request_for(self, text: bytes) -> Request:
        """Return the request that grades a response, given as `embedded` returns it."""
        head, tail = self._identity
        digest = self._digest.copy()
        digest.update(text)
        digest.update(tail)
        sent_head, sent_tail = self._body
        return Request(
            digest.hexdigest(),
            b"".join((head, text, tail)),
            b"".join((sent_head, text, sent_tail)),
            self.labels.shown,
        )


def embedded(response: str) -> bytes:
    """Return a response as it stands in a request: fenced, and escaped for JSON."""
    text = fenced(response)
    try:
        return _encode(text)[1:-1]
    except UnicodeEncodeError:  # half a character, which JSON cannot carry
        return _encode(well_formed(text))[1:-1]


def _identity(
    config: JudgeConfig, messages: list[dict[str, Any]], schema: dict[str, Any] | None
) -> dict[str, Any]:
    return {**config.identity(), "messages": messages, "response_format": schema}


def _body(
    config: JudgeConfig, messages: list[dict[str, Any]], schema: dict[str, Any] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"model": config.model}
    if config.max_tokens is not None:
        # Before all text that is not ours: the client renames it where an endpoint wants it so.
        body[config.token_field] = config.max_tokens
    if config.temperature is not None:
        body["temperature"] = config.temperature
    if config.logprobs:
        body["logprobs"], body["top_logprobs"] = True, config.logprobs
    body.update(config.extra_body)
    body["messages"] = messages
    if schema is not None:
        answer = {"name": "verdicts", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": answer}
    return body


def _mark(*frames: Frame) -> str:
    """Return a word that stands in none of the texts: it would have to hold its own hash."""
    texts = "\x00".join(part for f in frames for part in (f.system, f.before, f.after))
    return hashlib.sha256(texts.encode("utf-8")).hexdigest()


def _halves(data: bytes, mark: str) -> tuple[bytes, bytes]:
    head, found, tail = data.partition(mark.encode("ascii"))
    assert found
    return head, tail
