"""What may be stored, and the key it is found by."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from store_rows import completion

from rubricbench.errors import InputError
from rubricbench.store import Completion, Store, request_key
from rubricbench.store.completion import digest_of, from_record, to_record


def test_key_is_the_sha256_of_the_canonical_request():
    key, request = request_key({"b": [1, 2.5], "a": "é"})
    assert request == '{"a":"é","b":[1,2.5]}'.encode()
    assert key == hashlib.sha256(request).hexdigest()


def test_key_depends_on_content_not_on_the_order_of_names():
    assert request_key({"a": 1, "b": [2]}) == request_key({"b": [2], "a": 1})
    assert request_key({"a": [1, 2]})[0] != request_key({"a": [2, 1]})[0]
    assert request_key({"replicate": 0})[0] != request_key({"replicate": 1})[0]


@pytest.mark.parametrize(
    "identity",
    [
        {"api_key": "x"},
        {"apiKey": "x"},
        {"OPENAI_API_KEY": "x"},
        {"x-api-key": "x"},
        {"client": [{"Authorization": "Bearer x"}]},
        {"a": {"b": ({"headers": {}},)}},
        {"extra_headers": {}},
        {"token": "x"},
        {"password": "x"},
    ],
)
def test_secret_is_refused_at_any_depth(identity):
    with pytest.raises(InputError, match="may not hold"):
        request_key(identity)


def test_names_that_only_sound_like_secrets_are_keyed():
    request_key({"max_tokens": 5, "schema": {"properties": {"header_count": {}, "tokens": {}}}})


def test_words_of_a_message_are_no_secrets():
    request_key({"messages": [{"role": "user", "content": '{"api_key": "x", "headers": {}}'}]})


LOOP: dict[str, object] = {}
LOOP["self"] = LOOP


@pytest.mark.parametrize(
    "identity", [{"t": float("nan")}, {"t": object()}, {"t": "\ud800"}, {"t": b"x"}, LOOP]
)
def test_what_is_not_json_cannot_be_keyed(identity):
    with pytest.raises(InputError, match="cannot be keyed"):
        request_key(identity)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": "ab" * 32}, "its key is not the hash of its request"),
        ({"request": b"{}"}, "its key is not the hash of its request"),
        ({"key": "xyz"}, "not a completion's key"),
        ({"key": "ab"}, "not a completion's key"),
        ({"key": None}, "not a completion's key"),
        ({"text": None}, "cannot be stored"),
        ({"text": b"bytes"}, "cannot be stored"),
        ({"request": "text"}, "cannot be stored"),
        ({"logprobs": "text"}, "cannot be stored"),
        ({"logprobs": b"\xff"}, "cannot be stored"),
        ({"usage": {"prompt_tokens": "3"}}, "cannot be stored"),
        ({"usage": {"details": {"cached": 1}}}, "cannot be stored"),
        ({"created": float("nan")}, "created is nan"),
        ({"created": "now"}, "cannot be stored"),
    ],
)
def test_what_would_be_found_damaged_later_is_refused_at_once(path, change, message):
    with Store.open(path) as store:
        with pytest.raises(InputError, match=message):
            store.put(msgspec.structs.replace(completion(1), **change))
        store.put(completion(2))
        store.flush()
        assert store.count() == 1


def test_whole_seconds_are_stored_as_they_are_read(path):
    with Store.open(path) as store:
        store.put(completion(1, created=1_700_000_000))
        store.flush()
        assert store.verify().ok


def test_any_changed_field_changes_the_digest():
    one = completion(1)
    changes = {
        "text": "a",
        "reasoning": "a",
        "finish_reason": "a",
        "usage": {"prompt_tokens": 1},
        "model": "a",
        "url": "a",
        "created": 1.0,
        "logprobs": b"[]",
    }
    others = [msgspec.structs.replace(one, **{k: v}) for k, v in changes.items()]
    # key and request can only change together
    assert len(changes) + 2 == len(Completion.__struct_fields__)
    assert len({digest_of(to_record(c)) for c in [one, *others, completion(2)]}) == 10


def test_without_logprobs_the_digest_is_that_of_stores_that_had_none():
    key, created, *texts, logprobs = to_record(completion(1))
    assert (len(texts), logprobs) == (7, b"")
    packed = msgspec.msgpack.encode([key, created, *texts])
    assert digest_of(to_record(completion(1))) == hashlib.sha256(packed).digest()


@pytest.mark.parametrize("nothing", [None, "", 0])
def test_nothing_of_another_type_is_damage(nothing):
    record = (*to_record(completion(1))[:-1], nothing)
    assert from_record(record, digest_of(record)) is None


def test_record_whose_digest_fits_but_whose_key_does_not_is_damaged():
    forged = (b"\xab" * 32, *to_record(completion(1))[1:])
    assert from_record(forged, digest_of(forged)) is None
