"""The name that a request has in batch files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def custom_id(key: str, labels: Sequence[str]) -> str:
    """Return the ``custom_id`` of a request: 64 hexadecimal digits.

    The key alone would not do. It is that of the same request of any run, and the labels shown are
    one run's: an answer that was read by another run's labels would be stored as no answer at all.

    Args:
        key: the request's key in the store.
        labels: the labels it shows.
    """
    return hashlib.sha256("\x00".join((key, *labels)).encode("ascii")).hexdigest()
