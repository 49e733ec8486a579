"""What the fields of a judge's configuration may be; a fault is one line that names the field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError
from rubricbench.secret_names import is_secret_name

# What we set ourselves from fields of their own, or what would change the shape of the reply.
_OURS = frozenset(
    {
        "messages",
        "model",
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "response_format",
        "logprobs",
        "top_logprobs",
        "stream",
        "n",
    }
)


def check_base_url(url: str) -> None:
    """Refuse what is not the address of an endpoint, or has something secret in it."""
    if not url:
        raise InputError(
            "the judge has no base URL",
            hint="give the endpoint up to /v1, such as http://127.0.0.1:8000/v1",
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except (ValueError, AttributeError):
        raise InputError(f"the judge's base URL {url!r:.100} is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(
            f"the judge's base URL {url!r:.100} is not an http:// or https:// address",
            hint="such as http://127.0.0.1:8000/v1",
        )
    if parts.username is not None or parts.query or parts.fragment:
        # The URL is written to stores and manifests; a key in it would be, too.
        raise InputError(
            "the judge's base URL may hold no user name, query or fragment",
            where=f"{parts.scheme}://{host}",
            hint="a key goes into an environment variable",
        )


def check_choice(field: str, value: Any, allowed: Sequence[str]) -> None:
    """Refuse what is none of the words allowed."""
    if value not in allowed:
        raise InputError(
            f"the judge's {field} is {value!r:.40}", hint="choose from " + ", ".join(allowed)
        )


def check_text(field: str, value: Any, *, required: bool) -> None:
    """Refuse what is not printable text."""
    if not isinstance(value, str) or (required and not value.strip()):
        raise InputError(f"the judge's {field} must be text, got {value!r:.60}")
    if not value.isprintable():
        raise InputError(f"the judge's {field} holds characters that cannot be printed")


def check_number(field: str, value: Any, low: float, high: float) -> None:
    """Refuse what is not a number from low to high; whole, where low is."""
    whole = isinstance(low, int)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise InputError(
            f"the judge's {field} must be {kind} from {low:g} to {high:,}, got {value!r:.60}"
        )


def check_extra_body(body: Any) -> None:
    """Refuse further request fields that are not plain JSON, not ours to send, or secret."""
    if not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
        raise InputError(f"the judge's extra_body must be a JSON object, got {body!r:.60}")
    taken = sorted(_OURS & body.keys())
    if taken:
        raise InputError(
            f"the judge's extra_body may not hold {taken[0]!r}",
            hint="it has a field of its own, or is not supported",
        )
    secret = next((key for key in _keys(body) if is_secret_name(key)), None)
    if secret is not None:
        raise InputError(
            f"the judge's extra_body may not hold {secret!r:.40}",
            hint="a key goes into an environment variable",
        )
    try:
        canonical_json(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the judge's extra_body is not plain JSON: {error}") from None


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [str(key) for key in value] + [k for inner in value.values() for k in _keys(inner)]
    return [k for inner in value for k in _keys(inner)] if isinstance(value, list) else []
