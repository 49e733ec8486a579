"""What is stored of a paid call, and the key it is found by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError

# A key made of these would tie the store to one person's account and write a secret to disk.
FORBIDDEN_KEYS = frozenset(
    {"api_key", "apikey", "api-key", "authorization", "headers", "password", "secret", "token"}
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

    def digest(self) -> bytes:
        """SHA-256 over every field: what `Store.verify` compares with."""
        return hashlib.sha256(msgspec.msgpack.encode(to_record(self))).digest()


def request_key(identity: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the key of a request and the canonical bytes it hashes.

    Args:
        identity: all that decides the answer: rendered messages, the judge's declared model and
            revision, sampling, schema, replicate.

    Raises:
        InputError: a key at any depth is named like a secret, or a value is not plain JSON.
    """
    _refuse_secrets(identity)
    try:
        request = canonical_json(identity)
    except (TypeError, ValueError) as error:
        raise InputError(f"a request cannot be keyed: {error}") from None
    return hashlib.sha256(request).hexdigest(), request


def _refuse_secrets(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower() in FORBIDDEN_KEYS:
                raise InputError(
                    f"a request identity may not hold {key!r}",
                    hint="keys and headers belong to the client, not to the store",
                )
            _refuse_secrets(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_secrets(inner)


def to_record(completion: Completion) -> tuple[Any, ...]:
    """Return the columns of the database row, text as bytes.

    Models do emit lone surrogates and NUL; UTF-8 with ``surrogatepass`` keeps both exactly, which
    SQLite's TEXT would not.
    """
    return (
        bytes.fromhex(completion.key),
        _encode(completion.text),
        _encode(completion.reasoning),
        completion.finish_reason,
        msgspec.json.encode(completion.usage, order="sorted"),
        completion.model,
        completion.url,
        completion.request,
        completion.created,
    )


def from_record(record: tuple[Any, ...]) -> Completion:
    """Read the columns of a database row."""
    key, text, reasoning, finish_reason, usage, model, url, request, created = record
    return Completion(
        key=key.hex(),
        text=_decode(text),
        reasoning=_decode(reasoning),
        finish_reason=finish_reason,
        usage=msgspec.json.decode(usage, type=dict[str, int]),
        model=model,
        url=url,
        request=request,
        created=created,
    )


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
