"""One byte form for every value we hash: content ids and store keys depend on it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

ID_HEX_DIGITS = 16  # 64 bits: a collision is expected only near 4 billion items of one kind


def canonical_json(value: Any) -> bytes:
    """Serialise to UTF-8 JSON with sorted keys, no spaces, no NaN; floats print as in Python.

    Raises:
        ValueError: a float is NaN or infinite, or a string holds a lone surrogate.
        TypeError: a value is not JSON.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def content_id(kind: str, value: Any) -> str:
    """Return ``kind_`` + the first 16 hex digits of the SHA-256 of the canonical JSON."""
    return f"{kind}_{hashlib.sha256(canonical_json(value)).hexdigest()[:ID_HEX_DIGITS]}"
