"""What is stored of a paid call, the key it is found by, and the digest that shows damage.

A row is a `Record`, every text of it UTF-8 bytes with ``surrogatepass``: models do emit NUL and
halves of surrogate pairs, which SQLite's TEXT does not keep, and an exact copy is the point. Its
digest is the SHA-256 of the record as a MessagePack array, without log-probabilities where there
are none: that is the record of stores that did not have them yet, whose digests stay true.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError
from rubricbench.secret_names import is_secret_name

Record = tuple[bytes, float, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]

# The order of a record. The long texts come last, so that counting tokens need not read past them.
COLUMNS = (
    "key",
    "created",
    "finish_reason",
    "model",
    "url",
    "usage",
    "text",
    "reasoning",
    "request",
    "logprobs",
)


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """One paid call's result, as received.

    Args:
        key: hex SHA-256 of ``request``.
        text: the model's answer, raw.
        reasoning: reasoning text, where the endpoint sends it apart.
        finish_reason: ``stop``, ``length``, ``content_filter`` or what the endpoint said.
        usage: token counts (``prompt_tokens``, ``completion_tokens``, ``cached_tokens``, …).
        model: name the endpoint reported.
        url: endpoint that answered; recorded, never part of the key, since replicas share.
        request: canonical JSON of the identity that the key hashes; no headers, no secrets.
        created: seconds since the Unix epoch.
        logprobs: what is kept of the tokens' log-probabilities, as JSON; empty if nothing is.
    """

    key: str
    text: str
    reasoning: str = ""
    finish_reason: str = ""
    usage: dict[str, int] = {}
    model: str = ""
    url: str = ""
    request: bytes = b""
    created: float = 0.0
    logprobs: bytes = b""

    def same_answer(self, other: Completion) -> bool:
        """True if both say the same; when, where and at what price may differ."""
        return (self.text, self.reasoning, self.finish_reason) == (
            other.text,
            other.reasoning,
            other.finish_reason,
        )


def request_key(identity: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the key of a request and the canonical bytes it hashes.

    Args:
        identity: all that decides the answer: rendered messages, the judge's declared model and
            revision, sampling, schema, replicate.

    Raises:
        InputError: a key at any depth is named like a secret, or a value is not plain JSON.
    """
    try:
        request = canonical_json(identity if isinstance(identity, dict) else dict(identity))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"a request cannot be keyed: {error}", hint="give plain JSON values"
        ) from None
    _refuse_secrets(identity)
    return hashlib.sha256(request).hexdigest(), request


def _refuse_secrets(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            # It would tie the key to one person's account, and be written to disk.
            if is_secret_name(str(key)):
                raise InputError(
                    f"a request identity may not hold {key!r}",
                    hint="keys and headers belong to the client, not to the store",
                )
            _refuse_secrets(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_secrets(inner)


def raw_key(key: str) -> bytes:
    """Return the 32 bytes of a key.

    Raises:
        InputError: it is not a hex SHA-256.
    """
    try:
        raw = bytes.fromhex(key)
    except (TypeError, ValueError):
        raw = b""
    if len(raw) != hashlib.sha256().digest_size:
        raise InputError(f"{key!r:.80} is not a completion's key", hint="make it by request_key()")
    return raw


def to_record(completion: Completion, *, keyed: bool = False) -> Record:
    """Return the row of a completion.

    Args:
        completion: the completion.
        keyed: True where the key has just been made of this very request; hashing that again would
            be the dearest part of storing.

    Raises:
        InputError: the key is not the hash of the request, or a field is of the wrong type; such a
            row would be found damaged later.
    """
    c = completion
    key, where = raw_key(c.key), f"completion {c.key}"
    try:
        if not keyed and hashlib.sha256(c.request).digest() != key:
            raise ValueError("its key is not the hash of its request")
        if not math.isfinite(c.created):
            raise ValueError(f"created is {c.created}")
        usage = msgspec.json.encode(c.usage, order="sorted")
        msgspec.json.decode(usage, type=dict[str, int])
        c.logprobs.decode("utf-8")
        return (
            key,
            float(c.created),
            _encode(c.finish_reason),
            _encode(c.model),
            _encode(c.url),
            usage,
            _encode(c.text),
            _encode(c.reasoning),
            c.request,
            c.logprobs,
        )
    except (AttributeError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise InputError(f"it cannot be stored: {error}", where=where) from None


def from_record(record: Sequence[Any], digest: bytes) -> Completion | None:
    """Return the completion of a row, or None if it is not what was written."""
    try:
        key, created, finish_reason, model, url, usage, text, reasoning, request, logprobs = record
        if not isinstance(logprobs, bytes):  # what is empty has no part in the digest
            return None
        if digest_of(record) != digest or hashlib.sha256(request).digest() != key:
            return None
        return Completion(
            key=key.hex(),
            created=created,
            finish_reason=_decode(finish_reason),
            model=_decode(model),
            url=_decode(url),
            usage=msgspec.json.decode(usage, type=dict[str, int]),
            text=_decode(text),
            reasoning=_decode(reasoning),
            request=request,
            logprobs=logprobs,
        )
    except (AttributeError, TypeError, ValueError, msgspec.MsgspecError):
        return None


def packed(record: Sequence[Any]) -> bytes:
    """Return the bytes that the digest hashes."""
    return msgspec.msgpack.encode(record if record[-1] else record[:-1])


def unpacked(data: bytes) -> list[Any]:
    """Return the record whose packed bytes these are; unchecked.

    Raises:
        msgspec.DecodeError: they are no packed array.
    """
    record = msgspec.msgpack.decode(data, type=list[Any])
    return record if len(record) == len(COLUMNS) else [*record, b""]


def digest_of(record: Sequence[Any]) -> bytes:
    """Return the SHA-256 of a record."""
    return hashlib.sha256(packed(record)).digest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
